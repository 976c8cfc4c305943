"""What a visitor's browser may tell of itself (S7, S13, S70). A stranger speaks here, so little of it is believed.

Whoever knows the address can say anything under an id of their own making, and by a form that somebody else confirms
such an id may become part of a customer. So a visitor tells only of what they looked at, under names that start nothing
anybody relies on, in short words that lead nowhere.
"""

import re
from collections.abc import Collection, Mapping

from domain.engagement import THEIR_OWN
from domain.errors import InvalidInput
from domain.events import CONSENT_CHANGED, EVENT_NAME, FORM_SUBMITTED, PROFILE_CHANGED, RESTRICTIONS, Value
from domain.sweep import BECAME_DORMANT, BECAME_GONE, BIRTHDAY, DATE_NEAR, ENGAGEMENT_LOST, RFM_SEGMENT_ENTERED

SITE = "site"  # the source of these events
PREFIX = "visitor-"
VISITOR_DAYS = 90  # that a visitor without a name is remembered after their last visit
VISITOR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SIGNED_UP, DOWNLOADED = "signed_up", "downloaded"

LOOKED = frozenset({"page_viewed", "category_viewed", "product_viewed", "search_made", "video_watched"})
"""What every installation hears of visitors; `TROPA_SITE_EVENTS` adds others."""
NEVER = (
    RESTRICTIONS
    | THEIR_OWN
    | {CONSENT_CHANGED, PROFILE_CHANGED, FORM_SUBMITTED, SIGNED_UP, "identified", "merged"}
    | {"activated", "feature_used", "survey_answered", "complaint_opened", "complaint_resolved"}
    | {BECAME_DORMANT, BECAME_GONE, BIRTHDAY, DATE_NEAR, ENGAGEMENT_LOST, RFM_SEGMENT_ENTERED}
)
"""What only those may tell whom the company trusts: what restricts, what counts, and what we say ourselves."""
_NEVER_LIKE = re.compile(r"(order|deal|task|message|stage|segment|note|consent|opt_in)_|.*signed_up$")

HOME = "home"  # the page "/"; the others are called by their path, "pricing" and "blog/first"
MOST_PROPERTIES = 20
LONGEST = 200
_LARGEST = 10**15
_FROM_THE_ADDRESS = ("page", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a browser follows to elsewhere: a scheme, with or without slashes, or two slashes of either kind. The port of a
# referrer is none.
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:(?!\d{1,5}$)\S|[/\\]{2})|.*://", re.IGNORECASE | re.DOTALL)


def visitor_id(given: str) -> str:
    """The customer_id of a visitor, by what their browser calls itself. Raises InvalidInput.

    Every one begins alike, so that nobody can name a customer whom the company knows.
    """
    if not VISITOR.fullmatch(given):
        raise InvalidInput(["visitor: must be a random UUID in lower case"])
    return PREFIX + given


def is_visitor(customer_id: str) -> bool:
    """Whether this is a visitor without a name. They start no journey: nobody could be reached, and anybody can make
    up as many of them as they like, each of whom might give a colleague something to do.
    """
    return customer_id.startswith(PREFIX) and bool(VISITOR.fullmatch(customer_id, len(PREFIX)))


def problems_in_names(names: Collection[str]) -> list[str]:
    """What stands against visitors telling of such events."""
    problems = []
    for name in sorted(names):
        if not EVENT_NAME.fullmatch(name):
            problems.append(f"{name!r} is no event name; use lower case, digits and _")
        elif name in NEVER or _NEVER_LIKE.match(name):
            problems.append(f"{name} is nothing that a stranger may say")
    return problems


def read_properties(given: Mapping[str, Value]) -> dict[str, Value]:
    """What a visitor says of an event. Raises InvalidInput.

    What the script reads off the page's address is cut to fit; the rest is the company's own, and told what is wrong.
    """
    properties, problems = dict(given), []
    for name in list(properties):
        if name in _FROM_THE_ADDRESS or name.startswith("utm_"):
            value = _cut(properties.pop(name))
            if name == "page":
                value = value.strip("/") or HOME
            if value and name in _FROM_THE_ADDRESS:
                properties[name] = value
        elif not EVENT_NAME.fullmatch(name):
            problems.append("properties: names are of lower case, digits and _")
        elif wrong := _wrong(properties[name]):
            problems.append(f"properties.{name}: {wrong}")
    if len(properties) > MOST_PROPERTIES:
        problems.append(f"properties: at most {MOST_PROPERTIES}")
    if problems:
        raise InvalidInput(problems)
    return properties


def _cut(value: Value) -> str:
    """Words of an address as far as they can be kept; none where they are themselves an address."""
    text = _CONTROL.sub("", value) if isinstance(value, str) else ""
    return "" if _ADDRESS.match(text) else text[:LONGEST]


def _wrong(value: Value) -> str:
    if isinstance(value, str):
        if len(value) > LONGEST:
            return f"must have at most {LONGEST} characters"
        if _CONTROL.search(value):
            return "holds a control character"
        return "must not be an address: a letter could lead there" if _ADDRESS.match(value) else ""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not -_LARGEST <= value <= _LARGEST:
        return f"must be between -{_LARGEST:,} and {_LARGEST:,}"
    return ""
