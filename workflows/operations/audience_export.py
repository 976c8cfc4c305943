"""The audiences for ads that the settings name, written anew: a schedule of its own starts it (S62)."""

from temporalio import workflow

from activities.audiences import AudienceActivities
from workflows.operations.patience import EVERYBODY


@workflow.defn
class AudienceExport:
    """Writes each file in one step: whoever fetches one has all of it, of one moment."""

    @workflow.run
    async def run(self) -> int:
        workflow.set_current_details("**Now:** writing files. The activity's heartbeat says which.")
        files: int = await workflow.execute_activity_method(
            AudienceActivities.write_audiences,
            summary="audiences for ads",
            **EVERYBODY,
        )
        workflow.set_current_details(f"{files} files were written.")
        return files
