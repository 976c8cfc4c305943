"""The contact policy for marketers: read it, change it in a form, see what that would change, put it in force."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from api.console.pages import console_page
from api.console.policy_form import GROUPS, IN, Filled
from api.console.policy_problems import in_words
from api.console.policy_words import WORDS, rule_in_words
from api.console.session import Language, Spoken, staff, who
from api.needs import House, Needs
from api.routes.contact_policy import PolicyBody
from domain.errors import Conflict, InvalidInput
from domain.messages import Channel, Purpose
from services.audit import Actor
from services.policies import PolicyNow
from services.policy_preview import MOST, Preview, Week, preview

SCOPE = "policy:write"
DAYS = 7

router = APIRouter(prefix="/console/contact-policy", include_in_schema=False)
Author = Annotated[Actor | None, Depends(who(SCOPE))]
"""Who may put a policy in force; None for those who only look."""


@router.get("", dependencies=[staff])
async def show(request: Request, house: House, lang: Spoken, author: Author, saved: bool = False) -> Response:
    """What is in force, in a form."""
    async with house.database.transaction() as connection:
        now = await house.policies.now(connection)
    return _page(request, house, lang, author, now, Filled.of(now.policy), saved=saved)


@router.post("", dependencies=[staff])
async def look(request: Request, house: House, lang: Spoken, author: Author) -> Response:
    """What the form would change. Changes nothing."""
    filled = Filled.read(await request.form())
    async with house.database.transaction() as connection:
        now = await house.policies.now(connection)
        try:
            body = filled.body()
            policy = body.policy()
        except InvalidInput as error:
            return _page(request, house, lang, author, now, filled, status=422, problems=in_words(error.problems, lang))
        seen = await preview(connection, now.policy, policy, at=house.clock.now(), zone=house.zone)
    effect = {"seen": seen, "same": policy == now.policy, "body": body.model_dump_json(), "most": MOST}
    shown = {**effect, "rules": _rules(seen, lang), "days": _days(seen)}
    return _page(request, house, lang, author, now, filled, effect=shown)


@router.post("/save", dependencies=[staff])
async def save(request: Request, house: House, lang: Spoken, author: Author) -> Response:
    """Put in force what was looked at, unless somebody set another policy meanwhile."""
    form = await request.form()
    async with house.database.transaction() as connection:
        now = await house.policies.now(connection)
        if author is None:
            return _page(request, house, lang, author, now, Filled.of(now.policy), status=403)
        try:
            policy = PolicyBody.model_validate_json(str(form.get("policy"))).policy()
            over = int(str(form.get("version")))
        except (ValidationError, ValueError, InvalidInput):  # no page of ours says such a thing
            return RedirectResponse("/console/contact-policy", 303)
        try:
            await house.policies.set(connection, policy, actor=author, over=over)
        except Conflict:
            problems = [WORDS[lang]["conflict"]]
            return _page(request, house, lang, author, now, Filled.of(policy), status=409, problems=problems)
    return RedirectResponse("/console/contact-policy?saved=true", 303)


def _page(
    request: Request,
    house: Needs,
    lang: Language,
    author: Actor | None,
    now: PolicyNow,
    filled: Filled,
    *,
    status: int = 200,
    **more: Any,
) -> Response:
    context: dict[str, Any] = {"problems": (), "effect": None, "saved": False, **more}
    return console_page(
        "contact_policy.html",
        request,
        lang,
        status=status,
        says=WORDS[lang],
        now=now,
        form=filled,
        groups=GROUPS,
        units=IN,
        channels=list(Channel),
        purposes=list(Purpose),
        may_save=author is not None,
        zone=house.zone,
        **context,
    )


def _rules(seen: Preview, lang: Language) -> list[tuple[str, int, int]]:
    """Why messages wait, in words, in force and then; the most frequent first."""
    both = seen.now.rules + seen.then.rules
    return [(rule_in_words(rule, lang), seen.now.rules[rule], seen.then.rules[rule]) for rule, _ in both.most_common()]


def _days(seen: Preview) -> list[tuple[int, int]]:
    """Messages by day, in force and then; the last are those after the week."""
    return list(zip(*(_by_day(week) for week in (seen.now, seen.then)), strict=True))


def _by_day(week: Week) -> list[int]:
    return [*week.days[:DAYS], sum(week.days[DAYS:])]
