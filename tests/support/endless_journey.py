"""A journey of the tests' own that has no end: a note each day, until they have looked often enough."""

from dataclasses import dataclass

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, Outcome, Plan, days

OFTEN = 60


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """What it carries from run to run."""

    notes: int = 0
    looks: int = 0


@workflow.defn
class Trial(Journey):
    """Runs grow short, so that a test sees many."""

    plan = Plan(starts_on=("trial_started",), hears=("looked", "winked"), goal="bought", carries=Rounds)
    longest_run = 24

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        rounds: Rounds = self.carried
        while rounds.looks < OFTEN:
            if await self.wait_for("looked", within=days(1)):
                rounds = Rounds(notes=rounds.notes, looks=rounds.looks + 1)
            else:
                await self.send("note")
                rounds = Rounds(notes=rounds.notes + 1, looks=rounds.looks)
            await self.go_on(rounds)
        return Outcome.LAPSED
