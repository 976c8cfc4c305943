"""What docs/segments.md tells marketers to write can be counted, and it tells of everything that there is."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.segments import shipped_segments
from domain.checks import Comparison
from domain.segment_conditions import CONDITIONS
from domain.segments import CUSTOMER, RFM

PAGE = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
WORDS = {"en": "An example", "ru": "Пример"}
SEGMENTS = [each if "rule" in each else {"label": WORDS, "description": WORDS, "rule": each} for each in EXAMPLES]
NAMED = set(re.findall(r"`(\w+)`", PAGE))


@pytest.mark.parametrize("body", SEGMENTS, ids=lambda body: next(iter(body["rule"])))
async def test_every_example_can_be_set(asking: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await asking.put("/v1/segments/example", json=body)

    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["counted"]["count"] == 0


def test_it_tells_of_everything_that_there_is() -> None:
    known = {*CONDITIONS, *CUSTOMER, *RFM, *Comparison, *shipped_segments()}

    assert known - NAMED == set()
