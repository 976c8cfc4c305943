"""`make kills`: a worker is killed at each of twelve points of a send, twenty times each (KILLS=n times).

No provider may take a message twice, every send must come to a named end by itself, and what nobody knew must be
found out. Then workers freeze in the middle, and deliberate bugs are planted, each of which the same judge must find.
All figures are in .kills/report.json. Exit code 0 when all is as promised.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.messages import Channel
from tests.kills.bugs import Bug
from tests.kills.freezing import freeze_before_the_call, freeze_in_the_call
from tests.kills.ground import Ground, prepared
from tests.kills.points import Point
from tests.kills.storm import Kill, problems, storm, table
from tropa.embedded.ports import free_port
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.temporal import EmbeddedTemporal
from tropa.leaving import leave
from tropa.migrate import migrate

REPORT, LOG = Path(".kills/report.json"), Path(".kills/workers.log")
TIMES = int(os.environ.get("KILLS") or 20)
LANES = 2  # storms side by side, each on a database of its own
FROZEN = 50  # sends; a worker has no more at a time
PACE = 15.0  # the fifteen minutes after which a text is known not to have arrived are one
HURRIED_PACE, HURRY = 300.0, 3.0


@dataclass
class Servers:
    """PostgreSQL and Temporal, and a folder."""

    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    folder: Path
    databases: int = 0

    @contextlib.asynccontextmanager
    async def ground(self, pace: float, hurry: float | None = None) -> AsyncIterator[Ground]:
        """New ground on a database of its own."""
        self.databases += 1
        name = f"kills_{self.databases}"
        self.postgres.create_database(name, "template")
        url, templates = self.postgres.url(name), self.folder / name
        async with prepared(url, self.temporal.address, templates, LOG.resolve(), pace=pace, hurry=hurry) as ground:
            yield ground


async def all_points(servers: Servers) -> tuple[dict[str, Any], list[str]]:
    """The storm, with production's own timeouts."""

    async def lane(number: int) -> list[Kill]:
        times = len(range(number, TIMES, LANES))
        async with servers.ground(PACE) as ground:
            points = [point for point in Point for _ in range(times)]
            texts = zip(points, await ground.settle_people(len(points)), strict=True)
            letters = zip([Point.TAKEN] * times, await ground.settle_people(times, Channel.EMAIL), strict=True)
            return await storm(ground, [*texts, *letters], within=240)

    kills = [kill for lane_ in await asyncio.gather(*map(lane, range(LANES))) for kill in lane_]
    lines = table(kills)
    print(f"{'killed when':<56} kills  taken  twice  unknown  found out  recovered in (median, longest)")
    for line in lines:
        by_mail = ", by mail" if line["point"].endswith("mail") else ""
        print(
            f"{line['words'] + by_mail:<56} {line['kills']:>5}  {line['taken']:>5}  {line['twice']:>5}"
            f"  {line['unknown']:>7}  {line['found_out']:>9}  {line['median_seconds']} s, {line['longest_seconds']} s"
        )
    return {"points": lines}, problems(kills)


async def frozen(servers: Servers) -> tuple[dict[str, Any], list[str]]:
    """F47 and F48."""
    async with servers.ground(PACE, HURRY) as ground:
        before = await freeze_before_the_call(ground, FROZEN)
        within = {
            point: await freeze_in_the_call(ground, FROZEN // 2, point) for point in (Point.CALLING, Point.ANSWERED)
        }
    broken = [f"F47, called after an opt-out: {fate}" for fate in before if fate.taken or not fate.right]
    for point, fates in within.items():
        broken += [
            f"F48, frozen when {point.value.words}: {fate}" for fate in fates if len(fate.taken) != 1 or not fate.right
        ]
    figures = {
        "F47": {"frozen": len(before), "taken": sum(len(fate.taken) for fate in before)},
        **{
            f"F48 {p.name.lower()}": {"frozen": len(f), "taken": sum(len(e.taken) for e in f)}
            for p, f in within.items()
        },
    }
    for name, each in figures.items():
        print(f"{name}: {each['frozen']} sends frozen, {each['taken']} taken")
    return figures, broken


async def planted(servers: Servers) -> tuple[dict[str, Any], list[str]]:
    """Bugs that must be found."""
    found: dict[str, Any] = {}
    for bug in Bug:
        async with servers.ground(HURRIED_PACE, HURRY) as ground:
            if bug is Bug.NO_HURRY:
                fates = await freeze_before_the_call(ground, 5, bug)
                found[bug.value] = [str(fate) for fate in fates if fate.taken]
                continue
            if bug is Bug.OWN_IDS:
                await ground.forget_the_unique_key()
            people = await ground.settle_people(4)
            strikes = zip([Point.TAKEN, Point.TAKEN, Point.ANSWERED, Point.ANSWERED], people, strict=True)
            found[bug.value] = problems(await storm(ground, list(strikes), within=15, bug=bug))
    for bug_, what in found.items():
        print(f"planted: {bug_}: {'found' if what else 'NOT FOUND'}")
    return found, [f"a planted bug was not found: {bug_}" for bug_, what in found.items() if not what]


async def main(servers: Servers) -> bool:
    """Everything. Answers whether all is as promised."""
    began, report, broken = time.monotonic(), dict[str, Any](), list[str]()
    REPORT.parent.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    for act in (all_points, frozen, planted):
        try:
            report[act.__name__], wrong = await act(servers)
        except Exception as error:  # what the other acts found is worth knowing all the same
            wrong = [f"{act.__name__} could not be judged: {type(error).__name__}: {error}"]
        broken += wrong
        report |= {"problems": broken, "seconds": round(time.monotonic() - began)}
        REPORT.write_text(json.dumps(report, indent=2))
    for problem in broken:
        print(f"BROKEN: {problem}")
    print(f"{'NOT as promised' if broken else 'All as promised'}, {report['seconds']} s; figures in {REPORT}")
    return not broken


def run() -> bool:
    """Servers, then everything."""
    with tempfile.TemporaryDirectory(prefix="tropa-kills-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root the server runs as another user
        postgres = EmbeddedPostgres(folder)
        temporal = EmbeddedTemporal(folder / "temporal", free_port(), free_port(), in_memory=True)
        try:
            postgres.ensure()
            temporal.start()
            postgres.create_database("template")
            migrate(postgres.url("template"))
            return asyncio.run(main(Servers(postgres, temporal, folder)))
        finally:
            temporal.stop()
            postgres.stop()


if __name__ == "__main__":
    leave(0 if run() else 1)
