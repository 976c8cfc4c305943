"""Double opt-in: whoever has the mailbox says that it was they, before anything else comes of it (S13, S47, S91).

at once                a letter with one link, whose page shows all that waits for their yes
asked again            the letter once more; then at most after a day, and then once a week
14 days not asked      lapsed, without a word

confirmed, at any time    converted

Anybody can write anybody's address into a form. So nobody is reminded, a mailbox cannot be filled, and whoever asks
after a stranger did is answered all the same: by the letter that is there already, or by the next.
"""

from temporalio import workflow

from workflows.toolkit import Enrollment, Journey, On, Outcome, Plan, days, minutes

SOON = minutes(10)  # a form sent twice is not somebody who asks again
PAUSES = (SOON, days(1), days(7), days(7), days(7))  # behind each letter
GIVES_UP_AFTER = days(14)


@workflow.defn
class DoubleOptIn(Journey):
    plan = Plan(
        starts_on=(On("opt_in_requested", {"channel": "email"}),),
        hears=("opt_in_requested",),
        goal="opt_in_confirmed",
        priority=1,
    )

    @workflow.run
    async def run(self, enrollment: Enrollment) -> Outcome:
        for pause in PAUSES:
            await self.send("please_confirm")
            await self.wait(pause)
            if pause == SOON:
                await self._has_answered()
            if not await self.wait_for("opt_in_requested", within=GIVES_UP_AFTER):
                break
            await self._has_answered()
        return Outcome.LAPSED  # whoever asks after that begins anew

    async def _has_answered(self) -> None:
        """One letter answers all who asked before it: its page shows whatever waits."""
        while self.heard("opt_in_requested"):
            await self.wait_for("opt_in_requested", within=SOON)
