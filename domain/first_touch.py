"""When and through what a customer first met us (S7)."""

from dataclasses import dataclass
from datetime import datetime

from domain.events import Event

LONGEST = 200
REFERRAL = "referral"  # the medium where nothing but a link is known


@dataclass(frozen=True, kw_only=True)
class FirstTouch:
    """The earliest thing that a customer did: when, what, and through which source, medium and campaign."""

    at: datetime
    event: str
    source: str
    medium: str = ""
    campaign: str = ""


def first_touch(event: Event, known: FirstTouch | None) -> FirstTouch:
    """The earlier of what is known and an event, which may be heard of late. The page says where people came from
    (`utm_source` and its like, or else the site that linked here); without it the event's own source counts.
    """
    if known and known.at <= event.occurred_at:
        return known
    referrer = _said(event, "referrer")
    came_by_link = bool(referrer) and not _said(event, "utm_source")
    return FirstTouch(
        at=event.occurred_at,
        event=event.name,
        source=_said(event, "utm_source") or referrer or event.source,
        medium=_said(event, "utm_medium") or (REFERRAL if came_by_link else ""),
        campaign=_said(event, "utm_campaign"),
    )


def _said(event: Event, name: str) -> str:
    value = event.properties.get(name)
    return value[:LONGEST] if isinstance(value, str) else ""
