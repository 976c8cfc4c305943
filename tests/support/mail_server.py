"""A real mail server on this machine, well-behaved and not. What its mailbox holds is what customers would have got."""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Mailbox:
    """What the server does: `refusals` by recipient, `at_dot` when a complete letter has come."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.greetings = 0
        self.logins: list[LoginPassword] = []
        self.refusals: dict[str, str] = {}
        self.at_mail = "250 OK"
        self.at_dot: Callable[[SMTP], Awaitable[str]] | None = None

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greetings += 1
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.at_mail

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return await self.at_dot(server) if self.at_dot else "250 2.0.0 queued as 4711"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=data == LoginPassword(b"tropa", b"p@ss/word"), handled=False)


class DropsWithinContent(SMTP):
    """Hangs up after the first bytes of a letter."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("354 go on")
        assert self._reader is not None and self.transport is not None
        await self._reader.read(10)
        self.transport.abort()  # type: ignore[attr-defined]  # declared as a plain transport


class RefusesWithinContent(SMTP):
    """Has enough long before the final dot, and says so."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("354 go on")
        assert self._reader is not None
        await self._reader.read(10)
        await self.push("552 5.3.4 too big")
        await self._reader.read(-1)


@contextmanager
def mail_server(
    mailbox: Mailbox, *, kind: type[SMTP] = SMTP, host: str = "127.0.0.1", login: bool = False
) -> Iterator[str]:
    """Serves at the address that it answers."""
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]

    class Server(Controller):
        def factory(self) -> SMTP:
            authenticator = mailbox.authenticate if login else None
            return kind(mailbox, authenticator=authenticator, auth_require_tls=False)

    server = Server(mailbox, hostname=host, port=port)
    server.start()
    try:
        yield f"{host}:{port}"
    finally:
        server.stop()
