"""What a person may ask: to be erased, to see everything; and profiles that turn out to be one person."""

import json

import httpx
import pytest

from domain.messages import Channel
from services.exporting import Exporting
from tests.api.stories import ANNA, PROFILE, audited, enroll, happens, know_anna, rows, send
from tests.support.factories import SettableClock
from tests.support.typing_commands import Tropa
from tropa.wiring import House

ADDRESS = f"/v1/customers/{ANNA}"


# Erasing -------------------------------------------------------------------------------------------------------------


async def test_erased_a_customer_is_gone_for_the_api(api: httpx.AsyncClient, house: House) -> None:
    ours = (await know_anna(api))["id"]
    await enroll(api)

    erased = await api.delete(ADDRESS)

    assert erased.status_code == 200
    assert erased.json() == {"id": ours, "erased_at": "2026-03-02T10:00:00Z"}
    assert (await api.delete(ADDRESS)).json() == erased.json()
    for method, path in (("GET", ""), ("GET", "/timeline"), ("GET", "/export"), ("PATCH", "")):
        assert (await api.request(method, ADDRESS + path, json={} if method == "PATCH" else None)).status_code == 404
    assert (await api.put(ADDRESS, json=PROFILE)).status_code == 409
    assert (await enroll(api)).status_code == 404
    assert (await audited(api, ours))[0] == "customer.erased"
    assert "anna" not in str(await rows(house, "SELECT * FROM audit"))


async def test_nobody_unknown_is_erased(api: httpx.AsyncClient) -> None:
    assert (await api.delete("/v1/customers/nobody")).status_code == 404


async def test_answers_kept_for_repeats_go_with_their_customer(api: httpx.AsyncClient, house: House) -> None:
    await know_anna(api)
    await know_anna(api, "boris")
    for person in (ANNA, "boris"):
        await enroll(api, person, **{"Idempotency-Key": f"enter {person}"})

    await api.delete(ADDRESS)

    assert await rows(house, "SELECT key FROM idempotency_keys") == [{"key": "enter boris"}]


async def test_an_old_unsubscribe_link_of_somebody_erased_is_known_no_more_and_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    ours = (await know_anna(api))["id"]
    link = house.links.unsubscribe(ours, Channel.EMAIL).partition("/u/")[2]
    await api.delete(ADDRESS)
    before = await rows(house, "SELECT * FROM consents")

    pressed = await stranger.post(f"/u/{link}", data={"List-Unsubscribe": "One-Click"})

    assert pressed.status_code == 404
    assert await rows(house, "SELECT * FROM consents") == before


@pytest.mark.parametrize(("lang", "words"), [("en", "Erased customer"), ("ru", "Удалённый клиент")])
async def test_the_console_shows_that_they_were_erased(
    api: httpx.AsyncClient, staff: httpx.AsyncClient, house: House, lang: str, words: str
) -> None:
    await know_anna(api)
    await enroll(api)
    await api.delete(ADDRESS)

    page = await staff.get(f"/console/customers/{ANNA}", params={"lang": lang})

    assert page.status_code == 200
    assert words in page.text
    assert "Petrova" not in page.text
    left = {"en": "Left: the customer was erased", "ru": "прерван: данные клиента удалены"}[lang]
    assert left.casefold() in page.text.casefold()


async def test_the_list_of_erasures_erases_again_on_a_restored_backup(
    api: httpx.AsyncClient, house: House, tropa: Tropa, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await know_anna(api)
    await know_anna(api, "boris")
    profile = (await rows(house, "SELECT * FROM customers WHERE customer_id = 'boris'"))[0]
    await api.delete("/v1/customers/boris")
    _, printed, _ = await tropa("erasures")
    file = tmp_path_factory.mktemp("kept") / "erasures.jsonl"
    file.write_text(printed)
    async with house.database.transaction() as connection:  # as a backup from before would have it
        await connection.exec_driver_sql("DELETE FROM erasures")
        await connection.exec_driver_sql(
            "UPDATE customers SET customer_id = 'boris', erased_at = NULL, email = 'anna@example.com' "
            "WHERE erased_at IS NOT NULL"
        )

    code, said, _ = await tropa("erasures", "--replay", str(file))

    assert (code, said.strip()) == (0, "1 on the list, 1 erased again.")
    assert "boris" not in printed and profile["id"] in printed
    assert (await api.get("/v1/customers/boris")).status_code == 404
    assert (await api.get(ADDRESS)).status_code == 200
    assert (await tropa("erasures", "--replay", str(file)))[1].strip() == "1 on the list, 0 erased again."
    assert (await tropa("erasures"))[1] == printed


async def test_a_list_that_is_none_is_refused(tropa: Tropa, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("kept") / "list"
    file.write_text('{"key": "canary"}\n')

    code, _, complaint = await tropa("erasures", "--replay", str(file))

    assert code == 1
    assert "is not a list" in complaint and "canary" not in complaint


# Seeing everything ---------------------------------------------------------------------------------------------------


async def test_a_person_gets_everything_that_is_stored_about_them(
    api: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    ours = (await know_anna(api))["id"]
    await know_anna(api, "boris", email="boris@example.com")
    entered = (await enroll(api)).json()
    await send(house, entered, "greeting", clock.now())
    await happens(api, house, "looked", product="a red kettle")
    waiting = {"event_id": "1", "customer_id": ANNA, "name": "looked", "properties": {"product": "a blue one"}}
    await api.post("/v1/events", json={"events": [waiting]})

    await api.post(f"{ADDRESS}/notes", json={"text": "Prefers calls"})
    await api.put("/v1/deals/D-1", json={"customer_id": ANNA, "pipeline": "sales", "stage": "new"})

    answer = await api.get(f"{ADDRESS}/export")

    assert answer.headers["content-type"] == "application/json"
    assert ours in answer.headers["content-disposition"]
    all_ = answer.json()
    assert list(all_)[:3] == ["customers", "customer_aliases", "consents"]
    assert [row["email"] for row in all_["customers"]] == [ANNA]
    assert [row["source"] for row in all_["consents"]] == ["sign-up form"]
    assert "Hello Anna" in all_["sends"][0]["rendered"]["text"] or "Anna" in all_["sends"][0]["rendered"]["text"]
    assert {row["properties"].get("product") for row in all_["events"]} >= {"a red kettle", "a blue one"}
    assert [row["id"] for row in all_["enrollments"]] == [entered["id"]]
    assert all_["decisions"]
    assert (all_["tasks"], all_["notices"], all_["crm_updates"]) == ([], [], [])
    assert [row["text"] for row in all_["notes"]] == ["Prefers calls"]
    assert [row["deal_id"] for row in all_["deals"]] == ["D-1"]
    assert "boris" not in answer.text
    assert (await audited(api, ours))[0] == "customer.exported"


async def test_an_export_is_read_in_pieces_and_is_json_whatever_it_holds(api: httpx.AsyncClient, house: House) -> None:
    ours = (await know_anna(api, attributes={"a": '"}],\n\\ \u2028 ключ'}))["id"]
    events = [{"event_id": str(n), "customer_id": ANNA, "name": "looked"} for n in range(1000)]
    await api.post("/v1/events", json={"events": events})

    pieces = [piece async for piece in Exporting(house.database).pieces(ours)]

    assert len(pieces) > 1000
    assert len(json.loads(b"".join(pieces))["events"]) >= 1000


# One person ----------------------------------------------------------------------------------------------------------


async def test_two_profiles_become_one_and_both_ids_lead_there(api: httpx.AsyncClient, house: House) -> None:
    ours = (await know_anna(api, phone=None))["id"]
    other = (await know_anna(api, "anja", email=None))["id"]
    key = {"Idempotency-Key": "one-person"}

    merged = await api.post(f"{ADDRESS}/merge", json={"from": "anja"}, headers=key)
    again = await api.post(f"{ADDRESS}/merge", json={"from": "anja"}, headers=key)

    assert merged.status_code == 200, merged.text
    assert (merged.json()["id"], merged.json()["phone"]) == (ours, "+4930901820")
    assert again.content == merged.content
    assert (await api.get("/v1/customers/anja")).json() == (await api.get(ADDRESS)).json()
    assert (await api.patch("/v1/customers/anja", json={"locale": "ru"})).json()["customer_id"] == ANNA
    assert (await api.get("/v1/customers/anja/timeline")).json() == (await api.get(f"{ADDRESS}/timeline")).json()
    entries = (await api.get("/v1/audit", params={"subject": ours})).json()["entries"]
    assert (entries[1]["action"], entries[1]["after"]) == ("customer.merged", {"merged": other})


async def test_a_visitor_is_recognized(api: httpx.AsyncClient, house: House) -> None:
    await happens(api, house, "looked", "visitor-1")
    await know_anna(api)

    known = await api.post(f"{ADDRESS}/identify", json={"visitor_id": "visitor-1"})
    await happens(api, house, "looked", "visitor-1")

    assert known.json()["customer_id"] == ANNA
    told = (await api.get(f"{ADDRESS}/timeline", params={"locale": "ru"})).json()["entries"]
    assert [e["text"] for e in told].count("Событие: looked") == 2
    assert "Узнан: прежние визиты присоединены" in [entry["text"] for entry in told]


async def test_what_cannot_be_joined_says_why(api: httpx.AsyncClient) -> None:
    await know_anna(api)
    await know_anna(api, "boris")

    for verb, body, status in (
        ("merge", {"from": ANNA}, 409),
        ("merge", {"from": "nobody"}, 404),
        ("merge", {}, 422),
        ("merge", {"into": "boris"}, 422),
        ("identify", {"visitor_id": "boris"}, 409),
        ("identify", {"visitor_id": ""}, 422),
    ):
        answer = await api.post(f"{ADDRESS}/{verb}", json=body)
        assert answer.status_code == status, (verb, body, answer.text)
        assert "boris" not in answer.text and "nobody" not in answer.text
