"""A customer's own page: in their language, and kept to themselves."""

from typing import Any

from starlette.responses import Response

from api.needs import Needs
from api.pages import page
from api.public.words import WORDS


def language(locale: str | None, house: Needs) -> str:
    """What a customer reads: their own language, or else the company's."""
    return (locale or house.locale)[:2]


def own_page(template: str, locale: str | None, house: Needs, *, status: int = 200, **context: Any) -> Response:
    """A page for whom a link leads to it; where it goes from there, nobody is told the link."""
    lang = language(locale, house)
    return page(
        template,
        status=status,
        referrer="no-referrer",
        words=WORDS[lang],
        lang=lang,
        company=house.company,
        **context,
    )
