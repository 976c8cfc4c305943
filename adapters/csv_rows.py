"""CSV as shops export it, row by row from a stream: any size, and a bad row costs no other.

UTF-8 with or without a mark at its start; commas, semicolons or tabs, as the header has them; RFC 4180 quotes. Rows are
numbered by the line that they begin on, the header being line 1, as an editor shows them.

Formulas: where `Columns` ask for it, a cell of words that begins with =, +, - or @ and is no number is refused, because
it would run in the spreadsheet of whoever gets it from elsewhere; with an apostrophe before it, which says that it is
text, it is taken. That apostrophe is taken off, and so is the one that `adapters.csv_writing` puts before such words.
"""

import csv
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from domain.errors import InvalidInput

LONGEST = 64 * 1024  # characters of one row; a quotation mark that is never closed would swallow the file
_FORMULA = re.compile(r"[=@]|[+-](?!\d+([.,]\d+)?$)")
_NEUTRAL = re.compile(r"'(?=[=+\-@＝＋－＠])")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BAD_BYTES = "\ufffd"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row's cells by column, empty ones left out; or what is wrong with it."""

    line: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class _Raw:
    line: int
    cells: Sequence[str]
    problem: str = ""


async def rows(chunks: AsyncIterator[bytes], *, columns: "Columns") -> AsyncIterator[Row]:
    """The rows of a file, after its header. Raises InvalidInput when the header is not what `columns` allow."""
    reader, header = _Reader(), list[str]()
    async for raw in _raws(reader, chunks):
        if header:
            yield _row(raw, header, columns)
        else:
            header = columns.header(raw)
    if not header:
        raise InvalidInput(["file: it is empty; the first line names the columns"])


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What a file may have: columns by name, those that it must have, families such as `name.`, and which of all these
    hold words that must be no formula. `others` may be there as well, and are not looked at.
    """

    known: frozenset[str]
    families: tuple[str, ...] = ()
    must: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    others: bool = False

    def header(self, raw: _Raw) -> list[str]:
        """The columns that a file names. Raises InvalidInput naming all that are wrong."""
        named = [_named(cell.strip()) for cell in raw.cells]
        while named and not named[-1]:  # spreadsheets write empty columns at the end
            named.pop()
        problems = [f"file: {raw.problem}"] if raw.problem else []
        problems += [f"{name[:64]}: stands there twice" for name in sorted({n for n in named if named.count(n) > 1})]
        problems += [f"{name[:64] or '(empty)'}: is no column; {self._listed}" for name in named if not self._has(name)]
        problems += [f"{name}: is missing" for name in sorted(self.must - set(named))]
        if problems:
            raise InvalidInput(problems)
        return named

    def of_words(self, name: str) -> bool:
        """Whether a column holds words, in which a formula could hide."""
        family, dot, _ = name.partition(".")
        return name in self.words or family + dot in self.words

    @property
    def _listed(self) -> str:
        return f"the columns are {', '.join([*sorted(self.known), *(f'{each}…' for each in self.families)])}"

    def _has(self, name: str) -> bool:
        if self.others and name:
            return True
        return name in self.known or any(name.startswith(each) and name != each for each in self.families)


def _row(raw: _Raw, header: Sequence[str], columns: Columns) -> Row:
    if raw.problem:
        return Row(line=raw.line, cells={}, problem=raw.problem)
    if len(raw.cells) < len(header) or any(raw.cells[len(header) :]):
        return Row(line=raw.line, cells={}, problem=f"has {len(raw.cells)} cells, and the header {len(header)}")
    cells = {name: stripped for name, cell in zip(header, raw.cells, strict=False) if (stripped := cell.strip())}
    for name, cell in cells.items():
        if _BAD_BYTES in cell:
            return Row(line=raw.line, cells={}, problem=f"{name}: is not UTF-8")
        if "\x00" in cell:
            return Row(line=raw.line, cells={}, problem=f"{name}: holds the character NUL")
        if columns.of_words(name) and _FORMULA.match(cell):
            problem = f"{name}: begins with {cell[0]} as a formula does; if it is text, write an apostrophe before it"
            return Row(line=raw.line, cells={}, problem=problem)
        cells[name] = _NEUTRAL.sub("", cell, count=1) if cell[0] == "'" else cell
    return Row(line=raw.line, cells=cells)


def _named(column: str) -> str:
    """In small letters up to the first dot: what comes after it is a name of the file's own."""
    family, dot, own = column.partition(".")
    return family.lower() + dot + own


async def _raws(reader: "_Reader", chunks: AsyncIterator[bytes]) -> AsyncIterator[_Raw]:
    first = True
    async for chunk in chunks:
        if first and chunk.startswith(_UTF16):
            raise InvalidInput(["file: is UTF-16; save it as “CSV UTF-8”"])
        first = first and not chunk
        for raw in reader.feed(chunk):
            yield raw
    for raw in reader.end():
        yield raw


class _Reader:
    """Whole rows of what has come so far. What may still go on is kept for the next chunk."""

    def __init__(self) -> None:
        self._bytes, self._lines, self._line, self._delimiter = b"", list[str](), 1, ""

    def feed(self, chunk: bytes) -> Iterator[_Raw]:
        """The rows that this chunk completes."""
        whole, newline, self._bytes = (self._bytes + chunk).rpartition(b"\n")
        if newline:
            self._lines += [f"{line}\n" for line in whole.decode("utf-8", "replace").split("\n")]
            yield from self._rows(last=False)
        elif len(self._bytes) > LONGEST * 4:
            yield from self.end()

    def end(self) -> Iterator[_Raw]:
        """The rest."""
        self._lines += [self._bytes.decode("utf-8", "replace")] if self._bytes else []
        self._bytes = b""
        yield from self._rows(last=True)

    def _rows(self, *, last: bool) -> Iterator[_Raw]:
        if self._lines and not self._delimiter:
            self._lines[0] = self._lines[0].removeprefix("\ufeff")
            self._delimiter = max(",;\t", key=self._lines[0].count)
        while self._lines:
            reader, read = csv.reader(self._lines, delimiter=self._delimiter, strict=True), 0
            try:
                for cells in reader:
                    if any(cells):  # not an empty line
                        yield _Raw(line=self._line + read, cells=cells)
                    read = reader.line_num
                self._drop(read)
            except csv.Error as error:
                self._drop(read)
                open_ended = "unexpected end" in str(error)
                if open_ended and not last and sum(map(len, self._lines)) <= LONGEST:
                    return  # the next chunk closes the quotation
                problem = "a quotation mark is never closed" if open_ended else f"cannot be read ({error})"
                yield _Raw(line=self._line, cells=(), problem=problem)
                self._drop(1)

    def _drop(self, count: int) -> None:
        del self._lines[:count]
        self._line += count
