"""CSV from a stream: however it is cut into chunks, a bad row costs no other, and no formula gets in."""

from collections.abc import AsyncIterator

import pytest

from adapters.csv_rows import LONGEST, Columns, Row, rows
from domain.errors import InvalidInput

COLUMNS = Columns(
    known=frozenset({"id", "name", "price"}),
    families=("name.",),
    must=frozenset({"id"}),
    words=frozenset({"name", "name."}),
)


async def cut(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def read(text: str | bytes, size: int = 1 << 20) -> list[Row]:
    body = text if isinstance(text, bytes) else text.encode()
    return [row async for row in rows(cut(body, size), columns=COLUMNS)]


FILE = (
    '\ufeffid;name.ru;price\r\nk-1;"Чайник; ""К""\nбольшой";5\r\n\r\n'
    "k-2;=SUM(A1);\r\nk-3;'=так;\r\nk-4;\"открыта;5\r\nk-5;последний;-7"
)


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1 << 20])
async def test_rows_are_the_same_however_they_come(size: int) -> None:
    found = [(row.line, row.problem or row.cells) for row in await read(FILE, size)]

    assert found == [
        (2, {"id": "k-1", "name.ru": 'Чайник; "К"\nбольшой', "price": "5"}),
        (5, "name.ru: begins with = as a formula does; if it is text, write an apostrophe before it"),
        (6, {"id": "k-3", "name.ru": "=так"}),
        (7, "a quotation mark is never closed"),
        (8, {"id": "k-5", "name.ru": "последний", "price": "-7"}),  # a number may be below nothing
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,b", "has 2 cells, and the header 3"),
        ('a,"b"c,1', "cannot be read (',' expected after '\"')"),
        ("a,@b,1", "name: begins with @ as a formula does; if it is text, write an apostrophe before it"),
        ("a,b\x00,1", "name: holds the character NUL"),
    ],
)
async def test_a_bad_row_says_why_and_the_next_is_read(row: str, problem: str) -> None:
    bad, good = await read(f"id,name,price\n{row}\nb,Cup,2\n")

    assert (bad.line, bad.problem) == (2, problem)
    assert good.cells == {"id": "b", "name": "Cup", "price": "2"}


async def test_a_number_is_no_formula() -> None:
    found = await read("id,name\na,-5\nb,+7,5\nc,-1+1\n".replace("+7,5", '"+7,5"'))

    assert [row.cells.get("name", row.problem.partition(" as ")[0]) for row in found] == [
        "-5",
        "+7,5",
        "name: begins with -",
    ]


async def test_another_encoding_is_told_by_the_row() -> None:
    bad, good = await read("id,name\nk-1,Чайник\n".encode("cp1251") + b"k-2,Cup\n")

    assert (bad.problem, good.cells["id"]) == ("name: is not UTF-8", "k-2")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["file: it is empty; the first line names the columns"]),
        ("name,colour\n", ["colour: is no column; the columns are id, name, price, name.…", "id: is missing"]),
        ("id,id\n", ["id: stands there twice"]),
        ("id,name.\n", ["name.: is no column; the columns are id, name, price, name.…"]),
    ],
)
async def test_a_wrong_header_names_everything_that_is_wrong(text: str, problems: list[str]) -> None:
    with pytest.raises(InvalidInput) as told:
        await read(text)

    assert list(told.value.problems) == problems


async def test_a_quotation_that_swallows_the_file_costs_one_row() -> None:
    swallowed = "".join(f"k-{number},Cup\n" for number in range(LONGEST // 5))

    found = await read(f'id,name\nk,"Cup\n{swallowed}', size=4096)

    assert found[0].problem == "a quotation mark is never closed"
    assert len(found) == 1 + LONGEST // 5


async def test_a_line_without_end_is_given_up() -> None:
    found = await read(b"id,name\n" + b"a" * (LONGEST * 20), size=65536)

    assert found and all(row.problem for row in found)
