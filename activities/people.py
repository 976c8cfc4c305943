"""What a walk asks of people and of the CRM: a task, a word to the staff, facts for the CRM. Never the customer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import activity

from domain.journeys import Outcome


@dataclass(frozen=True, kw_only=True)
class TaskRequest:
    """A task for a person. Its words are in `templates/tasks/<journey>/<name>.toml`."""

    enrollment: str
    customer: str
    name: str
    visit: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class TellRequest:
    """A word to the staff. It is in `templates/notices/<journey>/<name>.toml`."""

    enrollment: str
    customer: str
    name: str
    visit: int


@dataclass(frozen=True, kw_only=True)
class CrmRequest:
    """Facts for the CRM: the stage, how the journey ended, and a task of this walk by its name and visit."""

    enrollment: str
    customer: str
    visit: int
    stage: str = ""
    outcome: Outcome | None = None
    task: str = ""
    task_visit: int = 0


class People(Protocol):
    """What these activities need. See `services.people.People`."""

    async def create_task(self, request: TaskRequest, *, started: datetime, run: str) -> None:
        """Create a task, once."""
        ...

    async def tell(self, request: TellRequest, *, started: datetime, run: str) -> None:
        """Tell the staff, once."""
        ...

    async def update_crm(self, request: CrmRequest, *, started: datetime, run: str) -> None:
        """Keep facts for the CRM, once."""
        ...


class PeopleActivities:
    """Idempotent, short, and free of names and addresses."""

    def __init__(self, people: People) -> None:
        self._people = people

    @activity.defn
    async def create_task(self, request: TaskRequest) -> None:
        """Ask a person to act, once per (enrollment, task, visit)."""
        info = activity.info()
        await self._people.create_task(request, started=info.started_time, run=info.workflow_run_id or "")

    @activity.defn
    async def tell(self, request: TellRequest) -> None:
        """Tell the staff, once per (enrollment, notice, visit)."""
        info = activity.info()
        await self._people.tell(request, started=info.started_time, run=info.workflow_run_id or "")

    @activity.defn
    async def update_crm(self, request: CrmRequest) -> None:
        """Keep facts for the CRM, once per (enrollment, visit). It is told in its own time: a walk waits for no CRM."""
        info = activity.info()
        await self._people.update_crm(request, started=info.started_time, run=info.workflow_run_id or "")
