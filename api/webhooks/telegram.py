"""What Telegram tells us: who pressed Start, who wrote, and who blocked the bot."""

import hmac
import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from adapters.channels.telegram import NAME
from api.needs import House
from api.problems import Refused
from api.public.words import WORDS
from api.reading import read_json
from domain.errors import NotFound
from domain.messages import Channel
from domain.replies import Reply, meaning
from services.chats import Started
from services.replies import Incoming

router = APIRouter(prefix="/webhooks", include_in_schema=False)

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  a header's name
log = logging.getLogger(__name__)


@router.post("/telegram")
async def update(request: Request, house: House) -> Response:
    """One update. Its answer may hold words for the chat, so that nothing has to be sent for a confirmation."""
    if not house.telegram_secret:
        raise Refused(404, "There is nothing at this address.")
    if not hmac.compare_digest(request.headers.get(SECRET, "").encode(), house.telegram_secret.encode()):
        log.warning("a call that is not Telegram's")
        raise Refused(403, "This call does not carry Telegram's secret.")
    told = read_json(await request.body())
    if not isinstance(told, dict) or not isinstance(told.get("update_id"), int):
        raise Refused(422, "This is no update.")
    words = await _heard(house, told)
    return JSONResponse(words) if words else Response(status_code=200)


async def _heard(house: House, told: dict[str, Any]) -> dict[str, Any] | None:
    """Do what an update says; answers a method call for the chat, if there is something to say."""
    message = _part(told, "message")
    changed = _part(told, "my_chat_member")
    chat = _part(message or changed, "chat")
    if chat.get("type") != "private" or not isinstance(chat.get("id"), int):
        return None
    number, at = told["update_id"], (message or changed).get("date", 0)
    incoming = Incoming(
        channel=Channel.TELEGRAM,
        gateway=NAME,
        provider_id=f"{number}:{at}",
        address=str(chat["id"]),
        text=str(message.get("text", "")),
        means=Reply.OTHER,
    )
    if changed:
        if _part(changed, "new_chat_member").get("status") == "kicked":
            await house.replies.take(incoming.meaning(Reply.STOP))
        return None
    command, _, token = incoming.text.strip().partition(" ")
    lang = "ru" if str(_part(message, "from").get("language_code", house.locale)).startswith("ru") else "en"
    if command == "/start" and token:
        return _say(incoming.address, *await _start(house, incoming, token.strip(), lang), house.company)
    means = Reply.STOP if command == "/stop" else Reply.START if command == "/start" else meaning(incoming.text)
    known = await house.replies.take(incoming.meaning(means))
    said = {Reply.STOP: "telegram_stopped", Reply.START: "telegram_started"}.get(means)
    if means is Reply.START and not known:
        said = "telegram_which"
    return _say(incoming.address, said, lang, house.company) if said else None


async def _start(house: House, incoming: Incoming, token: str, lang: str) -> tuple[str, str]:
    """The word for what became of a start link, and the language to say it in."""
    try:
        locale = await house.chats.start(Started(update=incoming.provider_id, chat=incoming.address, token=token))
    except NotFound:
        return "telegram_which", lang
    return "telegram_started", (locale or lang)[:2]


def _say(chat: str, word: str, lang: str, company: str) -> dict[str, Any]:
    return {"method": "sendMessage", "chat_id": chat, "text": WORDS[lang][word].format(company=company)}


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}
