"""Browser notifications: encrypted for each browser (RFC 8291), signed with our key (RFC 8292), sent as RFC 8030 says.

At least once, at most three tries: the topic and the tag make a repeat take the place of what it repeats.
Loaded only where a key is set.
"""

import asyncio
import base64
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from adapters.channels.waits import asked_by
from adapters.outward import Answer, NoAnswer, NotReached, Outward
from domain.deliveries import Address, Letter, Lost, Receipt, Trace
from domain.errors import InvalidInput

NAME = "web push"
TRIES = 3
ONE_TRY = 8.0  # seconds; all of them fit into the activity's 60
BETWEEN = 0.5  # seconds, doubled each time
LARGEST = 3800  # bytes before encryption; services take 4,096 after it
LONGEST_LIFE = timedelta(days=28)
SIGNED_FOR = 12 * 3600  # seconds; RFC 8292 allows 24 hours

Outcome = Literal["accepted", "gone", "unknown", "retry", "refused"]
log = logging.getLogger(__name__)


class WebPushGateway:
    """Sends one message to every browser of a customer. `contact` is a mailto: address for push services."""

    name = NAME
    can_look_up = False

    def __init__(
        self, private_key: str, contact: str, outward: Outward, *, one_try: float = ONE_TRY, between: float = BETWEEN
    ) -> None:
        self._key, self._contact, self._outward = Vapid02.from_raw(private_key.encode()), contact, outward
        self._one_try, self._between = one_try, between

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["WebPushGateway"]:
        """Ready at once."""
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Hand the message over for each browser. Never raises for what a push service says: the receipt tells it."""
        said = {"title": letter.subject, "body": letter.text.strip(), "url": letter.url, "tag": str(letter.send_id)}
        payload = json.dumps(said, ensure_ascii=False).encode()
        if len(payload) > LARGEST:
            return Receipt(outcome="refused", detail=f"It has more than {LARGEST} bytes.", code="413")
        given = await asyncio.gather(*(self._to_one(letter, payload, each) for each in letter.everywhere))
        gone = tuple(
            address.address for address, (outcome, _) in zip(letter.everywhere, given, strict=True) if outcome == "gone"
        )
        return _together(given, gone)

    async def look_up(self, lost: Lost) -> Trace:
        """Push services cannot be asked afterwards."""
        return Trace(outcome="unknown")

    async def _to_one(self, letter: Letter, payload: bytes, browser: Address) -> tuple[Outcome, Answer | None]:
        try:
            body = encrypted(payload, browser)
        except (WebPushException, ValueError):
            return "gone", None  # keys that are none: nothing could ever be read there
        life = min(max(letter.lasts or LONGEST_LIFE, timedelta(0)), LONGEST_LIFE)
        headers = {
            "Authorization": self._signed(browser.address),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(life.total_seconds())),
            "Topic": base64.urlsafe_b64encode(letter.send_id.bytes).decode().rstrip("="),
            "Urgency": "normal",
        }
        outcome: Outcome = "retry"
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._between * 2**attempt)
            try:
                answer = await self._outward.post(browser.address, body, headers, within=self._one_try)
            except InvalidInput:  # the address leads inside by now
                return "gone", None
            except NotReached:
                continue
            except NoAnswer:
                outcome = "unknown"
                continue
            outcome = _meaning(answer)
            if outcome != "unknown":
                return outcome, answer
        return outcome, None

    def _signed(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        claims: dict[str, Any] = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + SIGNED_FOR,
            "sub": self._contact,
        }
        return str(self._key.sign(claims)["Authorization"])


def encrypted(payload: bytes, browser: Address) -> bytes:
    """A payload that only this browser can read. Raises WebPushException and ValueError for keys that are none."""
    pusher = WebPusher({"endpoint": browser.address, "keys": dict(browser.keys)})
    return bytes(pusher.encode(payload)["body"])


def _meaning(answer: Answer) -> Outcome:
    if answer.good:
        return "accepted"
    if answer.status in (404, 410):
        return "gone"
    if answer.status == 429:
        return "retry"
    if answer.status >= 500:
        return "unknown"
    if answer.status in (401, 403):
        log.error("a push service turns our key down", extra={"code": str(answer.status)})
    return "refused"


def _together(given: Sequence[tuple[Outcome, Answer | None]], gone: tuple[str, ...]) -> Receipt:
    """One receipt for all browsers: taken by one is taken."""
    by: dict[str, Answer | None] = {}
    for outcome, answer in given:
        by.setdefault(outcome, answer)
    if "accepted" in by:
        taken = sum(outcome == "accepted" for outcome, _ in given)
        return Receipt(outcome="accepted", detail=f"{taken} of {len(given)} browsers.", code="201", gone=gone)
    if "unknown" in by:
        return Receipt(outcome="unknown", detail="No push service answered.", code="no answer", gone=gone)
    if "retry" in by:
        answer = by["retry"]
        code = str(answer.status) if answer else "no way"
        wait = asked_by(answer.headers.get("Retry-After", "")) if answer else None
        return Receipt(outcome="retry", detail="Busy.", code=code, retry_after=wait, gone=gone)
    answer = by.get("refused")
    code = str(answer.status) if answer else "410"
    return Receipt(outcome="refused", detail="No browser is there any more, or none takes it.", code=code, gone=gone)
