"""Messages by a Telegram bot, at most once: the Bot API cannot be asked afterwards; a lost answer stays unknown."""

import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from adapters.channels.waits import within_reason
from domain.deliveries import Letter, Lost, Receipt, Trace
from domain.errors import Unavailable

NAME = "telegram"
BASE_URL = "https://api.telegram.org"
LONGEST = 4096  # characters
TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)
STOPPED = 60.0  # seconds without a call after Telegram turned our token down
WAITED_FOR = ("message", "my_chat_member")

# Nothing was written yet: the message has certainly not gone.
_BEFORE_IT_WENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

log = logging.getLogger(__name__)


class TelegramGateway:
    """Sends messages into the chats of customers who pressed Start. Belongs to one event loop."""

    name = NAME
    can_look_up = False

    def __init__(self, token: str, base_url: str = "", *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._address = f"{(base_url or BASE_URL).rstrip('/')}/bot{token}"
        # An idle connection may be half dead, and a message written into it would be one whose outcome nobody knows.
        limits = httpx.Limits(max_connections=30, keepalive_expiry=5.0)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=not base_url)
        self._stopped_until = 0.0

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["TelegramGateway"]:
        """Ready at once, unless Telegram has just turned our token down. Raises Unavailable."""
        if time.monotonic() < self._stopped_until:
            raise Unavailable("Telegram turned our bot's token down; see the log.")
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand one message over, once. Never raises for what Telegram or the network did: the receipt tells it."""
        text = letter.text.strip()
        if not 0 < len(text) <= LONGEST:
            detail = f"The text has more than {LONGEST} characters, or none."
            return Receipt(outcome="refused", detail=detail, code="length")
        try:
            answer = await self._client.post(f"{self._address}/sendMessage", json={"chat_id": letter.to, "text": text})
        except _BEFORE_IT_WENT as error:
            return Receipt(outcome="retry", detail=f"Telegram was not reached ({type(error).__name__}).", code="no way")
        except (httpx.HTTPError, OSError) as error:
            return Receipt(outcome="unknown", detail=f"No answer came ({type(error).__name__}).", code="no answer")
        said = _read(answer)
        if said is None:
            return Receipt(outcome="unknown", detail="The answer cannot be read.", code="no sense")
        if answer.is_success and said.get("ok") is True:
            result = said.get("result")
            number = result.get("message_id") if isinstance(result, dict) else None
            return Receipt(outcome="accepted", detail="Telegram took it.", code="200", provider_id=str(number or ""))
        return self._refused(answer.status_code, said)

    async def look_up(self, lost: Lost) -> Trace:
        """The Bot API has no way to ask afterwards: a lost answer stays unknown."""
        return Trace(outcome="unknown")

    async def report_to(self, address: str, secret: str) -> None:
        """Have Telegram tell a web address what customers write. Raises Unavailable with Telegram's own words."""
        asked = {"url": address, "secret_token": secret, "allowed_updates": list(WAITED_FOR)}
        try:
            answer = await self._client.post(f"{self._address}/setWebhook", json=asked)
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable(f"Telegram was not reached ({type(error).__name__}).") from None
        said = _read(answer) or {}
        if said.get("ok") is not True:
            raise Unavailable(f"Telegram refused ({answer.status_code}): {said.get('description', 'no reason given')}.")

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    def _refused(self, status: int, said: Mapping[str, Any]) -> Receipt:
        code, why = str(status), str(said.get("description", "")).casefold()
        if status == 429:
            return Receipt(outcome="retry", detail="Busy.", code=code, retry_after=_retry_after(said))
        if status in (401, 404):  # no bot has this token
            self._stopped_until = time.monotonic() + STOPPED
            log.error("telegram turns our bot's token down; no messages go out", extra={"code": code})
            wait = timedelta(seconds=STOPPED)
            return Receipt(outcome="retry", detail="Our token is turned down.", code=code, retry_after=wait)
        if status >= 500:
            return Receipt(outcome="unknown", detail="Telegram failed while it had the message.", code=code)
        return Receipt(
            outcome="refused",
            detail="Telegram refused it.",
            code=code,
            permanent_for_address="chat not found" in why or "deactivated" in why,
            opted_out=status == 403 and "blocked" in why,
        )


def webhook_secret(token: str) -> str:
    """What Telegram shows us to prove itself: made from the bot's token, so that nobody has to set it."""
    return hashlib.sha256(b"telegram webhook" + token.encode()).hexdigest()


def _read(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _retry_after(said: Mapping[str, Any]) -> timedelta | None:
    parameters = said.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    return within_reason(seconds)
