"""The contact policy: may this message go to this customer, by which channel, and when at the earliest?

Pure functions over facts that were read under the customer's lock (design 5 and 6). The numbers are in
`domain.contact_policy`; S90 (transactional messages are exempt), S96 and S99 (refusals, dead addresses, lost contacts:
whoever is gone hears nothing but the last attempts to win them back). Windows roll; there are no calendar days. The
strictest rule wins.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.contact_policy import ContactPolicy, Kind
from domain.customers import ConsentStatus, in_force, topic_refused
from domain.decisions import Decision
from domain.durations import spoken
from domain.messages import Channel, Limit, Message, Purpose
from domain.send_facts import SendFacts


class Verdict(StrEnum):
    """What the policy answers."""

    GO = "go"
    NOT_BEFORE = "not_before"
    HELD = "held"
    REFUSED = "refused"
    HOLDOUT = "holdout"
    EXPIRED = "expired"


# What a control group does without (design 6): it costs nobody a receipt, help, or their say.
CONTROLLED = frozenset({Purpose.VALUE, Purpose.OFFER})
# What nobody who is gone hears (S50, S99): all that is neither about their orders nor help with what they use.
UNASKED = CONTROLLED | {Purpose.FEEDBACK}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The policy's answer to one send: a verdict, its decision, and the channel or instant that belongs to it."""

    verdict: Verdict
    decision: Decision
    channel: Channel | None = None
    until: datetime | None = None


def in_turn(message: Message, facts: SendFacts) -> tuple[Channel, ...]:
    """The channels of a cascade: the customer's favorite first, then the message's own order; SMS always last (C1)."""
    preferred = facts.preferred
    return tuple(sorted(message.channels, key=lambda channel: (channel is Channel.SMS, channel is not preferred)))


def ask(
    message: Message, facts: SendFacts, policy: ContactPolicy, *, at: datetime, expires: datetime, send: UUID
) -> Answer:
    """Whether `message` may go at `at`. `expires` ends its shelf life; `send` seeds its jitter.

    Consent, reachability and quiet hours bind each leg of a cascade; cap and gap bind the touch, at its first leg.
    """
    if against := _against_all(message, facts, at):
        return Answer(verdict=Verdict.REFUSED, decision=against)

    channel, refusal = _channel(message, facts, policy)
    if channel is None:
        return Answer(verdict=Verdict.REFUSED, decision=refusal)

    if at >= expires:
        return _expired(expires, _holds(message, facts, policy) or Decision(rule="allowed"))
    if facts.held_out and message.purpose in CONTROLLED:
        return Answer(verdict=Verdict.HOLDOUT, decision=Decision(rule="holdout"), channel=channel)
    if held := _holds(message, facts, policy):
        return Answer(verdict=Verdict.HELD, decision=held, channel=channel, until=expires)
    if message.purpose is Purpose.TRANSACTIONAL:
        return Answer(verdict=Verdict.GO, decision=Decision(rule="allowed"), channel=channel)

    until, why = earliest(facts, policy, at=at, send=send, channel=channel)
    if why is None:
        return Answer(verdict=Verdict.GO, decision=Decision(rule="allowed"), channel=channel)
    if until >= expires:
        return _expired(expires, why)
    return Answer(verdict=Verdict.NOT_BEFORE, decision=why, channel=channel, until=until)


def may_call(facts: SendFacts, message: Message, channel: Channel, policy: ContactPolicy) -> Decision | None:
    """The second look, at claim: what has come to stand against a reserved send for good, or None."""
    if facts.erased:
        return Decision(rule="erased")
    if facts.ended:
        return Decision(rule="ended", facts={"how": facts.ended})
    if facts.paused:
        return Decision(rule="paused")
    return _seen(facts) or _refusal(channel, message, facts, policy)


def open_channels(message: Message, facts: SendFacts, policy: ContactPolicy) -> frozenset[Channel]:
    """The channels of a message that have an address and against which nothing stands for good."""
    return frozenset(channel for channel in message.channels if _refusal(channel, message, facts, policy) is None)


def must_wait(facts: SendFacts, message: Message, policy: ContactPolicy, *, at: datetime) -> bool:
    """Whether a reserved send has to ask again, however fresh its slot: the customer wants peace, or has trouble."""
    if message.purpose is Purpose.TRANSACTIONAL:
        return False
    snoozed = facts.snoozed_until is not None and facts.snoozed_until > at
    return snoozed or _holds(message, facts, policy) is not None


def earliest(
    facts: SendFacts, policy: ContactPolicy, *, at: datetime, send: UUID, channel: Channel | None = None
) -> tuple[datetime, Decision | None]:
    """The first instant from `at` that the rules about time allow, and the last rule that pushed it there."""
    slot, why = at, None
    while pushed := _pushed(slot, facts, policy, send, channel):
        slot, rule, said = pushed
        why = Decision(rule=rule, facts={**said, "until": slot})
    return slot, why


Pushed = tuple[datetime, str, dict[str, object]]


def _pushed(
    slot: datetime, facts: SendFacts, policy: ContactPolicy, send: UUID, channel: Channel | None
) -> Pushed | None:
    """The first rule that a slot breaks, and the next slot that this rule allows."""
    if facts.snoozed_until and slot < facts.snoozed_until:
        return facts.snoozed_until, "snoozed", {}
    if not facts.begun and (crowded := _crowded(slot, facts, policy, channel)):
        return crowded
    if end := policy.quiet.end_after(slot, facts.zone):
        spread = policy.jitter * (send.int % 1000) / 1000
        quiet = policy.quiet
        return (
            end + spread,
            "quiet_hours",
            {"start": quiet.start.strftime("%H:%M"), "end": quiet.end.strftime("%H:%M"), "zone": facts.zone},
        )
    return None


def _crowded(slot: datetime, facts: SendFacts, policy: ContactPolicy, channel: Channel | None) -> Pushed | None:
    """What other touches say against a slot. A touch that has begun has answered this at its first leg."""
    for touch in sorted(each.at for each in facts.touches):
        if abs(slot - touch) < policy.gap:  # both ways: a slot that is taken later also needs its distance
            return touch + policy.gap, "gap", {"last": touch, "gap": spoken(policy.gap)}
    for rule, limit, touches in _limits(facts, policy):
        if until := _cap_frees(slot, touches, limit):
            return until, rule, {"count": limit.times, "within": spoken(limit.within)}
    rest = policy.whatsapp_before_email
    for touch in sorted(each.at for each in facts.touches if each.channel is Channel.WHATSAPP):
        if channel is Channel.EMAIL and touch <= slot < touch + rest:
            return touch + rest, "whatsapp_before_email", {"last": touch, "within": spoken(rest)}
    return None


def _limits(facts: SendFacts, policy: ContactPolicy) -> Iterable[tuple[str, Limit, list[datetime]]]:
    """Every limit that binds this send, with the touches that count in it."""
    every = [touch.at for touch in facts.touches]
    if facts.frequency:
        yield f"chose_{facts.frequency.value}", policy.frequencies[facts.frequency], every
    yield "cap", policy.cap, every
    if facts.kind is Kind.TRIGGERED:
        return
    scheduled = [touch.at for touch in facts.touches if touch.kind is not Kind.TRIGGERED]
    yield "scheduled_cap", policy.scheduled_cap, scheduled
    if facts.kind is Kind.REACTIVATION:
        yield "reactivation_cap", policy.reactivation, scheduled
        return
    for audience in sorted(facts.audiences):
        yield f"cap_of_{audience.value}", policy.audiences[audience], scheduled


def _cap_frees(slot: datetime, touches: Iterable[datetime], cap: Limit) -> datetime | None:
    """When the cap admits one more, if not at `slot`. Any half-open window of `within` holds at most `times`."""
    near = sorted(t for t in touches if abs(t - slot) < cap.within)
    for first in range(len(near) - cap.times + 1):
        window = near[first : first + cap.times]
        if max(window[-1], slot) - min(window[0], slot) < cap.within:
            return window[0] + cap.within
    return None


def _against_all(message: Message, facts: SendFacts, at: datetime) -> Decision | None:
    if facts.erased:
        return Decision(rule="erased")
    if facts.ended:
        return Decision(rule="ended", facts={"how": facts.ended})
    if seen := _seen(facts):
        return seen
    if facts.gone and facts.kind is not Kind.REACTIVATION and message.purpose in UNASKED:
        return Decision(rule="gone")
    if message.offers_what_is_named and facts.offered & facts.bought:
        return Decision(rule="just_bought", facts={"products": sorted(facts.offered & facts.bought)})
    recent = sum(at - message.limit.within < sent <= at for sent in facts.same_message)
    if recent >= message.limit.times:
        return Decision(rule="fuse", facts={"count": recent, "within": spoken(message.limit.within)})
    return None


def _holds(message: Message, facts: SendFacts, policy: ContactPolicy) -> Decision | None:
    """What only an event releases: a pause; for offers an open complaint, a low score, value that is owed (S84)."""
    if facts.paused:
        return Decision(rule="paused")
    if message.purpose is not Purpose.OFFER:
        return None
    if facts.trouble:
        return Decision(rule=facts.trouble.value)
    owed = policy.values_before_offer - facts.values_since_offer
    if facts.kind is Kind.SCHEDULED and owed > 0:
        return Decision(
            rule="value_owed", facts={"count": facts.values_since_offer, "needed": policy.values_before_offer}
        )
    return None


def _channel(message: Message, facts: SendFacts, policy: ContactPolicy) -> tuple[Channel | None, Decision]:
    """The first channel that no leg has tried and nothing stands against; otherwise what stands against the first."""
    tried = {leg.channel for leg in facts.legs}
    refusals = []
    for channel in message.channels:
        if channel in tried:
            continue
        refusal = _refusal(channel, message, facts, policy)
        if refusal is None:
            return channel, Decision(rule="allowed")
        refusals.append(refusal)
    return None, refusals[0] if refusals else Decision(rule="no_other_channel")


def _seen(facts: SendFacts) -> Decision | None:
    """Whoever has seen a leg of a cascade gets no further one."""
    for leg in facts.legs:
        if leg.seen_at and leg.channel:
            return Decision(rule="seen", facts={"channel": leg.channel.value, "at": leg.seen_at})
    return None


def _refusal(channel: Channel, message: Message, facts: SendFacts, policy: ContactPolicy) -> Decision | None:
    if channel not in facts.addressed:
        return Decision(rule="unreachable", facts={"channels": [channel.value]})
    if channel in facts.suppressed:
        return Decision(rule="suppressed", facts={"channels": [channel.value], "reason": facts.suppressed[channel]})
    if channel not in policy.channels[message.purpose]:
        return Decision(rule="channel_policy", facts={"channels": [channel.value], "purpose": message.purpose.value})
    if message.purpose is Purpose.TRANSACTIONAL:
        return None
    if refused := topic_refused(facts.consents, channel, message.topic):
        return Decision(rule="topic_refused", facts={"topic": message.topic, "at": refused.at})
    consent = in_force(facts.consents, channel)
    if consent is None and channel in policy.explicit_consent:
        return Decision(rule="no_consent", facts={"channels": [channel.value]})
    if consent and consent.status is ConsentStatus.DENIED:
        return Decision(rule="opted_out", facts={"channels": [channel.value], "at": consent.at})
    return None


def _expired(expires: datetime, why: Decision) -> Answer:
    blocked = {"rule": why.rule, "facts": dict(why.facts)}
    return Answer(
        verdict=Verdict.EXPIRED, decision=Decision(rule="shelf_life", facts={"expires": expires, "blocked": blocked})
    )
