"""One letter over one SMTP connection, and what each answer, or the lack of one, means."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from email.policy import EmailPolicy
from typing import Literal, Protocol
from uuid import UUID

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from adapters.channels.mime import build_email, mailbox
from domain.deliveries import Letter, Receipt, blames_the_address
from domain.errors import InvalidInput

TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError)

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_GREYLISTED, _MAILBOX_FULL = timedelta(minutes=5), timedelta(hours=1)

Stage = Literal["sender", "recipient", "content"]
Reply = asyncio.Task[aiosmtplib.SMTPResponse]


class Connection(Protocol):
    """A mail server that is ready for MAIL FROM. One letter at a time."""

    async def deliver(self, letter: Letter) -> Receipt:
        """Send one letter. Never raises for what the server or the network did: the receipt tells it."""


class SmtpConnection:
    """One greeted connection. Failures are harmless until the final dot; after it silence is *unknown*."""

    def __init__(
        self,
        client: aiosmtplib.SMTP,
        return_path: Callable[[UUID], str],
        final_timeout: float,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._client, self._return_path, self._final_timeout = client, return_path, final_timeout
        self._sign = sign or bytes
        self._fresh = True

    async def deliver(self, letter: Letter) -> Receipt:
        """See Connection. A letter that cannot be written as a safe message is refused, with nothing sent."""
        try:
            message = build_email(letter)
        except InvalidInput as problem:
            return Receipt(outcome="refused", detail=f"The letter cannot be written: {problem}.")
        to, content = mailbox(letter.to, "to"), self._sign(message.as_bytes())
        policy = message.policy
        options = []
        if isinstance(policy, EmailPolicy) and policy.utf8:
            if not self._client.supports_extension("smtputf8"):
                return Receipt(outcome="refused", detail="The mail server takes Latin addresses only.")
            options = ["SMTPUTF8"]

        stage: Stage = "sender"
        try:
            if not self._fresh:
                await self._client.rset()
            self._fresh = False
            await self._client.mail(self._return_path(letter.send_id), options=options, encoding="utf-8")
            stage = "recipient"
            await self._client.rcpt(to, encoding="utf-8")
            stage = "content"
            answer = await self._client.execute_command(b"DATA")
            if answer.code != 354:
                return self._answered(stage, answer.code, answer.message)
        except aiosmtplib.SMTPResponseException as answer:
            return self._answered(stage, answer.code, answer.message)
        except TROUBLE as error:
            self.drop()
            kind = type(error).__name__
            return Receipt(outcome="retry", detail=f"The connection failed before the {stage} ({kind}).")
        return await self._transfer(content, str(message["Message-ID"]))

    def drop(self) -> None:
        """Hang up without ceremony: what is still in our buffer must not reach the server."""
        transport = self._client.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        self._client.close()

    async def _transfer(self, content: bytes, message_id: str) -> Receipt:
        """Send the content, then by itself the final dot: only after that may the server have the letter."""
        protocol = self._client.protocol
        if protocol is None:
            return Receipt(outcome="retry", detail="The connection failed before the content.")
        reply = asyncio.create_task(protocol.read_response())
        dotted = False
        try:
            async with asyncio.timeout(self._client.timeout):
                await _write(protocol, _stuffed(content), reply)
            if reply.done():  # an answer or a loss, too early for the server to have the letter
                self.drop()
                early = reply.result()
                return self._answered("content", early.code, early.message)
            dotted = True
            protocol.write(b".\r\n")
            async with asyncio.timeout(self._final_timeout):
                answer = await reply
        except (*TROUBLE, RuntimeError) as error:
            self.drop()
            kind = type(error).__name__
            if dotted:
                return Receipt(outcome="unknown", detail=f"No answer came to the complete letter ({kind}).")
            return Receipt(outcome="retry", detail=f"The connection failed within the content ({kind}).")
        finally:
            if not reply.cancel() and not reply.cancelled():
                reply.exception()  # looked at, so that it is not reported as overlooked
        if answer.code == 250:
            return Receipt(outcome="accepted", detail="The mail server took it.", code="250", provider_id=message_id)
        return self._answered("content", answer.code, answer.message, dotted=True)

    def _answered(self, stage: Stage, code: int, text: str, *, dotted: bool = False) -> Receipt:
        status = _STATUS.match(text)
        if status is not None and status[1] != str(code)[:1]:
            status = None
        known = f"{code} {status[0]}" if status else str(code)
        if code == 421 or not 200 <= code < 600:
            self.drop()  # the server hangs up, or does not speak SMTP any more
        if 500 <= code < 600:
            dead = status is not None and blames_the_address(status[0])
            return Receipt(
                outcome="refused",
                detail=f"The mail server refused the {stage}.",
                code=known,
                permanent_for_address=dead and code in (550, 551, 553) and stage != "sender",
            )
        if dotted and not 400 <= code < 500:
            self.drop()
            return Receipt(outcome="unknown", detail="The answer to the letter makes no sense.", code=known)
        full = status is not None and (status[2], status[3]) == ("2", "2")
        return Receipt(
            outcome="retry",
            detail=f"The mail server put off the {stage}.",
            code=known,
            retry_after=_MAILBOX_FULL if full else _GREYLISTED,
        )


async def _write(protocol: SMTPProtocol, content: bytes, reply: Reply) -> None:
    """Write until the operating system has it all, or until the server speaks or is lost meanwhile."""
    transport = protocol.transport
    if not isinstance(transport, asyncio.WriteTransport):
        return  # lost: `reply` says so
    await asyncio.sleep(0)  # lets `reply` begin to listen
    protocol.write(content)
    while transport.get_write_buffer_size() and not reply.done():  # noqa: ASYNC110  a transport has no event for it
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)  # a loss that is known already is seen before the final dot


def _stuffed(content: bytes) -> bytes:
    """Content for DATA: lines end in CRLF, and none is a lone dot, which would end the letter early."""
    lines = re.sub(rb"\r?\n|\r", b"\r\n", content)
    return re.sub(rb"(?m)^\.", b"..", lines if lines.endswith(b"\r\n") else lines + b"\r\n")
