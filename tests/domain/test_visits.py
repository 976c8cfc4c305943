"""What a stranger may say (S13): little, in short words, and never in a customer's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.errors import InvalidInput
from domain.events import RESTRICTIONS
from domain.first_touch import first_touch
from domain.orders import ORDER_EVENTS
from domain.visits import LONGEST, MOST_PROPERTIES, problems_in_names, read_properties, visitor_id
from tests.domain.test_projection import an_event

UUID = "8f2b6a1c-3d4e-4f60-9a7b-0c1d2e3f4a5b"
VALUES = some.one_of(some.text(max_size=400), some.integers(), some.floats(allow_nan=False), some.booleans())


@given(some.text(max_size=60))
def test_nobody_is_named_but_by_a_random_id_of_ours(given: str) -> None:
    with pytest.raises(InvalidInput):
        visitor_id(given)

    assert visitor_id(UUID) == f"visitor-{UUID}"


@pytest.mark.parametrize("given", [UUID.upper(), f"{UUID}\n", f" {UUID}", f"visitor-{UUID}", "anna@example.com"])
def test_what_only_looks_like_one_is_none(given: str) -> None:
    with pytest.raises(InvalidInput):
        visitor_id(given)


@pytest.mark.parametrize(
    "name", [*sorted(RESTRICTIONS | ORDER_EVENTS), "deal_won", "replied", "newsletter_signed_up", "activated"]
)
def test_what_others_rely_on_can_never_be_told_by_a_stranger(name: str) -> None:
    assert problems_in_names(["quiz_finished", name]) == [f"{name} is nothing that a stranger may say"]


@given(some.dictionaries(some.text(max_size=70) | some.sampled_from(["page", "utm_source", "color"]), VALUES))
def test_whatever_is_kept_is_small_and_leads_nowhere(given: dict[str, str | int | float | bool]) -> None:
    try:
        kept = read_properties(given)
    except InvalidInput:
        return

    assert len(kept) <= MOST_PROPERTIES
    assert all(len(value) <= LONGEST and "://" not in value for value in kept.values() if isinstance(value, str))


def test_what_stands_in_the_pages_address_is_cut_to_fit_and_the_rest_is_told() -> None:
    kept = read_properties({"page": "/" + "a" * 300, "utm_source": "http://evil", "utm_id": "7", "referrer": "a\x00b"})

    assert kept == {"page": "a" * 199, "referrer": "ab"}
    assert [read_properties({"page": page}) for page in ("/", "/pricing/")] == [{"page": "home"}, {"page": "pricing"}]
    with pytest.raises(InvalidInput) as refused:
        read_properties({"link": "https://evil.example", "note": "a" * 201, "Bad Name": 1, "many": 1e16})
    assert [each.partition(":")[0] for each in refused.value.problems] == [
        "properties.link",
        "properties.note",
        "properties",
        "properties.many",
    ]


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https:evil.example", "https:/evil.example", r"https:\\evil.example", r"\\evil.example",
     "/\\evil.example", " //evil.example", "JavaScript:alert(1)", "data:text/html,x", "mailto:a@evil.example",
     "tel:+900"],
)  # fmt: skip
def test_what_a_browser_takes_for_an_address_is_no_word_of_a_stranger(address: str) -> None:
    with pytest.raises(InvalidInput):
        read_properties({"link": address})
    assert "referrer" not in read_properties({"referrer": address})

    words = {"title": "Size: 40", "at": "10:30", "path": "/sale/40", "note": "a // b"}
    assert read_properties(words) == words
    assert read_properties({"referrer": "news.example:8080"}) == {"referrer": "news.example:8080"}


def test_the_site_that_linked_here_is_the_first_touch_where_the_address_names_no_source() -> None:
    linked = first_touch(an_event("page_viewed", referrer="news.example"), None)
    named = first_touch(an_event("page_viewed", referrer="news.example", utm_source="ads"), None)

    assert (linked.source, linked.medium) == ("news.example", "referral")
    assert (named.source, named.medium) == ("ads", "")
