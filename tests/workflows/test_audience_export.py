"""The export of audiences as a workflow: files in the folder, and details that say how many."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.testing import WorkflowEnvironment

from domain.clock import Pace
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.wiring import build
from tropa.worker import build_worker
from workflows.operations.audience_export import AudienceExport


async def test_it_writes_the_files_and_tells_how_many(
    time_skipping: WorkflowEnvironment, database_url: str, clock: SettableClock, tmp_path: Path
) -> None:
    settings = settings_for(database_url, audiences=["new_leads"], audiences_folder=tmp_path)
    house = await build(settings, clock=clock, pace=Pace(anchor=clock.now()), library=compiled())
    queue = uuid4().hex
    async with build_worker(house, time_skipping.client, task_queue=queue):
        handle = await time_skipping.client.start_workflow(AudienceExport.run, id=queue, task_queue=queue)
        files = await handle.result()
        told: Any = await handle.query("__temporal_workflow_metadata")
    await house.database.close()

    assert files == 2
    assert "2 files were written." in str(told)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new_leads.google.csv", "new_leads.meta.csv"]
