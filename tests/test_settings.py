"""Settings that do not fit together are refused at start, all at once and in words."""

import pytest

from adapters.settings import Settings
from domain.errors import Misconfigured


def test_the_defaults_run_the_product_locally() -> None:
    assert Settings.model_validate({}).checked().environment == "development"


def test_production_refuses_what_development_allows_and_names_it_all() -> None:
    with pytest.raises(Misconfigured) as caught:
        Settings.model_validate({"environment": "production", "pace": 60}).checked()

    for setting in ("TROPA_SECRETS", "TROPA_PUBLIC_URL", "TROPA_PACE", "TROPA_DATABASE_URL"):
        assert setting in str(caught.value)


def test_production_refuses_a_short_secret() -> None:
    with pytest.raises(Misconfigured, match="at least 32 characters"):
        Settings.model_validate({"environment": "production", "secrets": ["short"]}).checked()


@pytest.mark.parametrize("name", ["staff_email", "head_email"])
@pytest.mark.parametrize("address", ["team", "a@b", "Team <team@example.com>", "a@example.com, b@example.com"])
def test_whoever_is_told_has_one_address(name: str, address: str) -> None:
    with pytest.raises(Misconfigured, match=f"TROPA_{name.upper()}"):
        Settings.model_validate({name: address}).checked()


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(Misconfigured, match="Mars/Olympus"):
        Settings.model_validate({"timezone": "Mars/Olympus"}).checked()


def test_audiences_need_a_folder_and_a_consent_that_can_be_given() -> None:
    with pytest.raises(Misconfigured) as caught:
        Settings.model_validate({"audiences": ["sleeping"], "ads_consent": "everything"}).checked()

    assert "TROPA_AUDIENCES_FOLDER" in str(caught.value) and "TROPA_ADS_CONSENT" in str(caught.value)


@pytest.mark.parametrize(
    ("every", "told"), [("5 minutes", "from 15 minutes to 31 days"), ("hourly", "'hourly' is not a duration")]
)
def test_audiences_are_written_as_often_as_makes_sense(every: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=f"TROPA_AUDIENCES_EVERY .*{told}"):
        Settings.model_validate({"audiences_every": every}).checked()

    assert Settings.model_validate({"audiences_every": "1 hour"}).checked()


SITES = {"sites": ["https://shop.example", "http://localhost:3000"], "site_events": ["quiz_finished"]}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sites": ["https://shop.example/"]}, "TROPA_SITES"),
        ({"sites": ["shop.example"]}, "TROPA_SITES"),
        ({"sites": ["*"]}, "TROPA_SITES"),
        ({"sites": ["javascript://shop.example"]}, "TROPA_SITES"),
        ({"environment": "production"}, "'http://localhost:3000' is no origin"),
        ({"site_events": ["order_placed"]}, "TROPA_SITE_EVENTS: order_placed is nothing that a stranger may say"),
        ({"site_events": ["opt_in_confirmed"]}, "TROPA_SITE_EVENTS"),
        ({"forms": ["none"]}, "TROPA_FORMS names 'none'"),
        ({"forms": ["newsletter"], "journeys": "WelcomeChain"}, "TROPA_JOURNEYS must name DoubleOptIn, too"),
    ],
)
def test_what_strangers_may_do_here_is_checked_by_name(changes: dict[str, object], named: str) -> None:
    assert Settings.model_validate(SITES).checked().sites == SITES["sites"]

    with pytest.raises(Misconfigured) as raised:
        Settings.model_validate(SITES | changes).checked()

    assert named in str(raised.value)
