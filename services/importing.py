"""Imports: what a file says, stored row by row in batches. It is history: it starts nothing (design 4.7).

The same file may come again: what was stored is known by its content, and counts once.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from adapters.database import imports
from adapters.database.connection import Database
from adapters.database.events import NewEvent
from domain.clock import Clock
from domain.imports import Kind
from services import audit
from services.audit import Actor
from services.importing_customers import CustomerRow, ImportedCustomers, Problem, Stored
from services.intake import Intake

BATCH = 1000
CUSTOMERS_AT_ONCE = 500  # their locks are held together
MOST_PROBLEMS = 10_000  # that are kept; all are counted

TAKEN = Problem(field="event_id", words="this id was stored before with other content; an id names one thing for ever")
REFUSED = Problem(field="row", words="cannot be stored")


@dataclass(frozen=True, kw_only=True)
class Read:
    """One row as it was read: what it says, or what is wrong with it."""

    line: int
    says: NewEvent | CustomerRow | None = None
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How far an import is: rows read, stored, known from before, and wrong."""

    rows: int = 0
    stored: int = 0
    known: int = 0
    wrong: int = 0


Watch = Callable[[Counts], None]


@dataclass
class _Tally:
    """What becomes of one batch."""

    stored: int = 0
    known: int = 0
    wrong: list[tuple[int, Problem]] = field(default_factory=list)


class Importing:
    """Stores what files say. `intake` belongs to the event loop that this runs in."""

    def __init__(self, database: Database, clock: Clock, intake: Intake, people: ImportedCustomers) -> None:
        self._database, self._clock, self._intake, self._people = database, clock, intake, people

    async def run(self, kind: Kind, rows: AsyncIterator[Read], *, actor: Actor, watch: Watch = lambda _: None) -> str:
        """Store all rows that can be. Answers the import's id; `watch` hears of each batch.

        When it breaks off, what was stored stays, and the same file may come again.
        """
        async with self._database.transaction() as connection:
            begun = await imports.insert(connection, kind.value, actor.id, actor.name, self._clock.now())
            said = {"kind": kind.value}
            await audit.write(connection, actor, "import.started", kind="import", subject=begun, after=said)
        state = "broken off"
        try:
            await self._batches(begun, kind, rows, watch)
            state = "done"
        finally:
            async with self._database.transaction() as connection:
                await imports.end(connection, begun, state, self._clock.now())
        return begun

    async def _batches(self, begun: str, kind: Kind, rows: AsyncIterator[Read], watch: Watch) -> None:
        store, size = (self._customers, CUSTOMERS_AT_ONCE) if kind is Kind.CUSTOMERS else (self._events, BATCH)
        counts, kept = Counts(), 0
        async for batch in _batched(rows, size):
            tally = await store(batch)
            tally.wrong += [(read.line, problem) for read in batch for problem in read.problems]
            counts = replace(
                counts,
                rows=counts.rows + len(batch),
                stored=counts.stored + tally.stored,
                known=counts.known + tally.known,
                wrong=counts.wrong + len({line for line, _ in tally.wrong}),
            )
            wrong = sorted(tally.wrong, key=lambda each: each[0])[: MOST_PROBLEMS - kept]
            async with self._database.transaction() as connection:
                await imports.count(connection, begun, counts.rows, counts.stored, counts.known, counts.wrong)
                told = [(line, problem.field, problem.words) for line, problem in wrong]
                await imports.insert_problems(connection, begun, told, after=kept)
            kept += len(wrong)
            watch(counts)

    async def _events(self, batch: Sequence[Read]) -> _Tally:
        good = [(read.line, read.says) for read in batch if isinstance(read.says, NewEvent)]
        taken = await self._intake.take_in([event for _, event in good])
        wrong = [(good[place][0], TAKEN) for place in taken.conflicts]
        wrong += [(good[place][0], REFUSED) for place in taken.refused]
        return _Tally(stored=taken.accepted, known=taken.duplicates, wrong=wrong)

    async def _customers(self, batch: Sequence[Read]) -> _Tally:
        good = [(read.line, read.says) for read in batch if isinstance(read.says, CustomerRow)]
        stored: Stored = await self._people.store([row for _, row in good])
        wrong = [(good[place][0], problem) for place, problem in stored.problems]
        return _Tally(stored=stored.changed, known=stored.unchanged, wrong=wrong)


async def _batched(rows: AsyncIterator[Read], size: int) -> AsyncIterator[list[Read]]:
    batch: list[Read] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
