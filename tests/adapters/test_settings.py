"""Settings that fit together, and what of Twilio is loaded where it is not wanted: nothing."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.channels.sandbox import SandboxGateway
from adapters.settings import Settings
from domain.clock import Pace
from domain.errors import Misconfigured
from domain.messages import Channel
from domain.rfm import Bounds
from domain.sweep import SweepRules
from tests.support.factories import SettableClock, compiled, settings_for
from tropa.wiring import build

TWILIO = {
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "token",
    "twilio_from": "+15005550006",
    "public_url": "https://shop.test",
}


def settings(**changes: str) -> Settings:
    return Settings.model_validate({k: v for k, v in {**TWILIO, **changes}.items() if v})


def test_all_of_twilio_or_none_of_it() -> None:
    assert settings().checked().twilio
    assert settings(twilio_from="", twilio_messaging_service="MG" + "0" * 32).checked().twilio
    assert settings(twilio_from="", twilio_whatsapp_from="+15005550006").checked().twilio
    assert not settings(twilio_from="", twilio_whatsapp_from="+15005550006").texts_by_twilio
    assert not Settings().checked().twilio


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"twilio_account_sid": ""}, "TROPA_TWILIO_ACCOUNT_SID"),
        ({"twilio_account_sid": "AC123"}, "TROPA_TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": ""}, "TROPA_TWILIO_AUTH_TOKEN"),
        ({"twilio_from": ""}, "one of TROPA_TWILIO_FROM and TROPA_TWILIO_MESSAGING_SERVICE"),
        ({"twilio_messaging_service": "MG" + "0" * 32}, "one of TROPA_TWILIO_FROM and TROPA_TWILIO_MESSAGING_SERVICE"),
        ({"twilio_whatsapp_from": "0049"}, "TROPA_TWILIO_WHATSAPP_FROM"),
        ({"public_url": ""}, "TROPA_PUBLIC_URL"),
        ({"environment": "production", "twilio_base_url": "http://127.0.0.1:1"}, "TROPA_TWILIO_BASE_URL is for tests"),
    ],
)
def test_half_of_twilio_is_refused_by_name_and_the_token_is_not_told(changes: dict[str, str], named: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        settings(**changes).checked()

    assert named in str(raised.value)
    assert TWILIO["twilio_auth_token"] not in str(raised.value).split()
    assert "SecretStr('**********')" in repr(settings())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"bounce_domain": "bounces.shop.example>"}, "TROPA_BOUNCE_DOMAIN"),
        ({"bounce_domain": "почта.example"}, "TROPA_BOUNCE_DOMAIN"),
        ({"dkim_domain": "shop"}, "TROPA_DKIM_DOMAIN"),
        ({"dkim_key": "PEM"}, "TROPA_DKIM_SELECTOR"),
        ({"dkim_key": "PEM", "dkim_key_file": "key.pem", "dkim_selector": "s1"}, "one of TROPA_DKIM_KEY_FILE and"),
    ],
)
def test_mail_settings_that_do_not_fit_are_refused_by_name(changes: dict[str, str], named: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        Settings.model_validate(changes).checked()

    assert named in str(raised.value) and "PEM" not in str(raised.value)


def test_what_the_sweep_goes_by_is_read_and_the_rest_stays_as_it_is() -> None:
    said = '{"gone_after": "365 days", "rfm_window": "730 days", "rfm_fixed": true, "rfm_monetary": [1, 2.50, 30, 400]}'

    rules = Settings.model_validate({"sweep": said}).checked().sweep_rules

    assert (rules.dormant_after, rules.gone_after) == (timedelta(days=90), timedelta(days=365))
    assert (rules.rfm.window, rules.rfm.fixed) == (timedelta(days=730), True)
    assert rules.rfm.bounds.monetary == (Decimal(1), Decimal("2.50"), Decimal(30), Decimal(400))
    assert rules.rfm.bounds.frequency == Bounds().frequency
    assert Settings().sweep_rules == SweepRules()


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("{", "TROPA_SWEEP: Input data was truncated"),
        ('{"gone": "1 day"}', "TROPA_SWEEP: Object contains unknown field `gone`"),
        ('{"gone_after": "a year"}', "TROPA_SWEEP: gone_after: 'a year' is not a duration"),
        ('{"gone_after": 365}', "`$.gone_after`"),
        ('{"gone_after": "90 days"}', "TROPA_SWEEP: gone_after: must be longer than dormant_after, 90 days"),
        (
            '{"dates": {"contract_ends": [400]}}',
            "TROPA_SWEEP: dates.contract_ends: must be whole days from -366 to 366",
        ),
        ('{"rfm_frequency": [5, 4, 3, 2]}', "TROPA_SWEEP: frequency: must be four numbers"),
        ('{"rfm_frequency": [5]}', "`$.rfm_frequency`"),
    ],
)
def test_what_the_sweep_cannot_go_by_is_refused_by_name(said: str, named: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        Settings.model_validate({"sweep": said}).checked()

    assert named in str(raised.value)


async def test_twilio_sends_texts_where_it_is_configured_and_the_sandbox_where_not(
    database_url: str, clock: SettableClock
) -> None:
    pace = Pace(anchor=clock.now())

    with_it = await build(settings_for(database_url, **TWILIO), clock=clock, pace=pace, library=compiled())
    without = await build(settings_for(database_url), clock=clock, pace=pace, library=compiled())

    assert with_it.sending.askable.count("twilio") == 1
    assert set(without.sending.askable) == {"sandbox", "in-app"}
    assert isinstance(without.sending._gateways[Channel.SMS], SandboxGateway)
    await with_it.database.close()
    await without.database.close()


def test_the_library_is_not_even_imported_without_need() -> None:
    loaded = (
        "import sys, tropa.wiring, tropa.serve, tropa.worker, workflows.registry;"
        "print([name for name in sys.modules if name.split('.')[0] in ('twilio', 'cryptography', 'dns')])"
    )

    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
