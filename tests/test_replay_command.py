"""`tropa replay`, through the command line, on folders of histories; what runs is looked at in end_to_end/."""

import json
from pathlib import Path

import pytest

from tests.support.typing_commands import Tropa

HISTORIES = Path(__file__).parent / "histories" / "WelcomeChain"
SILENT = next(HISTORIES.glob("*-silent.json")).read_text()


def of_other_code(folder: Path, count: int) -> None:
    """Histories of a walk that looked at the customer where the code greets."""
    for number in range(count):
        written = SILENT.replace('"name": "send"', '"name": "customer"', 1)
        assert written != SILENT
        (folder / f"{number}.json").write_text(written)


async def test_whoever_replays_is_counted_and_it_leaves_with_zero(tropa: Tropa) -> None:
    code, said, complained = await tropa("replay", "--histories", str(HISTORIES))

    assert (code, complained) == (0, "")
    assert said.splitlines() == [
        "5 of 5 walks replayed against this code.",
        "  WelcomeChain: none would break, 5 of 5 replayed",
        "Nobody would break.",
    ]


async def test_walks_that_would_break_alike_are_one_line_and_it_leaves_with_one(tropa: Tropa, tmp_path: Path) -> None:
    of_other_code(tmp_path, 4)
    (tmp_path / "well.json").write_text(SILENT)

    code, said, _ = await tropa("replay", "--histories", str(tmp_path))
    lines = said.splitlines()
    assert code == 1
    assert lines[1] == "  WelcomeChain: 4 would break, 5 of 5 replayed"
    [line] = [each for each in lines if "the code wants" in each]
    assert line.startswith("WelcomeChain: 4 would break at event 5: the code wants “send greeting”")
    assert any("workflow.patched" in each and "tropa release" in each for each in lines)

    code, said, _ = await tropa("replay", "--histories", str(tmp_path), "--json")
    told = json.loads(said)
    [alike] = told["breaks"]
    assert (code, told["verdict"], told["replayed"], told["would_break"]) == (1, "breaks", 5, 4)
    assert (alike["journey"], alike["kind"], alike["count"]) == ("WelcomeChain", "other_step", 4)
    assert {walk["enrollment"] for walk in alike["walks"]} == {str(tmp_path / f"{number}.json") for number in range(4)}


async def test_a_journey_narrows_and_one_that_nobody_knows_is_no_good_news(tropa: Tropa, tmp_path: Path) -> None:
    of_other_code(tmp_path, 1)

    assert (await tropa("replay", "--histories", str(tmp_path), "--journey", "WinBack"))[:2] == (
        0,
        "0 of 0 walks replayed against this code.\nNobody would break.\n",
    )
    code, said, complained = await tropa("replay", "--histories", str(tmp_path), "--journey", "Welcome")
    assert (code, said) == (2, "") and "There is no journey 'Welcome (there are: AbandonedCart" in complained


@pytest.mark.parametrize("written", [None, "{}", "not JSON", '{"events": []}'])
async def test_what_cannot_be_looked_at_leaves_with_two(tropa: Tropa, tmp_path: Path, written: str | None) -> None:
    if written is not None:
        (tmp_path / "walk.json").write_text(written)

    code, said, complained = await tropa("replay", "--histories", str(tmp_path))

    assert (code, said) == (2, "")
    assert str(tmp_path) in complained


async def test_where_temporal_is_not_known_or_does_not_answer_it_leaves_with_two(
    tropa: Tropa, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, complained = await tropa("replay")
    assert code == 2 and "TROPA_TEMPORAL_ADDRESS" in complained

    monkeypatch.setenv("TROPA_TEMPORAL_ADDRESS", "127.0.0.1:1")
    code, _, complained = await tropa("replay", "--journey", "WinBack")
    assert code == 2 and "does not answer" in complained
