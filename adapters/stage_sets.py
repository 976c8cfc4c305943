"""Sets of stages, as data files: `templates/stages/<set>.toml` (S2, S3)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from adapters.message_toml import read_toml, wrong
from domain.events import EVENT_NAME
from domain.stages import ANYWHERE, Rule, Stage, StageSet
from domain.triggers import STAGE_ENTERED, Bounds, On, Wanted, problems_in

FOLDER = Path(__file__).parent.parent / "templates" / "stages"
LOCALES = ("en", "ru")
_WORDS = ("label", "needs", "goals", "aim", "pipeline", "says")
_LISTS = ("metrics", "tools")
_RULE = {"on", "where", "from", "orders"}


def stage_sets() -> tuple[str, ...]:
    """The names of the sets that are there."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


def read_stage_set(name: str, folder: Path = FOLDER) -> StageSet:
    """One set. Raises InvalidDeclaration saying what is wrong and what is right."""
    file = folder / f"{name}.toml"
    tables = read_toml(file)
    if not tables:
        raise wrong(file, "stages", "it has none")
    stages = list[Stage]()
    for place, (stage, table) in enumerate(tables.items(), start=1):
        if not EVENT_NAME.fullmatch(stage) or not isinstance(table, dict):
            raise wrong(file, stage, "write a table with a name in snake_case: [awareness]")
        if unknown := table.keys() - {*_WORDS, *_LISTS, "enters", "ranks_as"}:
            raise wrong(file, f"{stage}.{min(unknown)}", "there is no such key")
        stages.append(
            Stage(
                name=stage,
                rank=_rank(file, stage, table.get("ranks_as"), stages) or place,
                rules=_rules(file, stage, table.get("enters"), tables.keys()),
                words={key: _said(file, f"{stage}.{key}", table.get(key)) for key in _WORDS},
                metrics=_listed(file, f"{stage}.metrics", table.get("metrics")),
                tools=_listed(file, f"{stage}.tools", table.get("tools")),
            )
        )
    return StageSet(name=name, stages=tuple(stages))


@cache
def stage_label(name: str, locale: str) -> str:
    """What a stage is called, of whichever set; its bare name when no set has it any more."""
    found = (read_stage_set(each).get(name) for each in stage_sets())
    return next((stage.words["label"][locale] for stage in found if stage), name.replace("_", " "))


def _rank(file: Path, stage: str, ranks_as: object, before: list[Stage]) -> int | None:
    """The rank of the stage that another one is no further than; None where it says nothing."""
    found = next((each.rank for each in before if each.name == ranks_as), None)
    if ranks_as is not None and found is None:
        raise wrong(file, f"{stage}.ranks_as", "name a stage that stands before it in this file")
    return found


def _said(file: Path, where: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or value.keys() != set(LOCALES) or not all(value.values()):
        raise wrong(file, where, f"write it in each language: {', '.join(LOCALES)}")
    return {locale: str(text) for locale, text in value.items()}


def _listed(file: Path, where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise wrong(file, where, "write a list of words")
    return tuple(value)


def _rules(file: Path, stage: str, value: object, stages: object) -> tuple[Rule, ...]:
    if not isinstance(value, list) or not value:
        raise wrong(file, f"{stage}.enters", "write what moves a customer here: [[awareness.enters]] on = [...]")
    found = []
    for number, rule in enumerate(value):
        where = f"{stage}.enters[{number}]"
        if not isinstance(rule, dict) or rule.keys() - _RULE:
            raise wrong(file, where, f"it may say: {', '.join(sorted(_RULE))}")
        named = rule.get("from", [])
        if not isinstance(named, list) or not set(named) <= {*stages, ANYWHERE}:  # type: ignore[misc]  # keys
            raise wrong(file, f"{where}.from", f"name stages of this file, or {ANYWHERE!r}")
        orders, events = rule.get("orders", 0), rule.get("on")
        if not isinstance(orders, int) or orders < 0:
            raise wrong(file, f"{where}.orders", "write a whole number")
        if not isinstance(events, list) or not events:
            raise wrong(file, f"{where}.on", "write a list of events")
        asked = {name: _wanted(each) for name, each in rule.get("where", {}).items()}
        for event in events:
            on = On(event, asked)
            if problems := problems_in(on):
                raise wrong(file, where, problems[0])
            if event == STAGE_ENTERED:
                raise wrong(file, where, "entering a stage cannot lead into a stage")
            found.append(Rule(on=on, coming_from=frozenset(named), orders=orders))
    return tuple(found)


def _wanted(value: object) -> Wanted:
    if isinstance(value, dict) and value and value.keys() <= {"at_least", "at_most"}:
        return Bounds(**value)
    return value  # type: ignore[return-value]  # checked by problems_in
