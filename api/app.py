"""The app: routes, what stands before them, and its documentation."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api import problems
from api.console import bulks as bulks_page
from api.console import contact_policy as policy_page
from api.console import journeys as journeys_page
from api.console import pages as console
from api.console import segments as segments_page
from api.console import tasks as tasks_page
from api.console.session import SignInFirst
from api.limits import BodyLimit, PlainAddress, SafeHeaders
from api.measuring import Measure, Meters
from api.needs import Needs
from api.public import confirm, docs, forms, push, survey, tracking, unsubscribe, visits
from api.public import in_app as notices_for_browsers
from api.public import preferences as preference_center
from api.routes import (
    addresses,
    audiences,
    audit,
    bulks,
    codes,
    companies,
    contact_policy,
    customers,
    deals,
    decisions,
    enrollments,
    events,
    health,
    imports,
    in_app,
    journeys,
    messages,
    notes,
    offers,
    preferences,
    products,
    rfm,
    rights,
    segments,
    stages,
    tasks,
    webhooks,
)
from api.webhooks import email, telegram, twilio

STATIC = Path(__file__).parent / "static"
VERSION = "1"

TAGS = [
    {"name": "Events", "description": "Tell Tropa what customers did. Journeys start, adapt and end by it."},
    {"name": "Customers", "description": "Who they are, what they allowed, and why they got what they got."},
    {"name": "Tasks", "description": "What people are to do about customers, by when, and how it ended."},
    {"name": "Deals", "description": "Where a deal stands; journeys start and end by what becomes of it."},
    {"name": "Companies", "description": "Several people decide: who they are, and their story as one."},
    {"name": "Journeys", "description": "The plans: what they say, what you may set, who walks them."},
    {"name": "Segments", "description": "Which customers belong together, as rules that you may write."},
    {"name": "Contact policy", "description": "What you allow yourselves: limits, quiet hours, channels by purpose."},
    {"name": "Enrollments", "description": "One customer's walk through one journey: look, pause, resume, end."},
    {"name": "Enrolling many", "description": "Thousands at once: who would enter, first; then so many a second."},
    {"name": "Imports", "description": "Customers, events and orders from CSV files. History: it starts nothing."},
    {"name": "Exports", "description": "Segments as lists for people, and hashed for ads."},
    {"name": "Messages", "description": "What journeys can say, and how it looks."},
    {"name": "Shop", "description": "Products that messages may list, offers, and the codes that customers get."},
    {"name": "Webhooks", "description": "Other systems that are told what happens here."},
    {"name": "Audit", "description": "Who changed what, and when."},
    {"name": "Visitors", "description": "What the script on your site tells, before anybody has a name."},
    {"name": "Health", "description": "For whoever runs the machines."},
]
DESCRIPTION = """Customer journeys that walk beside each customer.

Send **events**, keep **customers** up to date, and set what **journeys** do. Every error is a problem document
(RFC 9457) that names the fields that are wrong. Instants are RFC 3339 with a time zone; durations are words, such as
"2 days". Every POST under customers, tasks and bulks, and every POST and PATCH under journeys and enrollments, takes an
`Idempotency-Key`, so that it may be repeated safely; an import may be repeated without one.
"""


def create_app(needs: Needs) -> FastAPI:
    """The whole HTTP part, on what it needs of the house."""
    meters = Meters()
    app = FastAPI(
        title="Tropa",
        version=VERSION,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # they are ours: see Measure
        middleware=[
            Middleware(Measure, meters=meters),
            Middleware(SafeHeaders),
            Middleware(PlainAddress),
            Middleware(BodyLimit),
        ],
    )
    app.state.needs, app.state.meters = needs, meters
    problems.install(app)
    app.add_exception_handler(SignInFirst, _to_sign_in)
    told = (
        events,
        customers,
        stages,
        preferences,
        decisions,
        addresses,
        in_app,
        notes,
        rights,
        rfm,
        tasks,
        deals,
        companies,
        segments,
        contact_policy,
        journeys,
        enrollments,
        bulks,
        imports,
        audiences,
        messages,
        products,
        offers,
        codes,
        webhooks,
        audit,
        visits,
        health,
    )
    for_people = (docs, unsubscribe, preference_center, confirm, survey, forms, tracking, push, notices_for_browsers)
    for part in (
        *told,
        console,
        policy_page,
        journeys_page,
        tasks_page,
        bulks_page,
        segments_page,
        *for_people,
        twilio,
        telegram,
        email,
    ):
        app.router.routes += part.router.routes  # as they are: an included router matches each request twice
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


async def _to_sign_in(request: Request, error: Exception) -> Response:
    return RedirectResponse("/console/sign-in", 303)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
        )
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas |= (
            events.SCHEMAS | products.SCHEMAS | visits.SCHEMAS | {"Problem": problems.Problem.model_json_schema()}
        )
        app.openapi_schema = schema
    return app.openapi_schema
