"""docker-compose.yml, checked as far as it can be without a Docker engine: by its schema and by what it must hold."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from adapters.settings import Settings
from tropa.__main__ import app
from tropa.worker import LAST_ROUND
from workflows.toolkit.options import ACTIVITY

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
CHANGING = (ROOT / "docs" / "change-a-live-journey.md").read_text(encoding="utf-8")
OPTIONAL = {  # without them messages go to the sandbox outbox
    f"TROPA_TWILIO_{name}" for name in ("ACCOUNT_SID", "AUTH_TOKEN", "FROM", "MESSAGING_SERVICE", "WHATSAPP_FROM")
} | {
    f"TROPA_{name}"
    for name in (
        *("BOUNCE_DOMAIN", "DKIM_SELECTOR", "DKIM_DOMAIN", "DKIM_KEY"),
        *("TELEGRAM_TOKEN", "TELEGRAM_BOT", "VAPID_PRIVATE_KEY", "STAFF_EMAIL", "HEAD_EMAIL", "HUBSPOT_TOKEN"),
    )
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::-(?P<otherwise>[^}]*)|(?P<asked>:\?)[^}]*)?\}")


def filled(given: dict[str, str]) -> dict[str, Any]:
    """The services that `docker compose config` makes of the file with these variables; those asked for are `x`."""

    def value(found: re.Match[str]) -> str:
        return given.get(found["name"]) or ("x" if found["asked"] else found["otherwise"] or "")

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: fill(each) for name, each in part.items()}
        if isinstance(part, list):
            return [fill(each) for each in part]
        return VARIABLE.sub(value, part) if isinstance(part, str) else part

    services: dict[str, Any] = fill(yaml.safe_load(FILE.read_text())["services"])
    profiles = set(given.get("COMPOSE_PROFILES", "").split(","))
    return {name: each for name, each in services.items() if profiles & set(each.get("profiles", profiles))}


def valid(file: Path) -> str:
    """Nothing, or what the Compose specification has against a file."""
    program = Path(sys.executable).parent / "check-jsonschema"
    found = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", file], capture_output=True, text=True, check=False
    )
    return found.stdout if found.returncode else ""


def test_it_is_valid_by_the_compose_specification(tmp_path: Path) -> None:
    [override] = re.findall(r"```yaml\n(services:.*?)```", CHANGING, re.DOTALL)
    (tmp_path / "override.yml").write_text(override)

    assert valid(FILE) == ""
    assert valid(tmp_path / "override.yml") == ""
    [third] = yaml.safe_load(override)["services"].values()
    assert third["extends"] == {"file": FILE.name, "service": "worker-before"}
    assert third["image"] == f"tropa:{third['environment']['TROPA_RELEASE']}"


def test_the_worker_of_the_release_before_is_of_its_image_and_else_as_the_worker_of_today() -> None:
    [block] = re.findall(r"```sh\n(TROPA_RELEASE=.*?)```", CHANGING, re.DOTALL)
    services = filled(dict(line.split("=") for line in block.splitlines() if "=" in line))
    now, before = services["worker"], services["worker-before"]

    assert (now["image"], before["image"]) == ("tropa:two", "tropa:one")
    assert (before.get("build"), before["pull_policy"]) == (None, "never")  # never made of the code of today
    assert before["environment"] == {**now["environment"], "TROPA_RELEASE": "one"}
    assert now["environment"]["TROPA_RELEASE"] == "two"
    alike = now.keys() - {"build", "image", "environment"}
    assert {name: now[name] for name in alike} == {name: before[name] for name in alike}
    for name in ("migrate", "api"):
        assert (services[name]["image"], services[name]["build"]) == ("tropa:two", ".")


def test_without_releases_there_is_one_worker_of_the_image_that_was_built_last() -> None:
    services = filled({})

    assert "worker-before" not in services
    assert (services["worker"]["image"], services["worker"]["environment"]["TROPA_RELEASE"]) == ("tropa:latest", "")


def test_the_commands_that_the_page_types_into_compose_name_services_that_there_are(compose: dict[str, Any]) -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group

    typed = re.findall(r"docker compose exec (\S+) tropa (\w+)", CHANGING)
    removed = re.findall(r"docker compose rm --stop --force (\S+)", CHANGING)

    assert {command for _, command in typed} == {"release", "releases"} <= known
    assert {service for service, _ in typed} == {"worker"} and removed == ["worker-before"]
    assert {"worker", "worker-before"} <= set(compose["services"])


def test_no_secret_has_a_default_and_the_example_names_every_variable() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line[:40])

    optional = {
        "TEMPORAL_RETENTION",
        "TROPA_TWILIO_PER_SECOND",
        "TROPA_TRACKING",
        "TROPA_UTM",
        "TROPA_CURRENCY",
        "TROPA_JOURNEYS",
        "TROPA_RELEASE",
        "TROPA_RELEASE_BEFORE",
        "TROPA_STAGES",
        "TROPA_TIMEZONE",
        "TROPA_SWEEP",
        "TROPA_APPROVE_ABOVE",
        "TROPA_SITES",
        "TROPA_SITE_EVENTS",
        "TROPA_FORMS",
        "TROPA_PROXIES",
        "TROPA_VISITOR_DAYS",
        *OPTIONAL,
    }
    assert used - asked == optional
    assert used <= {name for name in example if not name.startswith("#")}
    assert not any(value for name, value in example.items() if name in asked)


def test_temporal_is_set_for_good_before_its_first_start(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert int(services["temporal"]["environment"]["NUM_HISTORY_SHARDS"]) >= 512
    assert services["temporal-namespace"]["environment"]["RETENTION"] == "${TEMPORAL_RETENTION:-30d}"
    assert "auto-setup" not in FILE.read_text()
    assert all(re.search(r":\d+\.\d+", s["image"]) for name, s in services.items() if "tropa:" not in s["image"])


def test_what_others_wait_for_has_a_health_check_and_data_has_a_named_volume(compose: dict[str, Any]) -> None:
    services = compose["services"]

    for name in ("postgres", "temporal", "worker", "api"):
        assert "healthcheck" in services[name], name
    assert services["postgres"]["volumes"][0].partition(":")[0] in compose["volumes"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_worker_is_asked_whether_it_makes_progress_and_may_finish_its_sends(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]

    assert f":{worker['environment']['TROPA_LIVE_PORT']}/live" in worker["healthcheck"]["test"][-1]
    # A round of the pumps, then a whole activity, which may have begun just before.
    longest = LAST_ROUND + ACTIVITY["start_to_close_timeout"].total_seconds()
    assert int(worker["stop_grace_period"].removesuffix("s")) >= longest


def test_the_settings_it_hands_over_exist_and_suit_production(compose: dict[str, Any]) -> None:
    given = compose["services"]["api"]["environment"]
    known = {f"TROPA_{name.upper()}" for name in Settings.model_fields}
    filled = {
        "TROPA_SECRETS": ["s" * 32],
        "TROPA_PUBLIC_URL": "https://tropa.example",
        "TROPA_SMTP_URL": "smtp://mail.example",
        "TROPA_TWILIO_PER_SECOND": "10",
        "TROPA_TRACKING": "full",
        "TROPA_UTM": "true",
        "TROPA_CURRENCY": "KZT",
        "TROPA_JOURNEYS": "",
        "TROPA_RELEASE": "2026-03",
        "TROPA_STAGES": "seven",
        "TROPA_TIMEZONE": "Asia/Almaty",
        "TROPA_SWEEP": "",
        "TROPA_APPROVE_ABOVE": "1000",
        "TROPA_SITES": ["https://shop.example"],
        "TROPA_SITE_EVENTS": [],
        "TROPA_FORMS": ["newsletter"],
        "TROPA_PROXIES": "1",
        "TROPA_VISITOR_DAYS": "90",
        "TROPA_MAIL_FROM": "Shop <hello@shop.example>",
    }

    assert set(given) <= known
    values = {
        name.removeprefix("TROPA_").lower(): filled.get(name, "" if name in OPTIONAL else value)
        for name, value in given.items()
    }
    assert Settings.model_validate(values).checked().environment == "production"


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_valid_shell(script: Path) -> None:
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
