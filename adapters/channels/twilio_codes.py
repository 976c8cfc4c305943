"""What Twilio's error codes mean for a text: one table, for answers to a send and for later reports alike.

Checked on Twilio's pages: 20429, 21610, 21611, 30001, 30003, 30006, 63016, 63018, and for what of WhatsApp 63003,
63005, 63013, 63021, 63024, 63027, 63028 and 63032 stand. Twilio splits codes now and then, so one that is not listed is
judged by its HTTP status. What fails is not tried again on its channel; a cascade may go on by another.
"""

from enum import StrEnum
from uuid import UUID

from domain.deliveries import Delivery, Report

NAME = "twilio"


class Verdict(StrEnum):
    """What a code makes us do."""

    OPT_OUT = "opt_out"  # the owner of the number told Twilio STOP
    SUPPRESS = "suppress"  # no text will ever arrive at this number
    FAIL = "fail"  # this text cannot go; the number may be fine
    RETRY = "retry"  # certainly not taken; later it may be
    STOP_CHANNEL = "stop_channel"  # our account is at fault: somebody must look


CODES: dict[int, Verdict] = {
    21610: Verdict.OPT_OUT,
    21211: Verdict.SUPPRESS,  # no valid number
    21217: Verdict.SUPPRESS,  # the same, of old
    21614: Verdict.SUPPRESS,  # no mobile number
    30005: Verdict.SUPPRESS,  # nobody has this number
    30006: Verdict.SUPPRESS,  # a landline, or a carrier that cannot be reached
    63003: Verdict.SUPPRESS,  # nobody on this channel
    63024: Verdict.SUPPRESS,  # the same
    21408: Verdict.FAIL,  # the country is not switched on
    21602: Verdict.FAIL,
    21603: Verdict.FAIL,
    21604: Verdict.FAIL,
    21606: Verdict.FAIL,  # the sender cannot send texts
    21609: Verdict.FAIL,  # our address for reports is not a public one
    21612: Verdict.FAIL,
    21617: Verdict.FAIL,  # too long
    21656: Verdict.FAIL,
    30003: Verdict.FAIL,  # the phone is off
    30004: Verdict.FAIL,  # blocked
    30007: Verdict.FAIL,  # filtered by the carrier
    30008: Verdict.FAIL,
    30034: Verdict.FAIL,  # the sender is not registered
    63005: Verdict.FAIL,  # WhatsApp does not take such content
    63013: Verdict.FAIL,  # against WhatsApp's policy
    63016: Verdict.FAIL,  # free words, and the customer has not written for 24 hours
    63021: Verdict.FAIL,
    63027: Verdict.FAIL,  # no such approved template in this language
    63028: Verdict.FAIL,  # it has other gaps than we filled
    63032: Verdict.FAIL,  # this customer is in an experiment of Meta's
    63049: Verdict.FAIL,  # Meta chose not to deliver marketing to this customer now
    20429: Verdict.RETRY,
    21611: Verdict.RETRY,  # the sender's queue is full
    63018: Verdict.RETRY,
    20003: Verdict.STOP_CHANNEL,  # wrong account or token
    20005: Verdict.STOP_CHANNEL,  # the account is not active
    30002: Verdict.STOP_CHANNEL,  # the account is suspended
}

DELIVERIES: dict[str, Delivery] = {
    "accepted": Delivery.ACCEPTED,
    "scheduled": Delivery.ACCEPTED,
    "queued": Delivery.QUEUED,
    "sending": Delivery.SENDING,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "partially_delivered": Delivery.DELIVERED,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.CANCELED,
    "read": Delivery.READ,
}


def verdict(status: int, code: int | None) -> Verdict | None:
    """What an error answer to a send means. None when it leaves open whether the text was taken."""
    if code in CODES:
        return CODES[code]
    if status == 429:
        return Verdict.RETRY
    if status == 401:
        return Verdict.STOP_CHANNEL
    if 400 <= status < 500 and status != 408:
        return Verdict.FAIL
    return None


def report_of(provider_id: str, status: str, code: int | None, send: UUID | None = None) -> Report:
    """A status and an error code, as Twilio reports them, in our words."""
    found = CODES.get(code) if code else None
    return Report(
        gateway=NAME,
        provider_id=provider_id,
        status=status,
        delivery=DELIVERIES.get(status),
        send=send,
        code=str(code or ""),
        permanent_for_address=found is Verdict.SUPPRESS,
        opted_out=found is Verdict.OPT_OUT,
    )
