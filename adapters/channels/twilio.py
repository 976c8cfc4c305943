"""Texts and WhatsApp messages by Twilio, at most once: a text whose answer was lost is looked up, never sent again.

Loaded only where Twilio is configured: the library takes a while to import.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
from twilio.rest import Client

from adapters.channels.throttle import Throttle
from adapters.channels.twilio_codes import NAME, Verdict, report_of, verdict
from adapters.channels.twilio_transport import TIMEOUT, Answered, Transport
from domain.deliveries import Letter, Lost, Receipt, Report, Trace
from domain.errors import Unavailable

LONGEST = 1600  # characters
# How long Twilio may keep a text queued: while it is worth delivering, but not for the ten hours that it would by
# itself, into the night. It takes 1 to 36,000 seconds, and recommends more than 5.
SHORTEST_VALIDITY, LONGEST_VALIDITY = timedelta(seconds=6), timedelta(hours=1)
WHOLE_CALL = 25.0  # seconds, for an answer that drips in; the activity has 60
STOPPED = timedelta(seconds=60)  # without a call, after Twilio turned our account down
CLOCKS_APART = timedelta(minutes=2)  # between Twilio and us
MOST = 200  # texts to one number that a look-up reads

# Nothing was written yet: the text has certainly not gone.
_BEFORE_IT_WENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TwilioAccount:
    """Whose texts these are. They come from `sender`, a number, or from a messaging service that chooses one.

    `prefix` tells the channel from texts by SMS, which have none: `whatsapp:`. `per_second` is how many messages it is
    handed, by this process.
    """

    sid: str
    token: str
    sender: str = ""
    messaging_service: str = ""
    prefix: str = ""
    per_second: float = 10
    base_url: str = ""


class TwilioGateway:
    """Sends texts. `reports_to` makes the address that Twilio reports to about a send. Belongs to one event loop."""

    name = NAME
    can_look_up = True

    def __init__(
        self, account: TwilioAccount, reports_to: Callable[[UUID], str], *, timeout: httpx.Timeout = TIMEOUT
    ) -> None:
        self._account, self._reports_to = account, reports_to
        self._transport = Transport(timeout, proxies=not account.base_url)
        self._client = Client(account.sid, account.token, http_client=self._transport)
        if account.base_url:
            self._client.api.base_url = account.base_url
        self._throttle = Throttle(account.per_second)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["TwilioGateway"]:
        """A turn at calling. Raises Unavailable while Twilio is busy, or has just turned our account down."""
        await self._throttle.turn()
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand one text over, once. Never raises for what Twilio or the network did: the receipt tells it."""
        if len(letter.text) > LONGEST:
            return Receipt(outcome="refused", detail=f"The text has more than {LONGEST} characters.", code="21617")
        if not letter.text.strip():
            return Receipt(outcome="refused", detail="The text is empty.", code="21602")
        account = self._account
        sender = {"from_": account.prefix + account.sender}
        if account.messaging_service:
            sender = {"messaging_service_sid": account.messaging_service}
        try:
            async with asyncio.timeout(WHOLE_CALL):
                message = await self._client.messages.create_async(
                    to=account.prefix + letter.to,
                    status_callback=self._reports_to(letter.send_id),
                    validity_period=_validity(letter.lasts),
                    **sender,
                    **_words(letter),
                )
        except Answered as error:
            return self._answered(error)
        except _BEFORE_IT_WENT as error:
            return Receipt(outcome="retry", detail=f"Twilio was not reached ({type(error).__name__}).", code="no way")
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            kind = type(error).__name__
            return Receipt(outcome="unknown", detail=f"No answer came to the whole text ({kind}).", code="no answer")
        except Exception as error:  # the library reads answers trustingly; whatever it stumbles on, the text was sent
            log.error("twilio's answer cannot be read", extra={"error": type(error).__name__})
            return Receipt(outcome="unknown", detail="The answer cannot be read.", code="no sense")
        if not isinstance(message.sid, str) or not message.sid:
            return Receipt(outcome="unknown", detail="The answer names no message.", code="no sense")
        return Receipt(outcome="accepted", detail="Twilio took it.", code="201", provider_id=message.sid)

    async def look_up(self, lost: Lost) -> Trace:
        """Find a lost text among those to its number, by what it says. Raises Unavailable.

        Twilio's filter DateSent would pass over texts that still wait in its queue and have no such date, so that
        one could be called absent and arrive all the same: the date of creation is compared here.
        """
        since, found, others = lost.handed_at - CLOCKS_APART, [], False
        try:
            async with asyncio.timeout(WHOLE_CALL):
                texts = await self._client.messages.stream_async(
                    to=self._account.prefix + lost.to, limit=MOST, page_size=50
                )
                count, reached = 0, False
                async for text in texts:  # newest first
                    count += 1
                    if text.date_created is not None and text.date_created < since:
                        reached = True
                        break
                    if str(text.direction).startswith("outbound"):
                        if text.body == lost.text:
                            found.append(text.sid)
                        others = True
        except Exception as error:  # whatever happened, nothing is known
            raise Unavailable(f"Twilio could not be asked: {type(error).__name__}.") from None
        if found:
            return Trace(outcome="accepted", provider_ids=tuple(reversed(found)))
        if lost.by_content and others:  # one of them may be ours in the approved template's own words
            return Trace(outcome="unknown")
        return Trace(outcome="absent" if reached or count < MOST else "unknown")

    async def report(self, provider_id: str) -> Report | None:
        """How far a text has come, asked instead of told. None when Twilio knows no such text. Raises Unavailable."""
        try:
            async with asyncio.timeout(WHOLE_CALL):
                message = await self._client.messages(provider_id).fetch_async()
        except Exception as error:
            if isinstance(error, Answered) and error.status == 404:
                return None
            raise Unavailable(f"Twilio could not be asked: {type(error).__name__}.") from None
        return report_of(provider_id, str(message.status), message.error_code)

    def read(self, provider_id: str, status: str, code: str) -> Report:
        """A report that was kept earlier."""
        return report_of(provider_id, status, int(code) if code else None)

    async def close(self) -> None:
        """Hang up."""
        await self._transport.close()

    def _answered(self, error: Answered) -> Receipt:
        code = str(error.code or error.status)
        match verdict(error.status, error.code):
            case None:
                return Receipt(outcome="unknown", detail="Twilio failed while it had the text.", code=code)
            case Verdict.RETRY:
                self._throttle.rest(error.retry_after)
                return Receipt(outcome="retry", detail="Busy.", code=code, retry_after=error.retry_after)
            case Verdict.STOP_CHANNEL:
                self._throttle.rest(STOPPED)
                log.error("twilio turns our account down; no texts go out", extra={"code": code})
                return Receipt(outcome="retry", detail="Our account is turned down.", code=code, retry_after=STOPPED)
            case found:
                return Receipt(
                    outcome="refused",
                    detail="Twilio refused it.",
                    code=code,
                    permanent_for_address=found is Verdict.SUPPRESS,
                    opted_out=found is Verdict.OPT_OUT,
                )


def _words(letter: Letter) -> dict[str, str]:
    if letter.content is None:
        return {"body": letter.text}
    variables = json.dumps(dict(letter.content.variables), ensure_ascii=False)
    return {"content_sid": letter.content.sid, "content_variables": variables}


def _validity(lasts: timedelta | None) -> int:
    lasts = LONGEST_VALIDITY if lasts is None else lasts
    return int(min(max(lasts, SHORTEST_VALIDITY), LONGEST_VALIDITY).total_seconds())
