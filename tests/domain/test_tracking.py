"""Was it a person? Every doubt counts against it; at worst somebody gets one letter more."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Event
from domain.tracking import (
    BAIT,
    CLICKED,
    OPENED,
    SETTLES_AFTER,
    Grade,
    Hit,
    HitKind,
    Reason,
    evidence,
    is_doubtful,
    judge,
)
from tests.domain.builders import NOON, SEEDED

CLICK, OPEN = HitKind.CLICK, HitKind.OPEN
HUMAN, UNSURE, MACHINE = Grade.HUMAN, Grade.UNSURE, Grade.MACHINE
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
CUBOT = "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_EARLY = "Mozilla/5.0 (Windows NT 10.0) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"


@pytest.mark.parametrize(
    ("agent", "shows"),
    [
        (FIREFOX, Reason.NONE),
        (IPHONE, Reason.NONE),
        (CUBOT, Reason.NONE),
        (OUTLOOK, Reason.NONE),
        ("Mozilla/5.0", Reason.BARE_AGENT),
        ("", Reason.NO_AGENT),
        (GMAIL, Reason.PROXY),
        (GMAIL_EARLY, Reason.PROXY),
        (YAHOO, Reason.PROXY),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Reason.SCANNER),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", Reason.SCANNER),
        ("BarracudaCentral Mail Scanner", Reason.SCANNER),
        ("Mimecast URL Protect", Reason.SCANNER),
        ("Proofpoint-URLDefense/1.0", Reason.SCANNER),
        ("TelegramBot (like TwitterBot)", Reason.SCANNER),
        ("WhatsApp/2.24.8.85 A", Reason.SCANNER),
        ("facebookexternalhit/1.1", Reason.SCANNER),
        ("python-requests/2.32", Reason.SCANNER),
        ("curl/8.5.0", Reason.SCANNER),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0 Safari/537.36", Reason.SCANNER),
    ],
)
def test_what_the_name_of_a_program_shows(agent: str, shows: Reason) -> None:
    headers = {"user-agent": agent, "accept-language": "en"}

    assert [evidence(kind, headers) for kind in HitKind] == [shows, shows]


@pytest.mark.parametrize(
    ("header", "value"),
    [("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("x-moz", "prefetch"), ("x-purpose", "preview")],
)
def test_who_fetches_ahead_says_so(header: str, value: str) -> None:
    assert evidence(CLICK, {"user-agent": FIREFOX, "accept-language": "en", header: value}) is Reason.PREFETCH


def test_a_browser_that_follows_a_link_has_a_language_and_a_mail_program_need_not() -> None:
    assert evidence(CLICK, {"user-agent": FIREFOX}) is Reason.NO_LANGUAGE
    assert evidence(OPEN, {"user-agent": FIREFOX}) is Reason.NONE


def after(seconds: float, number: int = 1, kind: HitKind = CLICK, sign: Reason = Reason.NONE) -> Hit:
    """A hit so long after its letter went out."""
    return Hit(kind=kind, number=number, at=NOON + timedelta(seconds=seconds), sign=sign)


def opened(seconds: float, sign: Reason = Reason.NONE) -> Hit:
    return after(seconds, 0, OPEN, sign)


def graded(*hits: Hit, now: float = 10**6) -> list[tuple[Grade | None, Reason]]:
    """What becomes of each hit."""
    found = judge(hits, handed_at=NOON, now=NOON + timedelta(seconds=now))
    return [(found.get(hit, hit).grade, found.get(hit, hit).reason) for hit in hits]


@pytest.mark.parametrize(
    ("hits", "first"),
    [
        ([after(60)], (HUMAN, Reason.NONE)),
        ([after(9)], (MACHINE, Reason.TOO_SOON)),
        ([after(10)], (HUMAN, Reason.NONE)),
        ([after(-1)], (MACHINE, Reason.TOO_SOON)),
        ([after(60, sign=Reason.SCANNER)], (MACHINE, Reason.SCANNER)),
        ([after(60, sign=Reason.PREFETCH)], (MACHINE, Reason.PREFETCH)),
        ([after(60, sign=Reason.NO_AGENT)], (MACHINE, Reason.NO_AGENT)),
        ([after(60, sign=Reason.BARE_AGENT)], (MACHINE, Reason.BARE_AGENT)),
        ([after(60, sign=Reason.NO_LANGUAGE)], (UNSURE, Reason.NO_LANGUAGE)),
        ([after(60, sign=Reason.PROXY)], (UNSURE, Reason.PROXY)),
        ([after(60), after(62, 2)], (MACHINE, Reason.TOGETHER)),
        ([after(60), after(58, 2)], (MACHINE, Reason.TOGETHER)),
        ([after(60), after(63, 2)], (HUMAN, Reason.NONE)),
        ([after(60), after(60, 1, sign=Reason.SCANNER)], (HUMAN, Reason.NONE)),  # a filter looks while they click
        ([after(60, BAIT)], (MACHINE, Reason.BAIT)),
        ([after(60), after(70, BAIT)], (MACHINE, Reason.BAIT)),
        ([after(360), after(60, BAIT)], (MACHINE, Reason.BAIT)),
        ([after(361), after(60, BAIT)], (HUMAN, Reason.NONE)),
        ([opened(600)], (HUMAN, Reason.NONE)),
        ([opened(599)], (UNSURE, Reason.EARLY)),
        ([opened(5)], (MACHINE, Reason.TOO_SOON)),
        ([opened(7200, Reason.PROXY)], (UNSURE, Reason.PROXY)),
        ([opened(7200, Reason.BARE_AGENT)], (MACHINE, Reason.BARE_AGENT)),
        ([opened(7200), after(7201, BAIT)], (MACHINE, Reason.BAIT)),
        ([opened(7200), after(7201), after(7201, 2)], (MACHINE, Reason.TOGETHER)),
        ([opened(60), after(90)], (HUMAN, Reason.CLICKED_LATER)),
        ([opened(60, Reason.PROXY), after(9000)], (HUMAN, Reason.CLICKED_LATER)),
        ([opened(60, Reason.PROXY), after(50)], (UNSURE, Reason.PROXY)),
        ([opened(60, Reason.PROXY), after(90, sign=Reason.SCANNER)], (UNSURE, Reason.PROXY)),
        ([opened(60, Reason.PROXY), after(90, sign=Reason.NO_LANGUAGE)], (UNSURE, Reason.PROXY)),
        ([opened(60, Reason.BARE_AGENT), after(90)], (MACHINE, Reason.BARE_AGENT)),
    ],
)
def test_the_first_of_these_hits_is_graded(hits: Sequence[Hit], first: tuple[Grade, Reason]) -> None:
    assert graded(*hits)[0] == first


def test_nothing_is_graded_before_what_came_with_it_can_be_known() -> None:
    waits = SETTLES_AFTER.total_seconds()

    assert graded(after(60), now=60 + waits - 1) == [(None, Reason.NONE)]
    assert graded(after(60), now=60 + waits) == [(HUMAN, Reason.NONE)]


def test_a_grade_stays_but_an_open_in_doubt_rises_when_its_reader_clicks() -> None:
    click = Hit(kind=CLICK, number=1, at=NOON + timedelta(hours=1), grade=HUMAN)
    doubted = Hit(kind=OPEN, number=0, at=NOON, sign=Reason.PROXY, grade=UNSURE, reason=Reason.PROXY)
    machine = Hit(kind=OPEN, number=0, at=NOON, sign=Reason.BARE_AGENT, grade=MACHINE, reason=Reason.BARE_AGENT)

    changed = judge([doubted, machine, click, after(3601, BAIT)], handed_at=NOON, now=NOON + timedelta(days=1))

    assert {hit: (found.grade, found.reason) for hit, found in changed.items()} == {
        doubted: (HUMAN, Reason.CLICKED_LATER),
        after(3601, BAIT): (MACHINE, Reason.BAIT),
    }


hits = st.builds(
    after,
    seconds=st.integers(-5, 1500),
    number=st.integers(0, 4),
    kind=st.just(CLICK),
    sign=st.sampled_from([*Reason][:7]),
)
opens = st.builds(opened, seconds=st.integers(-5, 1500), sign=st.sampled_from([*Reason][:7]))


@SEEDED
@given(st.sets(hits | opens, max_size=8), st.sets(hits, max_size=4))
def test_more_evidence_never_makes_a_person_of_a_machine(some: set[Hit], more: set[Hit]) -> None:
    before = dict(zip(some, graded(*some), strict=True))
    both = some | more
    now = dict(zip(both, graded(*both), strict=True))

    assert [hit for hit in some if before[hit][0] is MACHINE and now[hit][0] is not MACHINE] == []
    assert [hit for hit in both if now[hit][0] is HUMAN and hit.kind is CLICK and hit.sign is not Reason.NONE] == []


@pytest.mark.parametrize("name", [CLICKED, OPENED])
@pytest.mark.parametrize(("said", "doubtful"), [({"grade": "human"}, False), ({"grade": "unsure"}, True), ({}, True)])
def test_only_what_a_person_did_is_beyond_doubt(name: str, said: dict[str, object], doubtful: bool) -> None:
    def event(called: str) -> Event:
        return Event(
            id=UUID(int=1),
            event_id="e",
            name=called,
            occurred_at=NOON,
            received_at=NOON,
            source="tropa",
            properties=said,
        )

    assert is_doubtful(event(name)) is doubtful
    assert not is_doubtful(event("order_placed"))
