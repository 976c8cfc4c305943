"""CSV that goes out computes nothing, and comes back as it was."""

import csv
import io
from collections.abc import AsyncIterator

from adapters.csv_rows import Columns, rows
from adapters.csv_writing import written

FORMULAS = ("=1+1", "+49 30", "+4930", "-2", "@SUM(A1)", "＝1", '=HYPERLINK("x")', "\t=1", "\r=1", "\n=1")
OTHERS = ("'quoted", "a=1", "", "é;,", "7")


def test_no_cell_that_goes_out_is_a_formula() -> None:
    out = written([(cell, "x") for cell in (*FORMULAS, *OTHERS)])

    cells = [row[0] for row in csv.reader(io.StringIO(out.decode(), newline=""))]
    assert cells == [*(f"'{cell}" for cell in FORMULAS), *OTHERS]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert written([(-1, 2.5, None, "x")]) == b"-1,2.5,,x\r\n"


async def test_what_went_out_comes_back_as_it_was() -> None:
    cells = [cell for cell in (*FORMULAS, *OTHERS) if cell and cell == cell.strip()]

    async def file() -> AsyncIterator[bytes]:
        yield written([("name", "more"), *((cell, "1") for cell in cells)])

    back = [row async for row in rows(file(), columns=Columns(known=frozenset({"name"}), others=True))]

    assert [row.cells["name"] for row in back] == cells
