"""What two profiles of one person said, together: the newest word, and the strictest."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from domain.customers import Consent, ConsentStatus, in_force, topic_refused
from domain.joining import joined
from domain.messages import Channel

YES, NO = ConsentStatus.GRANTED, ConsentStatus.DENIED


def said(day: int, status: ConsentStatus, source: str = "test") -> Consent:
    return Consent(status=status, at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day), source=source)


def test_the_newest_word_of_each_scope_counts() -> None:
    mine, theirs = {"email": said(1, YES), "sms": said(5, NO)}, {"email": said(3, YES), "sms": said(4, NO)}

    assert joined(mine, theirs) == {"email": said(3, YES), "sms": said(5, NO)}


def test_gaps_are_filled_both_ways() -> None:
    assert joined({"email": said(1, YES)}, {"sms": said(2, NO)}) == {"email": said(1, YES), "sms": said(2, NO)}


def test_at_the_same_instant_the_no_wins_whoever_said_it() -> None:
    for mine, theirs in ((YES, NO), (NO, YES)):
        assert joined({"email": said(1, mine)}, {"email": said(1, theirs)})["email"].status is NO


def test_an_older_no_of_the_other_profile_stays_in_force_and_a_later_yes_takes_it_back() -> None:
    together = joined({"email": said(9, YES)}, {"email": said(1, NO, "the shop")})

    assert together["email"] == said(9, NO, "the shop")
    assert in_force({**together, "email": said(10, YES)}, Channel.EMAIL) == said(10, YES)


def test_a_no_that_its_own_profile_had_taken_back_is_over() -> None:
    assert joined({}, {"all": said(1, NO), "email": said(2, YES)}) == {"all": said(1, NO), "email": said(2, YES)}


WORDS = [None, *(said(day, status) for day, status in product((1, 2), (YES, NO)))]


@pytest.mark.parametrize("scope", ["email", "all"])
@pytest.mark.parametrize("other", ["email", "all"])
def test_in_every_order_a_no_in_force_for_either_is_in_force_for_both(scope: str, other: str) -> None:
    for a, b, c, d in product(WORDS, repeat=4):
        mine = {name: word for name, word in ((scope, a), ("sms", b)) if word}
        theirs = {name: word for name, word in ((other, c), ("sms", d)) if word}
        together, reversed_ = joined(mine, theirs), joined(theirs, mine)
        for channel in (Channel.EMAIL, Channel.SMS):
            words = [word for word in (in_force(mine, channel), in_force(theirs, channel)) if word]
            strictest = NO if any(w.status is NO for w in words) else YES if words else None
            for found in (in_force(together, channel), in_force(reversed_, channel)):
                assert (found.status if found else None) == strictest


@pytest.mark.parametrize("scope", ["email/promotions", "all/promotions"])
@pytest.mark.parametrize("other", ["email/promotions", "all/promotions"])
def test_in_every_order_a_no_to_a_topic_in_force_for_either_is_in_force_for_both(scope: str, other: str) -> None:
    for a, b, c, d in product(WORDS, repeat=4):
        mine = {name: word for name, word in ((scope, a), ("sms/promotions", b), ("email", said(1, YES))) if word}
        theirs = {name: word for name, word in ((other, c), ("all/articles", d)) if word}
        for together in (joined(mine, theirs), joined(theirs, mine)):
            for channel, topic in product(Channel, ("promotions", "articles")):
                either = topic_refused(mine, channel, topic) or topic_refused(theirs, channel, topic)
                assert (topic_refused(together, channel, topic) is None) == (either is None)
            assert in_force(together, Channel.EMAIL) == said(1, YES)  # a no to a topic is none to the channel


def test_a_later_yes_to_the_topic_takes_a_joined_no_back() -> None:
    together = joined({"all/promotions": said(9, YES)}, {"all/promotions": said(1, NO)})

    assert topic_refused(together, Channel.EMAIL, "promotions") == said(9, NO)
    assert topic_refused({**together, "all/promotions": said(10, YES)}, Channel.EMAIL, "promotions") is None
