"""The product feed: what the shop says of its products, kept by the batch or from a CSV file of any size."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import RowMapping

from adapters.csv_rows import rows
from adapters.database import products
from adapters.database.connection import Database
from domain.clock import Clock
from domain.errors import NotFound
from services.product_reading import COLUMNS, ProductBody, ProductToKeep, read_row

AT_ONCE = 1000  # products in one commit
TOLD = 1000  # problems of one file that are told


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of products: new or changed ones, and those that were known as they are."""

    stored: int = 0
    unchanged: int = 0


@dataclass(kw_only=True)
class Imported:
    """What became of a file so far. `problems` are the first thousand, by line."""

    stored: int = 0
    unchanged: int = 0
    rejected: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, problem: str) -> None:
        """Count a row that was not taken."""
        self.rejected += 1
        if len(self.problems) < TOLD:
            self.problems.append((line, problem))


class Products:
    """Keeps what the shop says, each commit a batch of at most a thousand."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def keep(self, batch: Sequence[ProductToKeep]) -> Kept:
        """Write a batch. Of two with one id the later counts."""
        by_id = {each.id: each.row(each.id) for each in batch}
        if not by_id:
            return Kept()
        async with self._database.transaction() as connection:
            stored = await products.keep(connection, list(by_id.values()), self._clock.now())
        return Kept(stored=stored, unchanged=len(by_id) - stored)

    async def put(self, product: str, body: ProductBody) -> RowMapping:
        """Write one, and answer it as it stands."""
        async with self._database.transaction() as connection:
            await products.keep(connection, [body.row(product)], self._clock.now())
            row = await products.get(connection, product)
        assert row is not None  # noqa: S101  written above
        return row

    async def get(self, product: str) -> RowMapping:
        """One product, withdrawn or not. Raises NotFound."""
        async with self._database.transaction() as connection:
            row = await products.get(connection, product)
        if row is None:
            raise NotFound("product", product)
        return row

    async def page(self, *, category: str | None, after: str, withdrawn: bool, limit: int) -> Sequence[RowMapping]:
        """Products by their ids, after one of them."""
        async with self._database.transaction() as connection:
            return await products.page(connection, category=category, after=after, withdrawn=withdrawn, limit=limit)

    async def withdraw(self, product: str) -> None:
        """The shop has it no more. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await products.withdraw(connection, product, self._clock.now()):
                raise NotFound("product", product)

    async def take_csv(
        self, chunks: AsyncIterator[bytes], *, seen: Callable[[Imported], None] = lambda _: None
    ) -> Imported:
        """Keep the good rows of a CSV file, a thousand in each commit. `seen` is told after each.

        Raises InvalidInput for a header that is wrong; then nothing was kept.
        """
        answer, batch = Imported(), list[ProductToKeep]()
        async for row in rows(chunks, columns=COLUMNS):
            try:
                batch.append(read_row(row))
            except ValueError as error:
                answer.refuse(row.line, str(error))
            if len(batch) >= AT_ONCE:
                await self._keep(batch, answer)
                seen(answer)
        await self._keep(batch, answer)
        seen(answer)
        return answer

    async def _keep(self, batch: list[ProductToKeep], answer: Imported) -> None:
        kept = await self.keep(batch)
        answer.stored += kept.stored
        answer.unchanged += kept.unchanged
        batch.clear()
