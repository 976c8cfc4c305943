"""Waking: whoever waits for new rows hears of them, once, wherever they were made."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.database.connection import Database, News


class Ear:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[News] = []
        self.came = asyncio.Event()

    def __call__(self, news: News) -> None:
        self.heard.append(news)
        self.came.set()


@pytest.fixture
async def here(shared_url: str) -> AsyncIterator[Database]:
    """One process's database."""
    database = Database(shared_url)
    yield database
    await database.close()


@pytest.fixture
async def there(shared_url: str) -> AsyncIterator[Database]:
    """Another's."""
    database = Database(shared_url)
    yield database
    await database.close()


async def test_the_own_process_hears_at_once_and_not_again_from_the_server(here: Database, there: Database) -> None:
    mine, theirs = Ear(), Ear()
    await here.listen(mine)
    await there.listen(theirs)

    here.wake(News.EVENTS)

    assert mine.heard == [News.EVENTS]
    await theirs.came.wait()
    there.wake(News.CONSEQUENCES)
    mine.came.clear()
    await mine.came.wait()
    assert mine.heard == theirs.heard == [News.EVENTS, News.CONSEQUENCES]
    await here.close()
    await there.close()


async def test_a_thousand_wake_ups_of_one_moment_reach_others_as_one(here: Database, there: Database) -> None:
    theirs = Ear()
    await there.listen(theirs)

    for _ in range(1000):
        here.wake()
    await theirs.came.wait()
    theirs.came.clear()
    here.wake(News.EVENTS)
    await theirs.came.wait()

    assert theirs.heard == [News.CONSEQUENCES, News.EVENTS, News.EVENTS]
    await here.close()
    await there.close()
