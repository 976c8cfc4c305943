"""The page of a survey (S57): it counts when it is sent, and not before. No cookie, no script.

A score tapped in the letter comes as `?score=9` and is chosen here: mail filters follow links, and people mistap.
"""

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.needs import House
from api.public.own_page import language, own_page
from api.public.wrong_link import wrong_link
from domain.errors import InvalidInput, NotFound
from domain.surveys import LONGEST_ANSWER, Answer

router = APIRouter(prefix="/s", include_in_schema=False)


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, house: House) -> Response:
    """The question, or the thanks of one who has answered. Nothing changes."""
    return await _page(token, request, house, Answer(score=_number(request.query_params.get("score"))))


@router.post("/{token}")
async def press(token: str, request: Request, house: House) -> Response:
    """Keep the answer and say thanks; an answer that is none keeps nothing, and what was written stays in the form."""
    answer = _answer(await request.form())
    try:
        await house.surveys.answer(token, answer)
    except InvalidInput:
        return await _page(token, request, house, answer, status=400)
    except NotFound:
        return wrong_link(request, house)
    return await _page(token, request, house, answer)


async def _page(token: str, request: Request, house: House, answer: Answer, *, status: int = 200) -> Response:
    try:
        asked = await house.surveys.read(token)
    except NotFound:
        return wrong_link(request, house)
    words = asked.survey.words[language(asked.locale, house)]
    said = {name: each.format(company=house.company) for name, each in words.items()}
    return own_page(
        "survey.html",
        asked.locale,
        house,
        status=status,
        survey=asked.survey,
        said=said,
        answered=asked.answered,
        incomplete=status == 400,
        answer=answer,
        longest=LONGEST_ANSWER,
    )


def _answer(form: FormData) -> Answer:
    return Answer(score=_number(form.get("score")), reason=str(form.get("reason", "")), text=str(form.get("text", "")))


def _number(said: object) -> int | None:
    """A score as a link or a form says it."""
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 3 else None
