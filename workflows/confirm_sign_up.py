"""Confirm sign-up: whoever has the mailbox says that the form was theirs, before anything else comes of it (S13, S47).

at once       a letter with the link, which also leads to what the form promised
sent again    within two days by somebody who did not get it: the letter once more, and not a third time
day 2         lapsed, and nothing more is sent

confirmed, at any time    converted
"""

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, On, Outcome, Plan, days


@workflow.defn
class ConfirmSignUp(Journey):
    plan = Plan(
        about="form",
        starts_on=(On("form_submitted", {"confirm": True}),),
        hears=("form_submitted",),
        goal="form_confirmed",
        priority=1,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        await self.send("was_it_you")
        if await self.wait_for("form_submitted", within=days(2)):
            await self.send("was_it_you")
            await self.wait(days(2))
        return Outcome.LAPSED
