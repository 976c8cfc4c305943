"""The contract: a change of the API shows as a change of openapi.json, and is meant."""

import json
import os
from pathlib import Path

from fastapi import FastAPI

CONTRACT = Path(__file__).with_name("openapi.json")
HOW = (
    "The API is not what tests/api/openapi.json says. If you meant it, write it anew and look at the difference:\n"
    "    TROPA_WRITE_CONTRACT=1 .venv/bin/python -m tests tests/api/test_openapi.py && git diff tests/api/openapi.json"
)


def test_the_contract_is_the_one_written_down(app: FastAPI) -> None:
    now = json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("TROPA_WRITE_CONTRACT"):
        CONTRACT.write_text(now)

    assert CONTRACT.exists(), HOW
    assert now == CONTRACT.read_text(), HOW


def test_every_operation_is_told_to_marketers(app: FastAPI) -> None:
    operations = [o for path in app.openapi()["paths"].values() for o in path.values()]

    assert [
        o["operationId"] for o in operations if not (o.get("description") and o.get("summary") and o.get("tags"))
    ] == []


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    document = app.openapi()

    named = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}

    assert named - set(document["components"]["schemas"]) == set()
