"""What Twilio tells us: how far our texts and WhatsApp messages have come, and what customers answer."""

import logging
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from adapters.channels.twilio_codes import NAME, report_of
from api.needs import House
from api.problems import Refused
from domain.messages import Channel
from domain.replies import Reply, meaning
from services.replies import Incoming

router = APIRouter(prefix="/webhooks/twilio", include_in_schema=False)

NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
log = logging.getLogger(__name__)
_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_STATUS = re.compile(r"[a-z_]{1,32}")
_WHATSAPP = "whatsapp:"
_PHONE = re.compile(r"\+[1-9][0-9]{1,14}")
_TYPES = {"STOP": Reply.STOP, "START": Reply.START, "HELP": Reply.HELP}


async def signed(request: Request, house: House) -> FormData:
    """The fields of a call that Twilio signed. Answers 404 without Twilio, 403 to anybody else."""
    if house.twilio is None:
        raise Refused(404, "There is nothing at this address.")
    form = await request.form()
    path = (request.scope.get("raw_path") or request.url.path.encode()).split(b"?")[0].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    if not house.twilio.valid(path, query, form, request.headers):
        log.warning("a call that Twilio did not sign for the public address", extra={"path": path})
        raise Refused(403, "This call is not signed by Twilio for this address.")
    return form


Signed = Annotated[FormData, Depends(signed)]


@router.post("/status", status_code=204)
async def status(form: Signed, house: House, send: str = "") -> None:
    """How far a text has come. The signed `send` proves which one it is, even before our own record of it."""
    sid, word, code = _word(form, "MessageSid"), _word(form, "MessageStatus"), _word(form, "ErrorCode")
    if not _SID.fullmatch(sid) or not _STATUS.fullmatch(word) or not (code == "" or re.fullmatch(r"\d{1,6}", code)):
        raise Refused(422, "This is no report of a message.")
    proven = house.links.read_status_report(send) if send else None
    await house.reports.take(report_of(sid, word, int(code) if code else None, proven))


@router.post("/incoming")
async def take_reply(form: Signed, house: House) -> Response:
    """What a customer answered. Twilio answers STOP and HELP by itself, so there is nothing for us to say."""
    sid, sender, text = _word(form, "MessageSid"), _word(form, "From"), _word(form, "Body")
    phone = sender.removeprefix(_WHATSAPP)
    if not _SID.fullmatch(sid):
        raise Refused(422, "This is no message.")
    if _PHONE.fullmatch(phone):
        # With Advanced Opt-Out Twilio tells what it took the text for, by words that the account may have changed.
        means = _TYPES.get(_word(form, "OptOutType").upper()) or meaning(text)
        channel = Channel.SMS if phone == sender else Channel.WHATSAPP
        reply = Incoming(channel=channel, gateway=NAME, provider_id=sid, address=phone, text=text, means=means)
        await house.replies.take(reply)
    return Response(NOTHING_TO_SAY, media_type="text/xml")


def _word(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
