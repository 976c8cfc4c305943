"""The audit log: every change by a key or a person, with who and what, and nobody can take it back."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from services.keys import Keys
from tests.api.stories import ANNA, PROFILE, enroll, know_anna, rows
from tests.support.factories import settings_for
from tests.test_operate_page import PAGE
from tropa.wiring import House, build

BASICS = {"options": {"basics_on_day": "3 days"}}


async def log(api: httpx.AsyncClient, **filters: str | int) -> list[dict[str, Any]]:
    answer = await api.get("/v1/audit", params=filters)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def test_a_changed_setting_is_kept_with_who_what_before_and_after(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/journeys/WelcomeChain", json=BASICS)
    await api.patch(
        "/v1/journeys/WelcomeChain", json={"options": {"basics_on_day": "4 days"}}, headers={"X-Request-Id": "r-7"}
    )

    newest = (await log(api, subject="WelcomeChain"))[0]

    assert newest["actor_name"] == "the shop"
    assert newest["actor"] in api.headers["Authorization"]
    assert (newest["action"], newest["subject_kind"], newest["request"]) == ("journey.set", "journey", "r-7")
    assert (newest["before"], newest["after"]) == ({"basics_on_day": "3 days"}, {"basics_on_day": "4 days"})


async def test_what_changes_nothing_is_no_entry(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/journeys/WelcomeChain", json=BASICS)
    await api.patch("/v1/journeys/WelcomeChain", json=BASICS)
    await know_anna(api)
    await know_anna(api)
    paused = (await enroll(api)).headers["location"] + "/pause"
    await api.post(paused)
    await api.post(paused)

    actions = [entry["action"] for entry in await log(api)]

    assert actions == ["enrollment.paused", "enrollment.entered", "customer.created", "journey.set", "key.created"]


async def test_a_setting_takes_an_idempotency_key_like_its_neighbors(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "set-basics-1"}

    first = await api.patch("/v1/journeys/WelcomeChain", json=BASICS, headers=key)
    again = await api.patch("/v1/journeys/WelcomeChain", json=BASICS, headers=key)
    other = await api.patch("/v1/journeys/WelcomeChain", json={"options": {}}, headers=key)

    assert (first.status_code, first.content) == (200, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422


async def test_a_profile_is_told_by_names_and_a_consent_by_its_word(api: httpx.AsyncClient, house: House) -> None:
    ours = (await know_anna(api))["id"]
    await api.patch(
        f"/v1/customers/{ANNA}",
        json={"attributes": {"first_name": "Canary"}, "consents": {"email": {"status": "denied"}}},
    )

    changed, created = await log(api, subject=ours, subject_kind="customer")

    assert created["after"] == {
        "fields": ["attributes", "email", "locale", "phone", "timezone"],
        "consent email": "granted",
    }
    assert changed["before"] == {"consent email": "granted"}
    assert changed["after"] == {"fields": ["attributes"], "consent email": "denied"}
    kept = str(await rows(house, "SELECT * FROM audit"))
    assert not [word for word in (ANNA, "Anna", "Petrova", "Canary", "901820") if word in kept]


async def test_a_contact_policy_is_kept_as_it_was_and_as_it_is(api: httpx.AsyncClient) -> None:
    policy = (await api.get("/v1/contact-policy")).json()["policy"]
    for gap in ("5 hours", "6 hours", "6 hours"):
        assert (await api.put("/v1/contact-policy", json={**policy, "gap": gap})).status_code == 200

    newest, first = await log(api, subject_kind="contact_policy")

    assert (newest["action"], newest["actor_name"], newest["subject"]) == ("contact_policy.set", "the shop", "2")
    assert (newest["before"]["version"], newest["before"]["policy"]["gap"]) == (1, "PT18000S")
    assert (newest["after"]["version"], newest["after"]["policy"]["gap"]) == (2, "PT21600S")
    assert first["before"]["version"] == 0


async def test_a_choice_that_staff_make_is_told_by_its_name_and_a_topic_by_its_word(api: httpx.AsyncClient) -> None:
    ours = (await know_anna(api))["id"]
    choice = {"frequency": "weekly", "topics": {"promotions": False}, "wording": "Canary?", "proof": "Canary"}
    for body in (choice, {"frequency": "weekly"}):
        assert (await api.patch(f"/v1/customers/{ANNA}/preferences", json=body)).status_code == 200
    await api.put(f"/v1/customers/{ANNA}/addresses/telegram", json={"chat_id": "4242"})
    await api.put(f"/v1/customers/{ANNA}/addresses/telegram", json={"chat_id": "4242"})

    chat, chosen, created = await log(api, subject=ours)

    assert [entry["action"] for entry in (chosen, created)] == ["customer.changed", "customer.created"]
    assert (chosen["before"], chosen["after"]) == (
        {},
        {"fields": ["frequency"], "consent all/promotions": "denied"},
    )
    assert (chat["action"], chat["after"]) == ("customer.changed", {"fields": ["telegram"]})
    assert "Canary" not in str([chat, chosen]) and "4242" not in str([chat, chosen])


async def test_who_is_told_what_is_kept_without_the_rest_of_the_address(api: httpx.AsyncClient) -> None:
    body = {"url": "https://93.184.215.14/hook/secret-7", "events": ["message.sent"]}
    made = await api.post("/v1/webhooks", json=body)
    assert made.status_code == 201, made.text
    webhook = made.json()["id"]
    await api.delete(f"/v1/webhooks/{webhook}")

    removed, created = await log(api, subject=webhook)

    assert (created["action"], created["after"]) == (
        "webhook.created",
        {"host": "93.184.215.14", "events": ["message.sent"]},
    )
    assert (removed["action"], removed["after"]) == ("webhook.removed", None)
    assert "secret-7" not in str([removed, created])


async def test_what_staff_do_to_an_enrollment_is_kept_without_their_words(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    enrollment = (await enroll(api)).json()["id"]
    for verb, body in (("pause", None), ("resume", None), ("leave", {"reason": "Canary asked"}), ("leave", {})):
        assert (await api.post(f"/v1/enrollments/{enrollment}/{verb}", json=body)).status_code == 200

    entries = await log(api, subject=enrollment)

    assert [entry["action"].split(".")[1] for entry in reversed(entries)] == ["entered", "paused", "resumed", "left"]
    assert "Canary" not in str(entries)


async def test_keys_are_kept_from_their_making_to_their_end(api: httpx.AsyncClient, house: House) -> None:
    keys = Keys(house.database)
    made = await keys.create("support", ["console"])
    await keys.revoke(made.split("_")[1])

    revoked, created = await log(api, subject=made.split("_")[1])

    assert (created["action"], created["after"]) == ("key.created", {"name": "support", "scopes": ["console"]})
    assert (revoked["action"], revoked["actor"]) == ("key.revoked", "command line")
    assert made not in str(await rows(house, "SELECT * FROM audit"))


async def test_what_is_rolled_back_leaves_no_entry(api: httpx.AsyncClient) -> None:
    before = await log(api)

    refused = await api.patch("/v1/journeys/WelcomeChain", json={"options": {"basics_on_day": "never"}})

    assert refused.status_code == 422
    assert await log(api) == before


async def test_pages_and_filters(api: httpx.AsyncClient) -> None:
    for day in range(2, 7):
        await api.patch("/v1/journeys/WelcomeChain", json={"options": {"basics_on_day": f"{day} days"}})

    seen, cursor = [], None
    while True:
        page = (await api.get("/v1/audit", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["entries"]
        cursor = page["cursor"]
        if cursor is None:
            break

    assert seen == await log(api)
    assert len({entry["id"] for entry in seen}) == 6
    assert await log(api, actor="nobody") == []
    assert {entry["action"] for entry in await log(api, actor="command line")} == {"key.created"}
    assert (await api.get("/v1/audit", params={"cursor": "x"})).status_code == 422


CHANGES = [
    "UPDATE audit SET actor_name = 'somebody else'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit (id, actor, actor_name, action, subject_kind, subject) OVERRIDING SYSTEM VALUE "
    "SELECT id, 'x', 'x', 'x', 'x', 'x' FROM audit ON CONFLICT (id) DO UPDATE SET actor = 'x'",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_nobody_changes_what_is_written(api: httpx.AsyncClient, house: House, change: str) -> None:
    before = await log(api)

    with pytest.raises(ProgrammingError, match="can only be added to"):
        async with house.database.transaction() as connection:
            await connection.exec_driver_sql(change)

    assert await log(api) == before


async def test_an_application_with_a_role_of_its_own_works_and_cannot_touch_the_log(
    api: httpx.AsyncClient, house: House
) -> None:
    paste = PAGE.partition("```sql\n")[2].partition("```")[0]
    assert "CREATE ROLE tropa_app" in paste
    await know_anna(api)
    url = make_url(house.settings.database_url or "")
    owner = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        for statement in paste.replace("…", "a password").replace("tropa_app", "narrow").split(";"):
            if statement.strip():
                await owner.execute(statement)
        as_app = url.set(username="narrow", password="a password")
        narrow = await build(settings_for(as_app.render_as_string(hide_password=False)), clock=house.clock)
        try:
            await Keys(narrow.database).create("made by the application", ["console"])
            assert (await log(api))[0]["after"]["name"] == "made by the application"
            for forbidden in (*CHANGES, "ALTER TABLE audit DISABLE TRIGGER USER", "DROP TABLE audit"):
                with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                    async with narrow.database.transaction() as connection:
                        await connection.exec_driver_sql(forbidden)
        finally:
            await narrow.database.close()
    finally:
        await owner.execute("DROP OWNED BY narrow")
        await owner.execute("DROP ROLE narrow")
        await owner.close()


async def test_changes_at_once_are_all_kept(api: httpx.AsyncClient) -> None:
    await asyncio.gather(*(api.put(f"/v1/customers/c{n}", json={**PROFILE, "phone": None}) for n in range(10)))

    assert [entry["action"] for entry in await log(api)].count("customer.created") == 10
