"""docker-compose.yml, checked as far as it can be without a Docker engine: by its schema and by what it must hold."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.settings import Settings
from tropa.worker import LAST_ROUND
from workflows.toolkit.options import ACTIVITY

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
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


def test_it_is_valid_by_the_compose_specification() -> None:
    program = Path(sys.executable).parent / "check-jsonschema"
    found = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True, check=False
    )

    assert found.returncode == 0, found.stdout


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
        "TROPA_STAGES",
        "TROPA_TIMEZONE",
        "TROPA_SWEEP",
        "TROPA_APPROVE_ABOVE",
        "TROPA_SITES",
        "TROPA_SITE_EVENTS",
        "TROPA_FORMS",
        "TROPA_PROXIES",
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
    assert all(re.search(r":\d+\.\d+", s["image"]) for name, s in services.items() if "build" not in s), "pin images"


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
