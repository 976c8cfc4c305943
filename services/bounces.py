"""Bounces and complaints: what comes back by mail, taken for the send that it is about."""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from adapters.channels.mail_reports import MailReport, read_mail
from adapters.return_paths import ReturnPaths
from domain.deliveries import Delivery, Report
from services.delivery_reports import DeliveryReports

_RULES = {Delivery.UNDELIVERED: "came_back", Delivery.COMPLAINED: "complained"}
log = logging.getLogger(__name__)


class Returned(StrEnum):
    """What became of a mail that came back."""

    TAKEN = "taken"
    UNATTRIBUTED = "unattributed"  # a report, and nothing in it says of which letter
    IGNORED = "ignored"  # no report: an answer, a note of absence, spam


class Bounces:
    """Reads what comes back. `gateway` sends mail by that name, and calls the letter of a send by `letter_id`."""

    def __init__(
        self, reports: DeliveryReports, return_paths: ReturnPaths, gateway: str, letter_id: Callable[[UUID], str]
    ) -> None:
        self._reports, self._return_paths, self._gateway = reports, return_paths, gateway
        self._letter_id = letter_id

    async def take(self, raw: bytes) -> Returned:
        """Do what a mail says; the same mail again changes nothing. Restrictions are in force when this returns.

        A dead address is closed, a complaint closes the address and the channel. What came back for another reason, or
        for now, is kept as a report; however often that happens in a row, it closes nothing.
        """
        read, text = await asyncio.to_thread(read_mail, raw)
        send = self._return_paths.find(text)
        if read is None or send is None:
            result = Returned.IGNORED if read is None else Returned.UNATTRIBUTED
            log.info("a mail came back that tells nothing", extra={"result": result.value})
            return result
        if read.code.startswith("5.7."):
            log.warning("a mail server turned a letter of ours away by its policy", extra={"code": read.code})
        await self._reports.take(self._report(read, send))
        return Returned.TAKEN

    def _report(self, read: MailReport, send: UUID) -> Report:
        return Report(
            gateway=self._gateway,
            provider_id=self._letter_id(send),
            status=read.delivery.value,
            delivery=read.delivery,
            send=send,
            code=read.code,
            permanent_for_address=read.dead,
            complained=read.delivery is Delivery.COMPLAINED,
            rule="bounced" if read.dead else _RULES.get(read.delivery, ""),
        )
