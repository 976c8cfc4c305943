"""Returned mail from a mail server's pipe (Postfix: `bounces: "|tropa bounces"`)."""

from collections.abc import Callable
from typing import IO

from adapters.channels.mail_reports import LARGEST
from adapters.settings import Settings
from domain.errors import TropaError
from tropa.commands import opened

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and comes back


async def take(mail: IO[bytes], *, say: Callable[[str], None]) -> int:
    """Take one mail. Answers the exit code: any failure is to be tried again, or a bounce would itself bounce."""
    raw = mail.read(LARGEST)
    while mail.read(LARGEST):
        pass  # the rest is not looked at; left unread, the server would see its pipe break
    try:
        async with opened(Settings.read()) as house:
            say((await house.bounces.take(raw)).value)
    except TropaError as error:
        say(str(error))
        return TRY_AGAIN
    return 0
