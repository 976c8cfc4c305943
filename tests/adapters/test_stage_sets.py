"""The shipped sets of stages are whole, and a set that is written wrongly says where and what is right."""

from pathlib import Path

import pytest

from adapters.stage_sets import read_stage_set, stage_label, stage_sets
from domain.errors import InvalidDeclaration
from tests.domain.test_projection import an_event

S2 = {
    "six": "awareness consideration purchase onboarding retention advocacy",
    "seven": "awareness consideration decision purchase onboarding loyalty advocacy",
    "nine": "awareness consideration decision purchase activation retention growth loyalty win_back",
    "phases": "acquisition engagement conversion retention repeat_purchase loyalty referral",
}


def test_the_four_sets_of_the_sources_are_there() -> None:
    assert {name: " ".join(stage.name for stage in read_stage_set(name).stages) for name in stage_sets()} == S2


@pytest.mark.parametrize("name", S2)
def test_every_stage_has_its_words_in_both_languages_and_a_way_in(name: str) -> None:
    for stage in read_stage_set(name).stages:
        assert stage.rules, stage.name
        for words in stage.words.values():
            assert words["en"] != words["ru"], stage.name
            assert any("а" <= letter <= "я" for letter in words["ru"].lower()), words


@pytest.mark.parametrize("name", S2)
def test_a_purchase_leads_out_of_the_first_stage(name: str) -> None:
    stages = read_stage_set(name)
    move = stages.move(an_event("order_placed"), stages.stages[0].name, None, orders=1)

    assert move is not None
    assert move.stage.rank > 1


def test_a_hibernating_customer_is_won_back_by_an_order() -> None:
    nine = read_stage_set("nine")
    gone = nine.move(an_event("became_dormant"), "retention", None, orders=3)
    assert gone is not None
    back = nine.move(an_event("order_placed"), gone.stage.name, None, orders=4)

    assert (gone.stage.name, back and back.stage.name) == ("win_back", "retention")


def test_who_falls_silent_is_no_further_than_a_buyer() -> None:
    ranks = {stage.name: stage.rank for stage in read_stage_set("nine").stages}

    assert ranks["win_back"] == ranks["purchase"] < ranks["retention"]
    assert sorted(ranks.values()) == [1, 2, 3, 4, 4, 5, 6, 7, 8]


def test_stages_have_names_that_people_read() -> None:
    assert (stage_label("onboarding", "en"), stage_label("onboarding", "ru")) == ("Onboarding", "Освоение")
    assert stage_label("once_upon", "en") == "once upon"


GOOD = """[one]
label = {en = "A", ru = "А"}
needs = {en = "A", ru = "А"}
goals = {en = "A", ru = "А"}
aim = {en = "A", ru = "А"}
pipeline = {en = "A", ru = "А"}
says = {en = "A", ru = "А"}
metrics = ["a"]
tools = ["a"]
[[one.enters]]
on = ["signed_up"]
where = {score = {at_least = 3}}
"""


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('label = {en = "A", ru = "А"}', 'label = {en = "A"}', "one.label"),
        ('tools = ["a"]', "tools = 3", "one.tools"),
        ('tools = ["a"]', 'colour = "red"', "one.colour"),
        ('["signed_up"]', '["Signed up"]', "no event name"),
        ('["signed_up"]', '["stage_entered"]', "one.enters[0]"),
        ('["signed_up"]', "[]", "one.enters[0].on"),
        ("{at_least = 3}", "{at_lest = 3}", "score"),
        ("where =", 'from = ["two"]\nwhere =', "one.enters[0].from"),
        ("where =", "orders = -1\nwhere =", "one.enters[0].orders"),
        ("where =", "when = 1\nother =", "one.enters[0]"),
        ("[one]", "[One]", "One"),
        ('tools = ["a"]', 'ranks_as = "two"', "one.ranks_as"),
    ],
)
def test_a_set_that_is_written_wrongly_says_where(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    (tmp_path / "good.toml").write_text(GOOD, encoding="utf-8")
    assert read_stage_set("good", tmp_path).stages[0].name == "one"

    (tmp_path / "bad.toml").write_text(GOOD.replace(wrong, right), encoding="utf-8")
    with pytest.raises(InvalidDeclaration, match=said.replace("[", r"\[").replace("]", r"\]")):
        read_stage_set("bad", tmp_path)
