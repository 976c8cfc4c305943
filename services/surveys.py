"""Surveys: what a link asks, and the one answer that each send gets."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping

from adapters.database import surveys
from adapters.database.connection import Database
from adapters.database.events import told_once
from adapters.links import Links
from domain.clock import Clock
from domain.errors import InvalidInput, NotFound
from domain.surveys import LONGEST_ANSWER, SURVEY_ANSWERED, Answer, Survey
from services.catalogue import Catalogue
from services.ingest import Ingest

SOURCE = "survey page"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody is asked, in which language, and whether they have answered."""

    survey: Survey
    locale: str | None
    answered: bool


class Surveys:
    """Reads links to surveys, and takes answers. The first answer to a send counts; another changes nothing."""

    def __init__(self, database: Database, clock: Clock, links: Links, ingest: Ingest, catalogue: Catalogue) -> None:
        self._database, self._clock, self._links = database, clock, links
        self._ingest, self._catalogue = ingest, catalogue

    async def read(self, token: str) -> Asked:
        """What is asked. Changes nothing. Raises NotFound."""
        _, _, asked = await self._find(token)
        return asked

    async def answer(self, token: str, answer: Answer) -> None:
        """Keep an answer as an event, with its text. Raises NotFound, and InvalidInput for what is no answer."""
        send, row, asked = await self._find(token)
        if not asked.survey.takes(answer):
            raise InvalidInput([f"the survey {asked.survey.name} takes no such answer"])
        if asked.answered:
            return
        said = {
            "survey": asked.survey.name,
            "score": answer.score,
            "reason": answer.reason or None,
            "text": answer.text.replace("\x00", "").strip()[:LONGEST_ANSWER] or None,
            "send": str(send),
            "journey": row["journey"],
            "message": row["message"],
        }
        event = told_once(
            _event_id(send),
            customer_id=row["customer_id"],
            name=SURVEY_ANSWERED,
            at=self._clock.now(),
            source=SOURCE,
            about=row["about"],
            properties={name: value for name, value in said.items() if value is not None},
        )
        await self._ingest.accept([event])

    async def _find(self, token: str) -> tuple[UUID, RowMapping, Asked]:
        send = self._links.read_survey(token)
        async with self._database.transaction() as connection:
            row = await surveys.asked(connection, send, _event_id(send))
        if row is None or row["erased_at"]:
            raise NotFound("link", token[:12])
        survey = self._catalogue.survey(self._catalogue.message(row["journey"], row["message"]).survey)
        return send, row, Asked(survey=survey, locale=row["locale"], answered=row["answered"])


def _event_id(send: UUID) -> str:
    return f"survey:{send}"
