"""docs/launch-a-journey.md is played: its commands let those in who fit already, and nobody else."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import httpx

from tests.api.stories import happens, know_anna, rows
from tropa.wiring import House

PAGE = (Path(__file__).parent.parent.parent / "docs" / "launch-a-journey.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The words of each `curl` of the page, in order."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    words = shlex.split(blocks.replace("\\\n", " "))
    starts = [place for place, word in enumerate(words) if word == "curl"] + [len(words)]
    return [words[first + 1 : then] for first, then in pairwise(starts)]


async def typed(api: httpx.AsyncClient, words: list[str], bulk: str = "") -> httpx.Response:
    """What the API answers to a command; the key is the client's own."""
    said = dict(pairwise(words))
    [url] = [word for word in words if word.startswith("$TROPA")]
    return await api.request(
        said.get("-X", "POST"),
        url.removeprefix("$TROPA").replace("$BULK", bulk),
        content=said.get("-d"),
        headers={"Content-Type": "application/json"} if "-d" in said else None,
    )


async def test_those_who_fit_already_are_let_in_and_nobody_else(api: httpx.AsyncClient, house: House) -> None:
    for name in ("anna", "boris", "is_there", "never_ordered"):
        await know_anna(api, name)
    for name in ("anna", "boris", "is_there"):
        await happens(api, house, "order_placed", name, total=10)
    await happens(api, house, "activated", "is_there")
    async with house.database.transaction() as connection:  # as if the journey had not been there yet
        await connection.exec_driver_sql("DELETE FROM decisions")
        await connection.exec_driver_sql("DELETE FROM dispatches")
        await connection.exec_driver_sql("DELETE FROM enrollments")

    segment, draft, start, resume = commands()
    made = await typed(api, segment)
    drafted = await typed(api, draft)
    bulk = drafted.json()
    started = await typed(api, start, bulk["id"])
    await house.bulk_entering.enter(bulk["id"], lambda progress: True)
    looking = (await api.get(f"/v1/bulks/{bulk['id']}")).json()["state"]
    resumed = await typed(api, resume, bulk["id"])
    await house.bulk_entering.enter(bulk["id"], lambda progress: True)

    assert [each.status_code for each in (made, drafted, started, resumed)] == [201, 201, 200, 200]
    assert (bulk["entering"], bulk["excluded"], looking) == (2, [], "looking")
    walks = await rows(house, "SELECT customer_id, cause FROM enrollments e JOIN customers c ON c.id = e.customer")
    assert sorted((row["customer_id"], row["cause"]) for row in walks) == [("anna", "bulk"), ("boris", "bulk")]
