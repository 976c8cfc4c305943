"""The daily sweep: a schedule starts it, one activity does it, and whoever dies is followed by another worker."""

from temporalio import workflow

from activities.sweeping import SweepingActivities
from domain.sweep import Swept
from workflows.operations.patience import EVERYBODY


@workflow.defn
class DailySweep:
    """Finds what time has done to customers, once a day of business time."""

    @workflow.run
    async def run(self) -> Swept:
        workflow.set_current_details("**Now:** looking at everybody. The activity's heartbeat says how far it is.")
        swept: Swept = await workflow.execute_activity_method(
            SweepingActivities.sweep,
            summary="who fell silent, birthdays, RFM",
            **EVERYBODY,
        )
        workflow.set_current_details(swept.words())
        return swept
