"""Email over SMTP: connections that are greeted, encrypted and logged in before a letter is claimed."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

from adapters.channels.mime import build_email, sender_mailbox
from adapters.channels.smtp import TROUBLE, Connection, SmtpConnection
from domain.deliveries import Lost, Trace
from domain.errors import Misconfigured, Unavailable

__all__ = ["Connection", "EmailGateway", "build_email"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_IDLE = 60.0  # seconds; servers hang up on the idle after one to five minutes
_PLACE_WITHIN = 10.0  # seconds; then the send tries again later, with a fresh look at the policy
_CONNECT_WITHIN = 10.0  # seconds, for greeting, encryption and login together
_PROBE = 5.0  # seconds; a server that has answered before answers a trifle sooner than this


class EmailGateway:
    """Letters over SMTP, over at most `connections` pooled connections. Belongs to one event loop.

    `smtp_url` is smtp://user:password@host:587 (STARTTLS when offered, insisted on before a password goes
    out) or smtps://. `return_path` gives the envelope sender of a send, that of `mail_from` without it; `sign` adds a
    signature to the bytes of a letter. Raises Misconfigured.
    """

    name = "smtp"
    can_look_up = False

    def __init__(
        self,
        smtp_url: str,
        mail_from: str,
        *,
        return_path: Callable[[UUID], str] | None = None,
        sign: Callable[[bytes], bytes] | None = None,
        connections: int = 4,
        timeout: timedelta = timedelta(seconds=30),
        final_timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        self._options = _options(smtp_url)
        sender = sender_mailbox(mail_from)
        self._return_path, self._sign = return_path or (lambda _: sender), sign
        self._timeout, self._final_timeout = timeout.total_seconds(), final_timeout.total_seconds()
        self._places = asyncio.Semaphore(connections)
        self._idle: deque[tuple[float, aiosmtplib.SMTP]] = deque()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection with greeting, encryption and login behind it. Raises Unavailable."""
        return self._connection()

    async def look_up(self, lost: Lost) -> Trace:
        """SMTP has no way to ask afterwards: a lost answer stays unknown."""
        return Trace(outcome="unknown")

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            await _part(self._idle.pop()[1])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self._place():
            client = await self._connected()
            connection = SmtpConnection(client, self._return_path, self._final_timeout, self._sign)
            try:
                yield connection
            except BaseException:
                connection.drop()  # what the server has heard so far is anyone's guess
                raise
            if client.is_connected:
                self._idle.append((time.monotonic(), client))

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._places.acquire(), _PLACE_WITHIN)
        except TimeoutError:
            raise Unavailable("The mail server is busy with as many letters as it gets at once.") from None
        try:
            yield
        finally:
            self._places.release()

    async def _connected(self) -> aiosmtplib.SMTP:
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                return await self._reused() or await self._opened()
        except TimeoutError:
            raise Unavailable("The mail server does not answer in time.") from None

    async def _reused(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            if time.monotonic() - since > _IDLE:
                await _part(client)
                continue
            try:
                await client.rset(timeout=_PROBE)  # forgets the last letter, and proves that the server still listens
            except TROUBLE:
                client.close()
                continue
            return client
        return None

    async def _opened(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._options.host,
            port=self._options.port,
            username=self._options.username,
            password=self._options.password,
            use_tls=self._options.use_tls,
            start_tls=self._options.start_tls,
            validate_certs=self._options.validate_certs,
            timeout=self._timeout,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (*TROUBLE, ValueError) as error:
            client.close()
            code = f" ({error.code})" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
            # Not the error's own words: a server may repeat the user name in them.
            raise Unavailable(f"The mail server is not ready: {type(error).__name__}{code}.") from None
        return client


async def _part(client: aiosmtplib.SMTP) -> None:
    with suppress(*TROUBLE):
        await client.quit(timeout=_PROBE)
    client.close()


@dataclass(frozen=True, kw_only=True)
class _Options:
    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None
    validate_certs: bool


def _options(smtp_url: str) -> _Options:
    """The address, taken apart. Its errors never repeat it: it may hold a password."""
    try:
        url = urlsplit(smtp_url)
        host, port, tls = url.hostname, url.port, url.scheme == "smtps"
    except ValueError:
        host, port, tls, url = None, None, False, urlsplit("")
    if url.scheme not in ("smtp", "smtps") or host is None:
        raise Misconfigured(
            "TROPA_SMTP_URL must look like smtp://user:password@host:587 or smtps://user:password@host."
        )
    login, near = url.username is not None, host in _LOOPBACK
    return _Options(
        host=host,
        port=port or (465 if tls else 587 if login else 25),
        username=unquote(url.username) if url.username is not None else None,
        password=unquote(url.password or "") if login else None,
        use_tls=tls,
        # A password leaves this machine encrypted or not at all: somebody on the way may hide the offer.
        start_tls=None if near or not login else not tls,
        validate_certs=not near,  # a relay on this machine usually has a certificate that it signed itself
    )
