"""Segments that leave the house: a list that computes nothing, and hashes of those alone who agreed to ads."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database import customers
from domain.ads import ADS, Platform, hashed_email, hashed_phone
from domain.customers import Consent, ConsentStatus
from domain.errors import NotFound
from services import ad_audiences, segment_export
from services.ad_audiences import AdAudiences
from services.segment_export import SegmentExport
from tests.services.bench import Bench
from tests.support.everybody import Everybody
from tests.support.factories import STAFF


async def says(bench: Bench, customer_id: str, scope: str, status: ConsentStatus, *, days_ago: int = 1) -> None:
    word = Consent(status=status, at=bench.clock.now() - timedelta(days=days_ago), source="test")
    async with bench.database.transaction() as connection:
        await customers.put_consent(connection, bench.ours[customer_id], scope, word)


async def lines(pieces: Any) -> list[list[str]]:
    whole = b"".join([piece async for piece in pieces]).decode()
    return list(csv.reader(io.StringIO(whole)))


@pytest.fixture
async def ads(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AdAudiences:
    """Anna and a few others who agreed, and those who are in no audience; read two at a time."""
    monkeypatch.setattr(ad_audiences, "AT_ONCE", 2)
    for number, name in enumerate(("anna", "silent", "said no", "left", "gone", "bounced", "nowhere", "boris")):
        await bench.a_customer(name, phone=f"+4930{number}")
        if name != "silent":
            await says(bench, name, ADS, ConsentStatus.GRANTED, days_ago=2)
    await bench.change("UPDATE customers SET email = 'Anna@Example.com' WHERE customer_id = 'anna'")
    await bench.change("UPDATE customers SET email = NULL, phone = NULL WHERE customer_id = 'nowhere'")
    await says(bench, "said no", ADS, ConsentStatus.DENIED)
    await bench.does("opted_out", "left")
    await bench.does("hard_bounced", "bounced")
    await bench.erase("gone")
    return AdAudiences(bench.database, bench.surrogates, Everybody(), scope=ADS, daily=["everybody"], folder=tmp_path)


async def test_only_who_agreed_and_can_be_reached_is_in_an_audience(bench: Bench, ads: AdAudiences) -> None:
    for_meta = await lines(ads.pieces("everybody", Platform.META))
    for_google = await lines(ads.pieces("everybody", Platform.GOOGLE))

    def of(email: str, number: int, platform: Platform) -> list[str]:
        return [hashed_email(email) if email else "", hashed_phone(f"+4930{number}", platform)]

    assert for_meta == [
        ["email", "phone"],
        of("anna@example.com", 0, Platform.META),
        of("", 5, Platform.META),  # the address bounced, the number stands
        of("boris@example.com", 7, Platform.META),
    ]
    assert for_google[0] == ["Email", "Phone"]
    assert for_google[1] == of("anna@example.com", 0, Platform.GOOGLE)


async def test_audiences_are_written_into_files_that_only_we_read(ads: AdAudiences, tmp_path: Path) -> None:
    told: list[str] = []

    assert await ads.write_all(told.append) == 2

    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == sorted(told) == ["everybody.google.csv", "everybody.meta.csv"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len(files[1].read_text().splitlines()) == 4


async def test_taking_either_is_kept_in_the_audit_log(bench: Bench, ads: AdAudiences) -> None:
    export = SegmentExport(bench.database, Everybody())

    async with bench.database.transaction() as connection:
        await ads.begin(connection, "everybody", Platform.META, actor=STAFF)
        await export.begin(connection, "everybody", actor=STAFF)
    with pytest.raises(NotFound):
        async with bench.database.transaction() as connection:
            await ads.begin(connection, "nobody", Platform.META, actor=STAFF)

    log = await bench.rows("SELECT action, subject, after FROM audit WHERE subject_kind = 'segment' ORDER BY id")
    assert [(row["action"], row["subject"], row["after"]) for row in log] == [
        ("audience.exported", "everybody", {"platform": "meta", "consent": "all/ads"}),
        ("segment.exported", "everybody", None),
    ]


async def test_a_segments_list_has_everybody_and_computes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_export, "AT_ONCE", 2)
    for name in ("=1+1", "anna", "boris"):
        await bench.a_customer(name, email=f"{len(name)}@example.com", phone="+49301")

    found = await lines(SegmentExport(bench.database, Everybody()).pieces("everybody"))

    assert found[0][:3] == ["customer_id", "email", "phone"]
    assert [row[:3] for row in found[1:]] == [
        ["'=1+1", "4@example.com", "'+49301"],
        ["anna", "4@example.com", "'+49301"],
        ["boris", "5@example.com", "'+49301"],
    ]
