"""One persona's rehearsal: what it is given, what it plays, what it tells (design 9.4)."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from tests.support.factories import compiled, settings_for
from tests.support.typing_commands import Tropa
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.migrate import ROOT
from tropa.rehearsal.command import declared, given
from tropa.rehearsal.home import ground
from tropa.rehearsal.playing import beginning, play
from tropa.rehearsal.reading import Persona, Script, read
from tropa.rehearsal.story import Story, tell
from tropa.rehearsal.telling import data, told

ANNA = Persona(timezone="Asia/Almaty", phone="+77011234567")
MONDAY = "2030-03-04 10:00"


async def rehearsed(
    url: str, journey: str, script: str = "", *, persona: Persona = ANNA, language: str = "en", folder: Path
) -> Story:
    file = folder / "script.toml"
    file.write_text(script if "start =" in script else f'start = "{MONDAY}"\n{script}', encoding="utf-8")
    behaviour, journey_declared = read(Script, file), declared(journey)
    start = beginning(persona, behaviour, datetime.now(UTC))
    name = journey_declared.name
    async with ground(settings_for(url), url, start, name, language=language, library=compiled()) as here:
        return await tell(here, await play(here, journey_declared, persona, behaviour), language=language)


def terminal(story: Story, *, copies: bool = False) -> str:
    return "\n".join(words for words, _ in told(story, width=100, copies=copies))


async def test_silence_tells_each_message_its_copy_its_local_time_the_waits_and_the_end(
    database_url: str, tmp_path: Path
) -> None:
    story = await rehearsed(database_url, "WelcomeChain", folder=tmp_path)

    words = terminal(story, copies=True)
    assert words.startswith("WelcomeChain, rehearsed for Anna: en, Asia/Almaty, from Mon 4 Mar 10:00")
    assert "Day 2, Wednesday 6 Mar\n  10:00  ✉ “basics” – sent by email" in words
    assert "│ to anna@example.com" in words and "│ Welcome, Anna!" in words
    assert "https://example.com/start" in words and "/c/" not in words and "utm_" not in words
    assert "… waits for “Got stuck in set-up”, 2 days at most, until Wed 6 Mar 10:00" in words
    assert "Day 8, Tuesday 12 Mar\n  10:00  · Overdue, and escalated" in words
    assert words.endswith("WelcomeChain: lapsed on day 10. 4 messages, 1 task.")
    assert "Welcome, Anna!" not in terminal(story)


async def test_behaviour_on_days_and_after_messages_is_what_the_ledger_and_the_journey_see(
    database_url: str, tmp_path: Path
) -> None:
    script = """
        [[does]]
        after = "greeting"
        wait = "2 hours"
        event = "message_clicked"
        [[does]]
        day = 1
        at = "22:30"
        event = "setup_stuck"
        [[does]]
        after = "basics"
        event = "activated"
        [[does]]
        after = "personal_help"
        event = "replied"
    """
    story = await rehearsed(database_url, "welcome_chain", script, folder=tmp_path)

    words = terminal(story)
    assert "  12:00  · Followed a link in “greeting”" in words
    assert "2 days at most, until Wed 6 Mar 10:00; over on Tue 5 Mar 22:30" in words
    assert "“setup help” waits. Quiet hours from 21:00 to 09:00 in Asia/Almaty" in words
    found = data(story)
    assert [line["copy"]["message"] for line in found["story"] if "copy" in line] == [
        "greeting",
        "setup_help",
        "basics",
    ]
    assert [(end["journey"], end["ended"], end["messages"]) for end in found["ends"]] == [
        ("WelcomeChain", "converted", 3)
    ]
    assert found["never_came"] == [{"event": "replied", "after": "personal_help"}]
    assert "Never came: “replied” after “personal_help”" in words


async def test_a_cascade_by_three_channels_in_russian(database_url: str, tmp_path: Path) -> None:
    persona = Persona(name="Анна", language="ru", timezone="Europe/Moscow", phone="+79161234567")
    story = await rehearsed(database_url, "AbandonedCart", persona=persona, language="ru", folder=tmp_path)

    words = terminal(story)
    assert "День 0, понедельник, 4 мар" in words
    assert "ждёт 2 часа, до пн 4 мар 12:00, не будет ли: «Корзина изменена» или" in words
    assert "16:00  ✉ «order by six» – отправлено (WhatsApp)" in words
    assert words.endswith("AbandonedCart (cart-1): цель не достигнута, день 3. 2 сообщения.")


async def test_who_does_not_end_within_the_days_still_walks(database_url: str, tmp_path: Path) -> None:
    story = await rehearsed(
        database_url,
        "WelcomeChain",
        f'start = "{MONDAY}"\ndays = 3\n[options]\nbasics_on_day = "1 day"',
        folder=tmp_path,
    )

    assert story.played.cut_off
    assert "Day 1, Tuesday 5 Mar\n  10:00  ✉ “basics”" in terminal(story)
    assert terminal(story).endswith("WelcomeChain: still walking after 3 days. 2 messages.")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ('[[does]]\nevent = "x"', "does 1: say when: either `day = 3`, or `after"),
        ('[[does]]\nevent = "x"\nday = 1\nat = "25:00"', "does 1.at: write a time of day as 09:30"),
        ('[[does]]\nevent = "x"\nafter = "greeting"\nwait = "soon"', "does 1.wait: 'soon' is not a duration"),
        ('[[does]]\nevent = "Buys!"\nday = 1', "does 1.event: is no event name"),
        ('[[does]]\nevent = "message_clicked"\nday = 1', "does 1: message_clicked needs to know of what"),
        ("days = 0", "days: Input should be greater than or equal to 1"),
        ("likes = 3", "likes: there is no such field"),
        ("days = ", "is no TOML"),
        ('start = "soon"', "start: write it as 2027-03-01 10:00"),
    ],
)
def test_a_wrong_script_is_told_by_its_field(script: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "script.toml"
    file.write_text(script)

    with pytest.raises(InvalidInput) as caught:
        read(Script, file)

    assert f"{file}: {problem}" in str(caught.value)


async def test_what_would_silently_do_nothing_is_refused(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no message 'greting'; it has basics, did_it_work, greeting"):
        await rehearsed(
            database_url, "WelcomeChain", '[[does]]\nafter = "greting"\nevent = "activated"', folder=tmp_path
        )


def test_personas_are_read_from_json_too_and_stand_in_for_each_other(tmp_path: Path) -> None:
    file = tmp_path / "boris.json"
    file.write_text(json.dumps({"name": "Борис", "language": "ru", "email": None, "phone": "+7 916 123 45 67"}))

    boris = read(Persona, file)

    assert (boris.name, boris.phone, [str(each) for each in boris.agrees]) == (
        "Борис",
        "+79161234567",
        ["sms", "whatsapp"],
    )
    assert given(None, None, "ru")[0].language == "ru"
    with pytest.raises(InvalidInput, match="has passed"):
        beginning(boris, Script(start=datetime(2020, 1, 1)), datetime.now(UTC))  # noqa: DTZ001  local
    ten = beginning(boris, Script(), datetime(2026, 3, 4, tzinfo=UTC)) - datetime(2026, 3, 9, tzinfo=UTC)
    assert ten == timedelta(hours=9)


def test_the_files_that_the_documentation_shows_can_be_read(tmp_path: Path) -> None:
    boris, script = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "rehearse.md").read_text("utf-8"), re.DOTALL)
    for name, words in (("boris", boris), ("script", script)):
        (tmp_path / f"{name}.toml").write_text(words, encoding="utf-8")

    assert read(Persona, tmp_path / "boris.toml").name == "Борис"
    assert [deed.event for deed in read(Script, tmp_path / "script.toml").does] == [
        "setup_stuck",
        "message_clicked",
        "task_closed",
    ]


async def test_the_command_needs_nothing_but_a_server_to_share(
    tropa: Tropa, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TROPA_HOME", str(postgres.home))
    history = tmp_path / "walk.json"

    code, said, complaints = await tropa("rehearse", "welcome_chain", "--brief", "--history", str(history))

    assert (code, said.splitlines()[-1]) == (0, "WelcomeChain: lapsed on day 10. 4 messages, 1 task.")
    assert "Rehearsing" in complaints
    assert "anna" not in history.read_text().casefold()
    assert "rehearsal_" not in postgres._ask("SELECT string_agg(datname, ' ') FROM pg_database")

    code, _, complaints = await tropa("rehearse", "Welcome")
    assert (code, "there are: AbandonedCart" in complaints) == (1, True)
