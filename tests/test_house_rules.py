"""Rules worth having are failing checks."""

import importlib
import re
import socket
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from pytest_socket import SocketConnectBlockedError

from adapters.staff_words import StaffWords
from tests.support.factories import compiled
from tests.workflows.stories import STORIES
from workflows.registry import declarations, journeys

ROOT = Path(__file__).parent.parent
PACKAGES = ("domain", "activities", "workflows", "adapters", "services", "api", "tropa", "bench", "tests")
LONGEST = 300


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_package_shadows_ours(package: str) -> None:
    found = importlib.import_module(package).__file__

    assert found is not None
    assert Path(found).is_relative_to(ROOT), f"{package} comes from {found}: run from the repository's root"


def test_every_message_belongs_to_a_journey_that_sends_it() -> None:
    sources = {d.folder: (ROOT / "workflows" / f"{d.folder}.py").read_text() for d in declarations()}

    unsent = [f"{m.journey}/{m.name}" for m in compiled().messages() if m.name not in _sent(sources[m.journey])]

    assert unsent == [], "these folders are sent by no journey"


def _sent(source: str) -> list[str]:
    return re.findall(r'\.(?:send|cascade|ask)\(\s*"(\w+)"', source)


def test_every_message_that_a_journey_sends_has_its_folder() -> None:
    library = {(m.journey, m.name) for m in compiled().messages()}
    sent = {
        (d.folder, name) for d in declarations() for name in _sent((ROOT / "workflows" / f"{d.folder}.py").read_text())
    }

    assert sent <= library


def test_every_message_that_is_asked_asks_a_survey() -> None:
    """Its answer would never come."""
    surveys = {(m.journey, m.name): m.survey for m in compiled().messages()}
    for d in declarations():
        asked = re.findall(r'\.ask\(\s*"(\w+)"', (ROOT / "workflows" / f"{d.folder}.py").read_text())
        assert all(surveys[d.folder, name] for name in asked), d.name


def test_every_event_that_a_journey_waits_for_is_one_that_it_hears() -> None:
    """A wait for any other is never met, and nobody would tell."""
    for declaration in declarations():
        source = (ROOT / "workflows" / f"{declaration.folder}.py").read_text()
        calls = re.findall(r"self\.(?:wait_for|wait_for_any|heard)\(([^)]*?)(?:within|\))", source, re.DOTALL)
        named = {"survey_answered"} if ".ask(" in source else set()
        named |= {name for call in calls for name in re.findall(r'"(\w+)"', call)}
        assert named <= set(declaration.plan.hears), f"{declaration.name} does not hear {named}"


OURS = {"task": {("replies", "answer")}, "notice": {("tasks", "escalated")}}


@pytest.mark.parametrize(("kind", "verb"), [("task", "create_task"), ("notice", "tell")])
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_what_journeys_say_to_the_staff_has_its_words(kind: Literal["task", "notice"], verb: str, locale: str) -> None:
    asked = {
        (d.folder, name)
        for d in declarations()
        for name in re.findall(rf'\.{verb}\(\s*"(\w+)"', (ROOT / "workflows" / f"{d.folder}.py").read_text())
    }

    assert asked | OURS[kind] == set(StaffWords(kind, locale).names())


def test_every_journey_has_stories_a_test_and_a_module_of_its_name() -> None:
    for declaration in declarations():
        assert STORIES[declaration.name]
        assert (ROOT / "tests" / "workflows" / f"test_{declaration.folder}.py").exists()
        assert (ROOT / "workflows" / f"{declaration.folder}.py").exists()
        assert declaration.story, "the module's docstring is the marketer's plan"


def test_there_are_journeys() -> None:
    assert journeys()


def test_no_file_is_longer_than_people_read() -> None:
    ours = [file for file in tracked("*.py") if file.relative_to(ROOT).parts[0] not in ("tests", "migrations")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in ours}

    assert {file: lines for file, lines in lengths.items() if lines > LONGEST} == {}, "split them by idea"


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_no_test_reaches_beyond_this_machine() -> None:
    with socket.socket() as outward:
        outward.settimeout(1)
        with pytest.raises(SocketConnectBlockedError):
            outward.connect(("192.0.2.1", 80))  # an address for documentation: nobody has it


def test_locks_hold_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock"):
        assert "--hash=sha256:" in lock.read_text()
        assert "://" not in lock.read_text()
