"""What the contact policy answers, rule by rule, and in which words."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from domain.contact_policy import ContactPolicy, Kind
from domain.customers import EVERY_CHANNEL, Consent, in_force, is_gone, opt_out_acts
from domain.decisions import Decision
from domain.messages import Channel, Limit, Message, Purpose
from domain.policy import Answer, Verdict, ask, may_call
from domain.send_facts import SendFacts
from tests.domain.builders import MIDDLE, NOON, SEND, a_message, a_policy, no, some_facts, utc, yes

EMAIL, SMS = Channel.EMAIL, Channel.SMS
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = utc(2026, 6, 1, 0)


def answer(
    message: Message | None = None,
    facts: SendFacts | None = None,
    policy: ContactPolicy | None = None,
    *,
    at: datetime = NOON,
    expires: datetime = NOON + 3 * DAY,
) -> Answer:
    return ask(message or a_message(), facts or some_facts(), policy or a_policy(), at=at, expires=expires, send=SEND)


def test_a_message_goes_when_nothing_stands_against_it() -> None:
    found = answer()

    assert (found.verdict, found.channel, found.until) == (Verdict.GO, EMAIL, None)
    assert found.decision.words() == "Nothing stands against it"


@pytest.mark.parametrize(
    ("facts", "rule", "words"),
    [
        (some_facts(erased=True), "erased", "The customer was erased"),
        (some_facts(ended="converted"), "ended", "The journey had ended first: converted"),
        (some_facts(addressed=frozenset({SMS})), "unreachable", "There is no address for email"),
        (
            some_facts(suppressed={EMAIL: "it bounced for good"}),
            "suppressed",
            "The address for email is suppressed: it bounced for good",
        ),
        (
            some_facts(consents={"email": no(NOON)}),
            "opted_out",
            "The customer said no to email on 01 Jun 12:00",
        ),
        (
            some_facts(consents={EVERY_CHANNEL: no(NOON)}),
            "opted_out",
            "The customer said no to email on 01 Jun 12:00",
        ),
    ],
)
def test_a_refusal_names_its_rule_and_says_it_in_a_sentence(facts: SendFacts, rule: str, words: str) -> None:
    found = answer(facts=facts)

    assert (found.verdict, found.decision.rule) == (Verdict.REFUSED, rule)
    assert found.decision.words() == words
    assert found.channel is None


def test_a_channel_that_needs_a_yes_is_refused_without_one() -> None:
    policy = a_policy(explicit=[EMAIL])

    assert answer(policy=policy).decision.rule == "no_consent"
    assert answer(facts=some_facts(consents={"email": yes(NOON)}), policy=policy).verdict is Verdict.GO
    assert answer(facts=some_facts(consents={EVERY_CHANNEL: yes(NOON)}), policy=policy).verdict is Verdict.GO


@pytest.mark.parametrize(
    ("facts", "channel"),
    [
        (some_facts(), EMAIL),
        (some_facts(addressed=frozenset({SMS})), SMS),
        (some_facts(suppressed={EMAIL: "dead"}), SMS),
        (some_facts(consents={"email": no(NOON)}), SMS),
        (some_facts(consents={EVERY_CHANNEL: no(NOON), "sms": yes(NOON + HOUR)}), SMS),
    ],
)
def test_the_first_channel_that_nothing_stands_against_is_taken(facts: SendFacts, channel: Channel) -> None:
    assert answer(a_message(EMAIL, SMS), facts).channel is channel


def test_when_every_channel_is_refused_the_first_ones_reason_is_told() -> None:
    facts = some_facts(addressed=frozenset({SMS}), suppressed={SMS: "dead"})

    assert answer(a_message(EMAIL, SMS), facts).decision.rule == "unreachable"
    assert answer(a_message(SMS, EMAIL), facts).decision.rule == "suppressed"


@pytest.mark.parametrize(
    "facts",
    [
        some_facts(touches=(NOON - HOUR,)),
        some_facts(touches=(NOON - 20 * HOUR, NOON - 10 * HOUR)),
        some_facts(consents={EVERY_CHANNEL: no(NOON)}),
        some_facts("Asia/Tokyo"),  # 21:00 there
    ],
)
def test_a_transactional_message_minds_no_cap_gap_consent_or_quiet_hours(facts: SendFacts) -> None:
    policy = a_policy(explicit=[EMAIL])

    assert answer(a_message(purpose=Purpose.TRANSACTIONAL), facts, policy).verdict is Verdict.GO
    assert answer(a_message(purpose=Purpose.SERVICE), facts, policy).verdict is not Verdict.GO


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (some_facts(erased=True), "erased"),
        (some_facts(ended="stopped"), "ended"),
        (some_facts(suppressed={EMAIL: "dead"}), "suppressed"),
        (some_facts(addressed=frozenset()), "unreachable"),
        (some_facts(paused=True), "paused"),
    ],
)
def test_not_even_a_transactional_message_goes_against_these(facts: SendFacts, rule: str) -> None:
    assert answer(a_message(purpose=Purpose.TRANSACTIONAL), facts).decision.rule == rule


@pytest.mark.parametrize(
    ("facts", "rule", "until", "words"),
    [
        (
            some_facts(touches=(NOON - HOUR,)),
            "gap",
            NOON + 3 * HOUR,
            "The last touch was at 01 Jun 11:00, and touches stay 4 hours apart; it may go at 01 Jun 15:00",
        ),
        (
            some_facts(touches=(NOON - 23 * HOUR, NOON - 5 * HOUR)),
            "cap",
            NOON + HOUR,
            "2 touches in 1 day is the limit and it is reached; it may go at 01 Jun 13:00",
        ),
        (
            some_facts("Asia/Tokyo"),
            "quiet_hours",
            NOON + 12 * HOUR,
            "Quiet hours from 21:00 to 09:00 in Asia/Tokyo; it may go at 02 Jun 00:00",
        ),
    ],
)
def test_a_wait_says_until_when_and_why(facts: SendFacts, rule: str, until: datetime, words: str) -> None:
    found = answer(facts=facts)

    assert (found.verdict, found.decision.rule, found.until) == (Verdict.NOT_BEFORE, rule, until)
    assert found.decision.words() == words
    assert found.channel is EMAIL


@pytest.mark.parametrize(
    ("touch", "verdict"),
    [
        (NOON - 4 * HOUR, Verdict.GO),
        (NOON - 4 * HOUR + timedelta(microseconds=1), Verdict.NOT_BEFORE),
        (NOON + 4 * HOUR, Verdict.GO),
        (NOON + 4 * HOUR - timedelta(microseconds=1), Verdict.NOT_BEFORE),
    ],
)
def test_the_gap_is_kept_to_the_instant_and_both_ways(touch: datetime, verdict: Verdict) -> None:
    assert answer(facts=some_facts(touches=(touch,))).verdict is verdict


@pytest.mark.parametrize(
    ("first", "verdict"),
    [(NOON - 24 * HOUR, Verdict.GO), (NOON - 24 * HOUR + timedelta(microseconds=1), Verdict.NOT_BEFORE)],
)
def test_the_window_of_the_cap_is_half_open(first: datetime, verdict: Verdict) -> None:
    assert answer(facts=some_facts(touches=(first, NOON - 6 * HOUR))).verdict is verdict


def test_releases_at_the_end_of_quiet_hours_are_spread() -> None:
    policy = a_policy(jitter=timedelta(minutes=30))

    found = ask(a_message(), some_facts(), policy, at=MIDNIGHT, expires=MIDNIGHT + DAY, send=MIDDLE)

    assert found.until == utc(2026, 6, 1, 9, 15)


def test_who_asks_when_the_shelf_life_is_over_is_told_so() -> None:
    found = answer(at=NOON, expires=NOON)

    assert found.verdict is Verdict.EXPIRED
    assert found.decision.words() == "It was worth sending until 01 Jun 12:00, and nothing stands against it"


def test_a_slot_behind_the_shelf_life_expires_at_once_and_tells_what_was_in_the_way() -> None:
    facts = some_facts(touches=(NOON - HOUR,))

    assert answer(facts=facts, expires=NOON + 3 * HOUR).verdict is Verdict.EXPIRED
    assert answer(facts=facts, expires=NOON + 3 * HOUR + HOUR).verdict is Verdict.NOT_BEFORE
    assert (
        answer(facts=facts, expires=NOON + HOUR)
        .decision.words()
        .startswith("It was worth sending until 01 Jun 13:00, and the last touch was at 01 Jun 11:00")
    )


def test_a_pause_holds_until_the_shelf_life_is_over() -> None:
    held = answer(facts=some_facts(paused=True), expires=NOON + HOUR)

    assert (held.verdict, held.until, held.channel) == (Verdict.HELD, NOON + HOUR, EMAIL)
    assert held.decision.words() == "Paused; it goes on when somebody resumes it"
    late = answer(facts=some_facts(paused=True), at=NOON + HOUR, expires=NOON + HOUR)
    assert late.verdict is Verdict.EXPIRED
    assert "paused" in late.decision.words()


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        ((NOON - HOUR,), Verdict.GO),
        ((NOON - HOUR, NOON - 2 * HOUR), Verdict.REFUSED),
        ((NOON - HOUR, NOON - 7 * DAY), Verdict.GO),  # half-open: a week ago is out of the week
        ((NOON - HOUR, NOON + HOUR), Verdict.GO),
    ],
)
def test_the_fuse_blows_at_the_messages_own_limit(sent: tuple[datetime, ...], verdict: Verdict) -> None:
    message = a_message(limit=Limit(times=2, within=timedelta(days=7)))
    policy = a_policy(gap=timedelta(0))

    found = answer(message, some_facts(same_message=sent), policy)

    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (some_facts(), None),
        (some_facts(erased=True), "erased"),
        (some_facts(ended="converted"), "ended"),
        (some_facts(paused=True), "paused"),
        (some_facts(addressed=frozenset()), "unreachable"),
        (some_facts(suppressed={EMAIL: "dead"}), "suppressed"),
        (some_facts(consents={"email": no(NOON)}), "opted_out"),
        (some_facts(touches=(NOON,)), None),  # its own slot is taken already
    ],
)
def test_the_second_look_sees_all_that_may_have_changed(facts: SendFacts, rule: str | None) -> None:
    against = may_call(facts, a_message(), EMAIL, a_policy())

    assert (against.rule if against else None) == rule


# Consent -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([0, 1])))
@pytest.mark.parametrize(
    ("own", "everything", "counts"),
    [
        (yes(NOON), no(NOON - HOUR), "granted"),
        (yes(NOON), no(NOON + HOUR), "denied"),
        (no(NOON), yes(NOON - HOUR), "denied"),
        (no(NOON), yes(NOON + HOUR), "granted"),
        (yes(NOON), no(NOON), "denied"),
        (no(NOON), yes(NOON), "denied"),
        (yes(NOON), yes(NOON), "granted"),
    ],
)
def test_the_newest_word_counts_and_at_the_same_instant_the_no(
    own: Consent, everything: Consent, counts: str, order: tuple[int, ...]
) -> None:
    words = [("email", own), (EVERY_CHANNEL, everything)]

    found = in_force(dict(words[n] for n in order), EMAIL)

    assert found is not None
    assert found.status == counts


def test_a_word_about_one_channel_says_nothing_about_another() -> None:
    assert in_force({"sms": no(NOON)}, EMAIL) is None


@pytest.mark.parametrize(
    ("scope", "said", "acts"),
    [
        (EVERY_CHANNEL, {}, True),
        (EVERY_CHANNEL, {"email": yes(NOON - HOUR)}, True),
        (EVERY_CHANNEL, {"email": yes(NOON)}, True),
        (EVERY_CHANNEL, {"email": yes(NOON + HOUR)}, False),
        (EVERY_CHANNEL, {EVERY_CHANNEL: yes(NOON + HOUR)}, False),
        (EVERY_CHANNEL, {"email": no(NOON + HOUR)}, True),
        ("email", {"email": yes(NOON + HOUR)}, False),
        ("email", {"sms": yes(NOON + HOUR)}, True),
        ("email", {EVERY_CHANNEL: yes(NOON + HOUR)}, False),
    ],
)
def test_an_opt_out_acts_unless_a_later_yes_in_its_scope_stands_against_it(
    scope: str, said: dict[str, Consent], acts: bool
) -> None:
    assert opt_out_acts(said, scope, NOON) is acts


# Words ---------------------------------------------------------------------------------------------------------------


def test_a_sentence_is_told_in_the_language_and_zone_of_its_reader() -> None:
    decision = Decision(rule="opted_out", facts={"channels": ["email"], "at": NOON})

    assert decision.words("ru", "Europe/Moscow") == "Клиент отказался от email 01.06 15:00"
    assert decision.words("fr") == decision.words("en")


def test_a_fact_that_an_old_row_lacks_is_a_dash() -> None:
    assert Decision(rule="suppressed", facts={"channels": ["sms"]}).words().endswith("is suppressed: —")


@pytest.mark.parametrize("purpose", Purpose)
def test_a_control_group_gets_all_but_value_and_offers(purpose: Purpose) -> None:
    found = answer(a_message(purpose=purpose), some_facts(held_out=True))

    controlled = purpose in {Purpose.VALUE, Purpose.OFFER}
    assert found.verdict is (Verdict.HOLDOUT if controlled else Verdict.GO)


def test_who_cannot_be_written_to_is_in_no_control_group() -> None:
    found = answer(facts=some_facts(held_out=True, consents={"email": no(NOON)}))

    assert (found.verdict, found.decision.rule) == (Verdict.REFUSED, "opted_out")


def test_a_control_group_does_not_wait() -> None:
    touched = some_facts(held_out=True, touches=(NOON,))
    offer = a_message(purpose=Purpose.OFFER)

    assert answer(offer, touched, a_policy(values_before_offer=2)).verdict is Verdict.HOLDOUT


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("kind", Kind)
def test_whoever_is_gone_hears_only_the_last_attempts_and_what_concerns_them(purpose: Purpose, kind: Kind) -> None:
    """S50, S99."""
    found = answer(a_message(purpose=purpose), some_facts(gone=True, kind=kind))

    silent = kind is not Kind.REACTIVATION and purpose in (Purpose.VALUE, Purpose.OFFER, Purpose.FEEDBACK)
    assert (found.verdict is Verdict.REFUSED, found.decision.rule == "gone") == (silent, silent)


@pytest.mark.parametrize("kind", Kind)
def test_only_scheduled_offers_owe_value_first(kind: Kind) -> None:
    """S84: whoever is being won back had no letters that could have been of value."""
    found = answer(a_message(purpose=Purpose.OFFER), some_facts(kind=kind), a_policy(values_before_offer=2))

    assert found.verdict is (Verdict.HELD if kind is Kind.SCHEDULED else Verdict.GO)


@pytest.mark.parametrize(("quiet", "gone"), [(None, False), (179, False), (180, True)], ids=str)
def test_half_a_year_of_doing_nothing_is_gone(quiet: int | None, gone: bool) -> None:
    assert is_gone(NOON - timedelta(days=quiet) if quiet else None, NOON) is gone
