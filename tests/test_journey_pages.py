"""docs/journeys/ is made from rehearsals and is true: of all pages the digest is compared, and one is made anew."""

import pytest

from domain.journeys import Declaration
from tests.journey_pages import PAGES, database, digest_of, made
from tropa.embedded.postgres import EmbeddedPostgres
from workflows.registry import declarations


@pytest.mark.parametrize("declared", declarations(), ids=lambda each: each.name)
def test_a_page_is_made_from_the_journey_as_it_is(declared: Declaration) -> None:
    page = (PAGES / f"{declared.folder}.md").read_text()

    assert f" from {digest_of(declared)}. " in page, f"Run: make journey-pages JOURNEY={declared.name}"
    assert (PAGES / f"{declared.folder}.svg").read_text().startswith("<svg")


def test_there_is_no_page_without_a_journey() -> None:
    assert {file.stem for file in PAGES.iterdir()} - {"README"} == {each.folder for each in declarations()}


@pytest.mark.parametrize("declared", declarations(), ids=lambda each: each.name)
def test_the_list_of_pages_says_what_each_journey_is(declared: Declaration) -> None:
    title = " ".join(declared.story.partition("\n\n")[0].split())

    assert f"| [{declared.name}]({declared.folder}.md) | {title} |" in (PAGES / "README.md").read_text()


async def test_a_page_made_anew_is_the_same(postgres: EmbeddedPostgres, template: str) -> None:
    win_back = next(each for each in declarations() if each.name == "WinBack")

    page, svg = await made(win_back, lambda: database(postgres, template))

    assert page == (PAGES / "win_back.md").read_text()
    assert svg == (PAGES / "win_back.svg").read_text()
