"""How much processor time PostgreSQL used: on a shared machine that says more than the clock."""

import contextlib
import os
from pathlib import Path


class Processor:
    """Processor time of the server whose data are under a folder. On Linux alone; elsewhere it is 0."""

    def __init__(self, home: Path) -> None:
        self._server = int(next(home.rglob("postmaster.pid")).read_text().split()[0])

    def used(self) -> float:
        """Seconds so far, of all the server's processes, those that have ended among them."""
        ticks = 0
        for each in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                process, fields = int(each.parent.name), each.read_text().rpartition(")")[2].split()
                if process == self._server:
                    ticks += sum(map(int, fields[11:15]))  # with those of its children that it has waited for
                elif int(fields[1]) == self._server:
                    ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")
