"""docs/faults.md: every case of the catalogue is there, with tests that exist and bear its number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = re.findall(r"^\| (F\d\d) \| ([^|]+) \| (.+) \|$", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)
CASES = {f"F{n:02}" for n in (*range(1, 33), *range(46, 50))}


def test_every_case_is_there_once_and_in_order() -> None:
    numbers = [number for number, _, _ in ROWS]

    assert set(numbers) >= CASES
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(("number", "shown_by"), [(number, shown) for number, _, shown in ROWS])
def test_the_tests_of_a_case_exist_and_bear_its_number(number: str, shown_by: str) -> None:
    for where in shown_by.split("<br>"):
        file, *tests = re.findall(r"`([^`]+)`", where)
        written = set(re.findall(r"def (test_\w+)\(", (ROOT / file).read_text()))

        assert tests and set(tests) <= written
        assert [test for test in tests if f"_{number.lower()}_" not in test] == []
