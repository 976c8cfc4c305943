"""The contact policy: what this installation allows itself, for marketers to read, try out and set."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from api.access import CallerHere, allowed
from api.fields import Strict
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.contact_policy import ContactPolicy
from domain.customers import Audience, Frequency
from domain.durations import parse_duration, spoken
from domain.errors import InvalidInput
from domain.messages import Channel, Limit, Purpose
from domain.quiet_hours import QuietHours
from services.policies import PolicyNow
from services.policy_preview import Preview, Week, preview

router = APIRouter(prefix="/v1/contact-policy", tags=["Contact policy"], route_class=CheckedRoute)

Duration = Annotated[str, Field(max_length=40, examples=["4 hours"])]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["21:00"])]
Loose = Field(strict=False)


class LimitBody(Strict):
    """At most `times` within any stretch of `within`."""

    times: int = Field(examples=[2])
    within: Duration


class QuietBody(Strict):
    """Hours without marketing, by the customer's own clock."""

    start: WallTime
    end: WallTime


class PolicyBody(Strict):
    """The whole policy: read it, change what you want changed, and put it back."""

    cap: LimitBody = Field(description="Touches over all channels.")
    scheduled_cap: LimitBody = Field(description="Those of scheduled journeys among them.")
    gap: Duration = Field(description="Between two touches.")
    quiet: QuietBody
    jitter: Duration = Field(description="Over which releases at the end of quiet hours are spread.")
    whatsapp_before_email: Duration = Field(description="After a WhatsApp message, no email for so long.")
    audiences: dict[Annotated[Audience, Loose], LimitBody] = Field(
        description="Of scheduled journeys, by who they are."
    )
    reactivation: LimitBody = Field(description="In place of the audiences' limits while winning somebody back.")
    frequencies: dict[Annotated[Frequency, Loose], LimitBody] = Field(description="What a customer may choose.")
    values_before_offer: int = Field(description="Useful messages that a scheduled offer needs since the last offer.")
    just_bought_within: Duration = Field(description="What was bought so recently is not offered.")
    explicit_consent: list[Annotated[Channel, Loose]] = Field(description="Channels that need a recorded yes.")
    channels: dict[Annotated[Purpose, Loose], list[Annotated[Channel, Loose]]] = Field(
        description="Which channels a purpose may use."
    )
    holdout: float = Field(
        default=0.0,
        examples=[0.05],
        description="The share of customers who get nothing of value and no offer, to compare with.",
    )

    @classmethod
    def of(cls, policy: ContactPolicy) -> "PolicyBody":
        """A policy in words."""
        return cls.model_validate(
            {
                "cap": _limit(policy.cap),
                "scheduled_cap": _limit(policy.scheduled_cap),
                "gap": spoken(policy.gap),
                "quiet": {"start": f"{policy.quiet.start:%H:%M}", "end": f"{policy.quiet.end:%H:%M}"},
                "jitter": spoken(policy.jitter),
                "whatsapp_before_email": spoken(policy.whatsapp_before_email),
                "audiences": {audience: _limit(limit) for audience, limit in policy.audiences.items()},
                "reactivation": _limit(policy.reactivation),
                "frequencies": {frequency: _limit(limit) for frequency, limit in policy.frequencies.items()},
                "values_before_offer": policy.values_before_offer,
                "just_bought_within": spoken(policy.just_bought_within),
                "explicit_consent": sorted(policy.explicit_consent),
                "holdout": policy.holdout,
                "channels": {purpose: sorted(channels) for purpose, channels in policy.channels.items()},
            }
        )

    def policy(self) -> ContactPolicy:
        """What it means. Raises InvalidInput naming every field that cannot be."""
        read = _Reader()
        given: dict[str, Any] = {
            "cap": read.limit("cap", self.cap),
            "scheduled_cap": read.limit("scheduled_cap", self.scheduled_cap),
            "gap": read.duration("gap", self.gap),
            "quiet": QuietHours(start=time.fromisoformat(self.quiet.start), end=time.fromisoformat(self.quiet.end)),
            "jitter": read.duration("jitter", self.jitter),
            "whatsapp_before_email": read.duration("whatsapp_before_email", self.whatsapp_before_email),
            "audiences": {a: read.limit(f"audiences.{a}", limit) for a, limit in self.audiences.items()},
            "reactivation": read.limit("reactivation", self.reactivation),
            "frequencies": {f: read.limit(f"frequencies.{f}", limit) for f, limit in self.frequencies.items()},
            "values_before_offer": self.values_before_offer,
            "just_bought_within": read.duration("just_bought_within", self.just_bought_within),
            "explicit_consent": frozenset(self.explicit_consent),
            "holdout": self.holdout,
            "channels": {purpose: frozenset(channels) for purpose, channels in self.channels.items()},
        }
        if read.problems:
            raise InvalidInput(read.problems)
        return ContactPolicy(**given)


class _Reader:
    """Reads durations, and remembers those that are none."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def duration(self, name: str, words: str) -> timedelta:
        try:
            return parse_duration(words)
        except InvalidInput as error:
            self.problems += [f"{name}: {problem}" for problem in error.problems]
            return timedelta(0)

    def limit(self, name: str, body: LimitBody) -> Limit:
        return Limit(times=body.times, within=self.duration(f"{name}.within", body.within))


def _limit(limit: Limit) -> Mapping[str, object]:
    return {"times": limit.times, "within": spoken(limit.within)}


class PolicyView(BaseModel):
    """The policy in force, and who set it when. Version 0 are Tropa's own defaults."""

    version: int
    set_at: datetime | None
    set_by: str
    policy: PolicyBody

    @classmethod
    def of(cls, now: PolicyNow) -> "PolicyView":
        """What is in force."""
        return cls(version=now.version, set_at=now.at, set_by=now.actor, policy=PolicyBody.of(now.policy))


class WeekView(BaseModel):
    """A week of messages under one policy. `days` counts those that go, by day; `rules` why others wait."""

    at_once: int
    later: int
    too_late: int
    rules: dict[str, int]
    days: list[int]

    @classmethod
    def of(cls, week: Week) -> "WeekView":
        """A week."""
        rules = dict(week.rules.most_common())
        return cls(at_once=week.at_once, later=week.later, too_late=week.too_late, rules=rules, days=week.days)


class PreviewView(BaseModel):
    """The last seven days' messages, played again under the policy in force and under yours."""

    messages: int
    whole: bool = Field(description="False when there were too many to look at all.")
    in_force: WeekView
    yours: WeekView

    @classmethod
    def of(cls, seen: Preview) -> "PreviewView":
        """What was seen."""
        return cls(
            messages=seen.messages, whole=seen.whole, in_force=WeekView.of(seen.now), yours=WeekView.of(seen.then)
        )


@router.get("", dependencies=[allowed("policy:read")], responses=answers(), summary="What do we allow ourselves?")
async def read_policy(house: House) -> PolicyView:
    """Limits, quiet hours, channels by purpose, and who set them when."""
    async with house.database.transaction() as connection:
        return PolicyView.of(await house.policies.now(connection))


@router.put(
    "",
    dependencies=[allowed("policy:write")],
    responses=answers(400, 409, 422),
    summary="Set the contact policy",
)
async def set_policy(
    body: PolicyBody,
    house: House,
    who: CallerHere,
    over: Annotated[
        int | None,
        Header(alias="If-Match", description="The version you read: refused when somebody set another meanwhile."),
    ] = None,
) -> PolicyView:
    """Binds every message from the next one on. Messages that wait are asked again when their time comes."""
    policy = body.policy()
    async with house.database.transaction() as connection:
        return PolicyView.of(await house.policies.set(connection, policy, actor=who, over=over))


@router.post(
    "/preview",
    dependencies=[allowed("policy:read")],
    responses=answers(400, 422),
    summary="What would another policy change?",
)
async def preview_policy(body: PolicyBody, house: House) -> PreviewView:
    """Plays the last seven days again, as a picture of the next seven. Changes nothing."""
    policy = body.policy()
    async with house.database.transaction() as connection:
        current = await house.policies.in_force(connection)
        return PreviewView.of(await preview(connection, current, policy, at=house.clock.now(), zone=house.zone))
