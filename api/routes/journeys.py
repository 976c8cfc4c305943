"""Journeys: what there is, what may be set, and entering customers by hand."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import counts, experiments
from api.access import CallerHere, allowed
from api.fields import CustomerId, Strict, Words
from api.needs import House, Needs
from api.once import CommandHere
from api.problems import answers
from api.reading import CheckedRoute
from api.routes.enrollments import EnrollmentView
from domain.experiments import Experiment
from domain.journey_settings import experiment_of, holdout_of, told_starts
from domain.journeys import Declaration, Reached
from domain.messages import Channel, Purpose
from domain.options import describe

router = APIRouter(prefix="/v1/journeys", tags=["Journeys"], route_class=CheckedRoute)


class OptionView(BaseModel):
    """Something a marketer may set. `value` is what holds here now."""

    name: str = Field(examples=["basics_on_day"])
    kind: str = Field(examples=["duration"])
    value: Any = Field(examples=["2 days"])
    default: Any = Field(examples=["2 days"])
    least: Any = None
    most: Any = None
    choices: list[str] = []


class ExperimentView(BaseModel):
    """What a journey tries out. A `winner` ends it: who comes new gets that, and is not counted."""

    name: str = Field(examples=["tone"])
    weights: dict[str, int] = Field(examples=[{"plain": 1, "warm": 1}])
    winner: str | None
    exposed: dict[str, int] = Field(description="Customers who came to where the variants part.")

    @classmethod
    def of(cls, name: str, experiment: Experiment, exposed: Mapping[str, int]) -> "ExperimentView":
        """An experiment as it runs here."""
        counted = {variant: exposed.get(variant, 0) for variant in experiment.weights}
        return cls(name=name, weights=dict(experiment.weights), winner=experiment.winner or None, exposed=counted)


class JourneyView(BaseModel):
    """A journey: its plan in words, what starts and ends it, what may be set, and how many walk it."""

    name: str = Field(examples=["WelcomeChain"])
    story: str
    starts_on: list[str] = Field(examples=[["order_placed"]], description="Events, with what they must say.")
    may_start_on: list[str]
    goal: str | None = Field(examples=["activated"])
    exits: list[str]
    hears: list[str]
    about: str
    options: list[OptionView]
    experiments: list[ExperimentView]
    holdout: float = Field(description="Which share of those who enter is its control group.", examples=[0.05])
    messages: list[str]
    open: int = Field(description="Customers who walk it now.")
    endings: dict[str, int] = Field(examples=[{"converted": 12, "lapsed": 30}])

    @classmethod
    def of(
        cls,
        declaration: Declaration,
        messages: list[str],
        settings: Mapping[str, Any],
        counted: Mapping[str, int],
        exposed: Mapping[str, Mapping[str, int]],
    ) -> "JourneyView":
        """A journey as it runs here."""
        plan = declaration.plan
        options = [
            OptionView(
                name=o.name,
                kind=o.kind,
                value=settings.get(o.name, o.default),
                default=o.default,
                least=o.least,
                most=o.most,
                choices=list(o.choices),
            )
            for o in describe(plan.options)
        ]
        tried = {name: experiment_of(plan, declaration.name, settings, name) for name in plan.experiments}
        return cls(
            name=declaration.name,
            story=declaration.story,
            starts_on=told_starts(plan, settings),
            may_start_on=[str(each) for each in plan.may_start_on],
            goal=str(plan.goal) if plan.goal else None,
            exits=[str(each) for each in plan.exits],
            hears=list(plan.hears),
            about=plan.about,
            options=options,
            experiments=[ExperimentView.of(name, each, exposed.get(each.salt, {})) for name, each in tried.items()],
            holdout=holdout_of(settings),
            messages=messages,
            open=counted.get("open", 0),
            endings={state: count for state, count in counted.items() if state != "open"},
        )


class TouchpointView(BaseModel):
    """A row of the touchpoint map (S27): a message, or a person who is asked or told to act; when, and to what end."""

    stages: list[str] = Field(
        examples=[["purchase"]], description="Where what starts the journey leads customers; empty: it may be in any."
    )
    triggers: list[str] = Field(examples=[["order_placed"]], description="What starts the journey here.")
    reached: Reached = Field(description="The customer by a message, a colleague by a task, the staff by a notice.")
    name: str = Field(examples=["greeting"], description="Of the message, the task or the notice.")
    channels: list[Channel] = Field(description="In order of preference; none where it is a person's.")
    purpose: Purpose | None = Field(description="Of a message.")
    goal: str = Field(description="What the customer gains by a message; what the person is to do, in a title.")


class MapView(BaseModel):
    """A journey's touchpoints, in the order in which its code comes to them."""

    journey: str = Field(examples=["WelcomeChain"])
    touchpoints: list[TouchpointView]


class Journeys(BaseModel):
    """All journeys."""

    journeys: list[JourneyView]


class OptionsToSet(Strict):
    """Options by name; what is not named stays. `starts_on` is a list of events, `experiments` has weights of variants,
    or a winner, by experiment, `holdout` is the share of the journey's control group.
    """

    options: Annotated[
        dict[str, Any], Field(examples=[{"basics_on_day": "3 days", "starts_on": ["order_placed", "signed_up"]}])
    ]


class EnrollmentToMake(Strict):
    """Who enters, and about what (only where the journey is about one thing). `options` are for this walk alone."""

    customer_id: CustomerId
    about: Words = ""
    options: dict[str, Any] = Field(default_factory=dict, examples=[{"basics_on_day": "1 day"}])


async def views(house: Needs, connection: AsyncConnection) -> list[JourneyView]:
    """All journeys as they run here, by name."""
    settings, counted = await house.catalogue.settings(connection), await counts.enrollments(connection)
    exposed = await experiments.exposed(connection)
    messages: dict[str, list[str]] = {}
    for declaration, message in house.catalogue.messages():
        messages.setdefault(declaration.name, []).append(message.name)
    return [
        JourneyView.of(
            each, messages.get(each.name, []), settings.get(each.name, {}), counted.get(each.name, {}), exposed
        )
        for each in house.catalogue.journeys()
    ]


async def _view(house: House, connection: AsyncConnection, journey: str) -> JourneyView:
    house.catalogue.journey(journey)
    return next(view for view in await views(house, connection) if view.name == journey)


@router.get("", dependencies=[allowed("journeys:read")], responses=answers(), summary="Which journeys are there?")
async def list_journeys(house: House) -> Journeys:
    """Every journey with its plan in words, what may be set, and how many customers walk it or have ended it."""
    async with house.database.transaction() as connection:
        return Journeys(journeys=await views(house, connection))


@router.get("/{journey}", dependencies=[allowed("journeys:read")], responses=answers(404), summary="One journey")
async def read_journey(journey: str, house: House) -> JourneyView:
    """One journey, by its name."""
    async with house.database.transaction() as connection:
        return await _view(house, connection, journey)


@router.get(
    "/{journey}/map", dependencies=[allowed("journeys:read")], responses=answers(404), summary="A journey's touchpoints"
)
async def read_map(journey: str, house: House) -> MapView:
    """Whom it reaches, in order: each message, task and notice with stage, trigger, channels, purpose and goal."""
    async with house.database.transaction() as connection:
        settings = (await house.catalogue.settings(connection)).get(journey, {})
    rows = [
        TouchpointView(
            stages=list(each.stages),
            triggers=[str(trigger) for trigger in each.triggers],
            reached=each.reached,
            name=each.name,
            channels=list(each.channels),
            purpose=each.purpose,
            goal=each.goal,
        )
        for each in house.catalogue.touchpoints(journey, settings)
    ]
    return MapView(journey=journey, touchpoints=rows)


@router.patch(
    "/{journey}",
    dependencies=[allowed("journeys:write")],
    responses={200: {"model": JourneyView}, **answers(400, 404, 422)},
    response_class=Response,
    summary="Set a journey's options",
)
async def set_options(
    journey: str, body: OptionsToSet, house: House, who: CallerHere, command: CommandHere
) -> Response:
    """For everybody who enters from now on. Who is inside goes on as they began."""

    async def change(connection: AsyncConnection) -> JourneyView:
        await house.catalogue.set_options(connection, journey, body.options, actor=who)
        return await _view(house, connection, journey)

    return await command.do(change)


@router.post(
    "/{journey}/enrollments",
    status_code=201,
    dependencies=[allowed("journeys:write")],
    responses={201: {"model": EnrollmentView}, **answers(400, 404, 409, 422)},
    response_class=Response,
    summary="Enter a customer by hand",
)
async def enroll(journey: str, body: EnrollmentToMake, house: House, who: CallerHere, command: CommandHere) -> Response:
    """Starts the journey for one customer now. 409 says why not: already walking it, walked before, opted out …"""

    async def enter(connection: AsyncConnection) -> EnrollmentView:
        row = await house.enrolling.enroll(
            connection, journey, body.customer_id, about=body.about, options=body.options, actor=who
        )
        return await EnrollmentView.read(connection, row)

    return await command.do(enter, status=201, location="/v1/enrollments/{id}")
