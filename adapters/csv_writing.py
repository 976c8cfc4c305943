"""CSV that spreadsheets open without computing anything (RFC 4180).

A cell of words that a spreadsheet would take for a formula begins with an apostrophe; `adapters.csv_rows` takes it off.
"""

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def written(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as CSV. Numbers stay as they are; words that would be a formula are made harmless."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return made.getvalue().encode()


def _harmless(cell: object) -> object:
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
