"""A Twilio that remembers: takes messages, refuses them, loses answers, and reports as late and as wrongly as told.

It is the sink that judges: what it accepted is what a customer would have got.
"""

import asyncio
import base64
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from tests.support.serving import Cut, serving

SID, TOKEN, SENDER = "AC" + "a1" * 16, "the token of the tests", "+15005550006"
VERSION = "2010-04-01"
WHATSAPP = "whatsapp:"
HEARD_FOR = timedelta(hours=24)

Answer = Callable[[Request], Awaitable[Response]]
Post = Callable[[str, dict[str, str], dict[str, str]], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request to send.

    `takes` says whether the text is accepted all the same; `code` and `status` are the answer; *silent* waits
    `lasting` seconds and then hangs up, *cut* hangs up at once, *garbage* answers no JSON.
    """

    kind: Literal["answer", "silent", "cut", "garbage"] = "answer"
    takes: bool = False
    status: int = 500
    code: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    lasting: float = 30.0


@dataclass
class Twilio:
    """The simulator's memory, and what it is told to do. `wrong` spoils every answer, for the referee to catch."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    reports_to: dict[str, str] = field(default_factory=dict)
    contents: dict[str, str | None] = field(default_factory=dict)
    keeps_for: dict[str, int] = field(default_factory=dict)  # seconds, of each text
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0
    busy_until: float = 0.0  # monotonic; until then every text is put off
    opted_out: set[str] = field(default_factory=set)
    approved: dict[str, str] = field(default_factory=dict)
    wrote_at: dict[str, datetime] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    before_answering: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    wrong: dict[str, Any] = field(default_factory=dict)
    post: Post | None = None
    base_url: str = ""

    def forget(self) -> None:
        """Begin anew."""
        self.__init__(base_url=self.base_url)  # type: ignore[misc]  # every field as it was

    # What it judges --------------------------------------------------------------------------------------------------

    def per_send(self) -> Counter[str]:
        """How often each send was accepted."""
        return Counter(parse_qs(urlsplit(url).query)["send"][0] for url in self.reports_to.values())

    # Reports and replies ---------------------------------------------------------------------------------------------

    async def report(self, message: dict[str, Any], status: str, code: str = "", *, token: str = TOKEN) -> int:
        """Tell the product how far a text has come; signed with another token, it is a forgery."""
        message["status"] = status
        fields = {"MessageSid": message["sid"], "MessageStatus": status, "AccountSid": SID, "To": message["to"]}
        if code:
            message["error_code"] = int(code)
            fields["ErrorCode"] = code
        return await self.call(self.reports_to[message["sid"]], fields, token=token)

    async def becomes(self, message: dict[str, Any], *statuses: str) -> None:
        """What becomes of a WhatsApp message by Meta's rules; of one that goes, these statuses are told."""
        wrote = self.wrote_at.get(message["to"])
        if self.contents[message["sid"]] or (wrote and self.now() < wrote + HEARD_FOR):
            for status in statuses:
                assert await self.report(message, status) == 204
        else:
            assert await self.report(message, "failed", "63016") == 204

    async def reply(self, url: str, phone: str, text: str, sid: str = "", **more: str) -> int:
        """A customer answers."""
        self.wrote_at[phone] = self.now()
        fields = {"MessageSid": sid or f"SM{uuid4().hex}", "From": phone, "To": SENDER, "Body": text, "NumMedia": "0"}
        return await self.call(url, fields | more)

    async def call(self, url: str, fields: dict[str, str], *, token: str = TOKEN) -> int:
        """A call to the product, signed."""
        assert self.post is not None
        signature = RequestValidator(token).compute_signature(url, fields)
        return await self.post(url, fields, {"X-Twilio-Signature": signature})

    # HTTP ------------------------------------------------------------------------------------------------------------

    async def create(self, request: Request) -> Response:
        """Take a text, or not."""
        if refused := self._stranger(request):
            return refused
        self.requests += 1
        form = {name: str(value) for name, value in (await request.form()).items()}
        if time.monotonic() < self.busy_until:
            return _error(429, 20429, {"Retry-After": "1"})
        if problem := self._problem(form):
            return _error(400, problem)
        form.setdefault("Body", self._written(form))
        fault = self.faults.pop(0) if self.faults else None
        message = self._taken(form) if fault is None or fault.takes else None
        if message is not None and self.before_answering:
            await self.before_answering(message)
        if fault is not None:
            return await self._fails(fault)
        return JSONResponse({**(message or {}), **self.wrong}, 201)

    async def fetch(self, request: Request) -> Response:
        """One text."""
        if refused := self._stranger(request):
            return refused
        found = [m for m in self.messages if m["sid"] == request.path_params["sid"]]
        return JSONResponse({**found[0], **self.wrong}) if found else _error(404, 20404)

    async def listed(self, request: Request) -> Response:
        """Texts to one number, newest first, by pages."""
        if refused := self._stranger(request):
            return refused
        asked = request.query_params
        page, size = int(asked.get("Page", 0)), int(asked.get("PageSize", 50))
        found = [m for m in reversed(self.messages) if m["to"] == asked.get("To", m["to"])]
        shown, here = found[page * size : (page + 1) * size], f"{request.url.path}?PageSize={size}"
        more = len(found) > (page + 1) * size
        uri = f"{here}&To={asked.get('To', '').replace('+', '%2B')}"
        return JSONResponse(
            {
                "messages": [{**m, **self.wrong} for m in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": f"{uri}&Page={page}",
                "first_page_uri": f"{uri}&Page=0",
                "next_page_uri": f"{uri}&Page={page + 1}" if more else None,
                "previous_page_uri": f"{uri}&Page={page - 1}" if page else None,
            }
        )

    def _stranger(self, request: Request) -> Response | None:
        known = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        return None if request.headers.get("Authorization") == f"Basic {known}" else _error(401, 20003)

    def _problem(self, form: dict[str, str]) -> int | None:
        content, whatsapp = form.get("ContentSid"), form.get("To", "").startswith(WHATSAPP)
        problems = {
            21604: not form.get("To"),
            21603: not form.get("From") and not form.get("MessagingServiceSid"),
            21910: whatsapp != form.get("From", WHATSAPP if whatsapp else "").startswith(WHATSAPP),
            21655: content is not None and content not in self.approved,
            21656: content is not None and not self._filled(form),
            21602: not (form.get("Body") or content),
            21617: len(form.get("Body", "")) > 1600,
            21610: form.get("To", "") in self.opted_out,
        }
        return next((code for code, wrong in problems.items() if wrong), None)

    @staticmethod
    def _filled(form: dict[str, str]) -> bool:
        try:
            variables = json.loads(form.get("ContentVariables", "{}"))
        except ValueError:
            return False
        return isinstance(variables, dict) and all(isinstance(v, str) and v.strip() for v in variables.values())

    def _written(self, form: dict[str, str]) -> str:
        """An approved template with its gaps filled."""
        body = self.approved.get(form.get("ContentSid", ""), "")
        for name, value in json.loads(form.get("ContentVariables", "{}")).items():
            body = body.replace(f"{{{{{name}}}}}", value)
        return body

    def _taken(self, form: dict[str, str]) -> dict[str, Any]:
        sid, now = f"SM{uuid4().hex}", format_datetime(datetime.now(UTC))
        here = f"/{VERSION}/Accounts/{SID}/Messages/{sid}"
        message = {
            "sid": sid,
            "account_sid": SID,
            "api_version": VERSION,
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "from": form.get("From"),
            "to": form["To"],
            "body": form["Body"],
            "direction": "outbound-api",
            "status": "queued" if form.get("From") else "accepted",
            "num_segments": "1",
            "num_media": "0",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "error_message": None,
            "uri": f"{here}.json",
            "subresource_uris": {"media": f"{here}/Media.json"},
        }
        self.messages.append(message)
        self.contents[sid] = form.get("ContentSid")
        self.reports_to[sid], self.keeps_for[sid] = form["StatusCallback"], int(form["ValidityPeriod"])
        return message

    async def _fails(self, fault: Fault) -> Response:
        match fault.kind:
            case "answer":
                return _error(fault.status, fault.code, fault.headers)
            case "garbage":
                return Response("<html>", 201, media_type="text/html")
            case "silent":
                await asyncio.sleep(fault.lasting)
        return Cut()


def _error(status: int, code: int | None = None, headers: dict[str, str] | None = None) -> Response:
    if code is None:
        return Response("", status, headers)
    body = {"code": code, "message": "No.", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return Response(json.dumps(body), status, headers, media_type="application/json")


@contextlib.asynccontextmanager
async def simulating() -> AsyncIterator[Twilio]:
    """A simulator on a free port of this machine."""
    twilio = Twilio()
    messages = f"/{VERSION}/Accounts/{SID}/Messages"
    routes = [
        Route(f"{messages}.json", twilio.create, methods=["POST"]),
        Route(f"{messages}.json", twilio.listed, methods=["GET"]),
        Route(f"{messages}/{{sid}}.json", twilio.fetch, methods=["GET"]),
    ]
    async with serving(routes) as port:
        twilio.base_url = f"http://127.0.0.1:{port}"
        yield twilio
