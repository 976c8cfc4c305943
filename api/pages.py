"""Pages: templates, and the headers that keep them to themselves. One page needs a script."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from domain.dates import date, month, weekday
from domain.event_words import cause_words

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SCRIPTED_POLICY = f"{POLICY}; script-src 'self'; worker-src 'self'; connect-src 'self'"
"""For the one page that cannot do without a script of ours."""

NOT_KEPT = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
"""For an answer that is somebody's own and no page: a file, a way on."""

LETTER_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'"
"""For a letter's own HTML in its frame: its styles and pictures, no script, no form, and no one's origin."""


def day(at: datetime, zone: str, lang: str) -> str:
    """A day in words, as it is in a zone."""
    return f"{weekday(at.astimezone(ZoneInfo(zone)), lang)}, {date(at, zone, lang)}"


def clock(at: datetime, zone: str) -> str:
    """A time of day, as it is in a zone."""
    return at.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def short_day(at: datetime, zone: str, lang: str) -> str:
    """A day in few letters: 2 Mar, 2 марта."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {month(local, lang, short=lang == 'en')}"


def number(count: int, lang: str) -> str:
    """A count with its thousands apart: 12,345; 12 345 with spaces that do not break."""
    return f"{count:,}".replace(",", "," if lang == "en" else "\u00a0")


_templates = Environment(
    loader=FileSystemLoader([TEMPLATES / "console", TEMPLATES / "public"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {
    "day": day,
    "date": date,
    "clock": clock,
    "short_day": short_day,
    "number": number,
    "by": cause_words,
}


def page(
    template: str, *, status: int = 200, referrer: str = "same-origin", policy: str = POLICY, **context: Any
) -> HTMLResponse:
    """A page from a template, under a policy that lets nothing in from elsewhere."""
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": referrer,
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(_templates.get_template(template).render(context), status, headers)
