"""Codes: one for each customer and step, never one for two, good as long as the letter says, and used once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database import offers, personal
from adapters.offer_codes import CodeMaker
from adapters.templates import MessageLibrary
from domain.errors import Conflict, NotFound
from domain.messages import Channel
from domain.offers import key_of
from domain.sends import SendState, send_id
from services.offers import CodeState
from tests.services.bench import NO_LIMITS, SECRET, Bench
from tests.services.shop_letters import an_offer, previewed, write_shop, written
from tests.support.factories import STAFF
from tests.support.providers import RETRY

MANY = 20


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    folder: Path = tmp_path_factory.mktemp("shop") / "messages"
    return write_shop(folder)


@pytest.fixture
def bench(bench: Bench) -> Bench:
    return bench.with_policy(NO_LIMITS)


async def codes(bench: Bench) -> list[dict[str, Any]]:
    return await bench.rows("SELECT * FROM offer_codes ORDER BY id")


async def used(bench: Bench, *given: str, customer: str = "anna", order: str = "A-1") -> int:
    """An order used codes."""
    async with bench.database.transaction() as connection:
        return await offers.redeem(connection, bench.ours[customer], order=order, codes=given, at=bench.clock.now())


async def state_of(bench: Bench, code: str) -> CodeState:
    async with bench.database.transaction() as connection:
        return (await bench.offers.check(connection, code)).state


async def counts(bench: Bench) -> offers.Counts:
    async with bench.database.transaction() as connection:
        return (await bench.offers.get(connection, "welcome5")).counts


# Giving --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("locale", "discount", "day"), [("en", "5%", "9 March 2026"), ("ru", "5 %", "9 марта 2026")])
async def test_s28_a_letter_gives_a_code_that_nobody_can_guess(
    bench: Bench, locale: str, discount: str, day: str
) -> None:
    await an_offer(bench, kind="generated", valid_for=timedelta(days=7))
    await bench.a_customer(locale=locale)
    walk = await bench.a_walk()

    await bench.send(walk, "coupon")

    code = (await codes(bench))[0]
    assert await written(bench, walk, "coupon") == f"{code['code']} {discount} {day}"
    assert code["code"] == CodeMaker(SECRET).make("welcome5", "WELCOME5", send_id(walk, "coupon", 1))
    assert code["code"] != CodeMaker("another").make("welcome5", "WELCOME5", send_id(walk, "coupon", 1))
    assert code["customer"] == bench.ours["anna"]


async def test_a_retry_and_the_next_leg_have_the_same_code_and_the_next_step_has_another(bench: Bench) -> None:
    await an_offer(bench, "ONE", "TWO", "THREE")
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    cascade = bench.request(walk, "coupon", cascade=True)
    with pytest.raises(Exception, match="busy"):
        await bench.sending.send(cascade, started=bench.clock.now())

    await bench.sending.send(cascade, started=bench.clock.now())
    leg = bench.request(walk, "coupon", cascade=True, leg=1)
    by_text = await bench.sending.send(leg, started=bench.clock.now())
    await bench.send(walk, "coupon", visit=2)

    assert by_text.channel is Channel.SMS
    texts = await bench.rows("SELECT rendered ->> 'text' AS text FROM sends WHERE channel = 'sms'")
    assert [each["text"].split()[0] for each in texts] == ["ONE"]
    assert [(await written(bench, walk, "coupon", visit=visit)).split()[0] for visit in (1, 2)] == ["ONE", "TWO"]
    assert await counts(bench) == offers.Counts(given=2, left=1)


async def test_twenty_at_once_never_share_a_code_and_who_comes_late_waits_for_one(bench: Bench) -> None:
    await an_offer(bench, *(f"SPRING-{number:02}" for number in range(MANY)))
    walks = {f"c{number}": await bench.a_walk(f"c{number}") for number in range(MANY + 1)}

    sent = await asyncio.gather(*(bench.send(walk, "coupon", customer=customer) for customer, walk in walks.items()))

    given = [row for row in await codes(bench) if row["given_at"]]
    assert len({row["customer"] for row in given}) == len({row["send"] for row in given}) == MANY
    assert sorted(each.state for each in sent) == [SendState.ACCEPTED] * MANY + [SendState.HELD]
    assert len({(await written(bench, row["enrollment"], "coupon")).split()[0] for row in await bench.rows(
        "SELECT enrollment FROM sends WHERE state = 'accepted'")}) == MANY  # fmt: skip
    assert await bench.words(state="held") == ["No code of the offer “welcome5” is left"]

    late = next(customer for customer, result in zip(walks, sent, strict=True) if result.state is SendState.HELD)
    async with bench.database.transaction() as connection:
        added = await bench.offers.add(connection, "welcome5", ["spring 00", "LATE", "late"], actor=STAFF)

    assert (added.added, added.duplicates) == (1, [0, 2])
    assert await bench.dispatched(walks[late]) == ["start", "released"]
    assert (await bench.send(walks[late], "coupon", customer=late)).state is SendState.ACCEPTED
    assert (await written(bench, walks[late], "coupon")).startswith("LATE")


async def test_a_message_waits_until_its_offer_is_set_up_and_at_last_says_what_it_waited_for(bench: Bench) -> None:
    walk, other = await bench.a_walk(), await bench.a_walk("boris")
    held = [await bench.send(walk, "coupon"), await bench.send(other, "coupon", customer="boris")]

    await an_offer(bench, kind="generated")
    sent = await bench.send(walk, "coupon")
    bench.clock.pass_(timedelta(days=4))
    late = await bench.send(other, "coupon", customer="boris")

    assert [(each.state, each.rule) for each in held] == [(SendState.HELD, "offer_not_set_up")] * 2
    assert await bench.dispatched(walk) == ["start", "released"]
    assert sent.state is SendState.ACCEPTED
    assert late.state is SendState.EXPIRED
    assert (await bench.words(state="expired"))[0].endswith("and the offer “welcome5” is not set up")


async def test_whoever_was_held_in_the_moment_of_filling_is_let_go_within_a_minute(bench: Bench) -> None:
    await an_offer(bench)
    walks = {name: await bench.a_walk(name) for name in ("anna", "boris", "clara")}
    for name, walk in walks.items():
        bench.clock.pass_(timedelta(minutes=1))
        await bench.send(walk, "coupon", customer=name)
    await bench.change(
        "INSERT INTO offer_codes (offer, code, key) VALUES ('welcome5', 'A', 'A'), ('welcome5', 'B', 'B')"
    )

    for expected in (2, 0):  # as many as there are codes, and nobody twice
        async with bench.database.transaction() as connection:
            assert await bench.offers.release(connection) == expected

    assert [len(await bench.dispatched(walk)) for walk in walks.values()] == [2, 2, 1]  # the longest waiting first


async def test_a_made_code_that_is_somebody_elses_is_made_anew(bench: Bench) -> None:
    walk = await bench.a_walk()
    first = CodeMaker(SECRET).make("welcome5", "WELCOME5", send_id(walk, "coupon", 1))
    await an_offer(bench, first.lower())
    await an_offer(bench, kind="generated")

    await bench.send(walk, "coupon")

    given = next(row for row in await codes(bench) if row["given_at"])
    assert given["code"] == CodeMaker(SECRET).make("welcome5", "WELCOME5", send_id(walk, "coupon", 1), 1)


async def test_a_code_that_waited_with_its_letter_is_good_as_long_as_a_new_one(bench: Bench) -> None:
    await an_offer(bench, "ONE", valid_for=timedelta(days=1))
    walk = await bench.a_walk()
    bench.email.script = [RETRY]
    with pytest.raises(Exception, match="busy"):
        await bench.send(walk, "coupon")

    bench.clock.pass_(timedelta(days=2))
    await bench.send(walk, "coupon")

    assert await written(bench, walk, "coupon") == "ONE 5% 5 March 2026"
    assert await state_of(bench, "one") is CodeState.VALID


async def test_looking_at_a_message_gives_no_code(bench: Bench) -> None:
    await an_offer(bench, "ONE", valid_for=timedelta(days=7))

    assert await previewed(bench, "coupon", {}) == "WELCOME5-CCCCC-CCCCC 5 % 9 марта 2026"
    assert await counts(bench) == offers.Counts(left=1)


# Using ---------------------------------------------------------------------------------------------------------------


async def test_a_code_is_used_once_and_counted(bench: Bench) -> None:
    await an_offer(bench, *"ABCDE", valid_for=timedelta(days=7))
    walks = {name: await bench.a_walk(name) for name in ("anna", "boris", "clara")}
    for name, walk in walks.items():
        await bench.send(walk, "coupon", customer=name)
    theirs = {row["customer"]: row["code"] for row in await codes(bench) if row["customer"]}
    annas, boriss, claras = (theirs[bench.ours[name]] for name in walks)

    assert await used(bench, annas.lower(), "of another shop", "") == 1
    assert await used(bench, annas, order="A-2") == 0  # the same order told again, or the code tried again
    assert (
        await used(bench, boriss, "e", customer="anna", order="A-3") == 2
    )  # a friend's, and one that was given to nobody
    bench.clock.pass_(timedelta(days=8))

    assert [await state_of(bench, code) for code in (annas, boriss, claras, "D", "E")] == [
        CodeState.REDEEMED,
        CodeState.REDEEMED,
        CodeState.EXPIRED,
        CodeState.NOT_GIVEN,
        CodeState.REDEEMED,
    ]
    assert {row["code"]: row["redeemed_by"] for row in await codes(bench) if row["redeemed_at"]} == {
        annas: "A-1",
        boriss: None,
        "E": None,
    }
    assert await counts(bench) == offers.Counts(given=3, redeemed=3, expired=1, left=1)
    with pytest.raises(NotFound):
        await state_of(bench, "nobody's")


async def test_an_order_uses_up_the_codes_that_it_names(bench: Bench) -> None:
    await an_offer(bench, "A", valid_for=timedelta(days=7))
    await bench.send(await bench.a_walk(), "coupon")
    await bench.does("order_placed", about="O-1", total=10, codes=["a"])
    await bench.does("order_cancelled", about="O-1")

    assert await state_of(bench, "A") is CodeState.REDEEMED
    assert (await codes(bench))[0]["redeemed_by"] == "O-1"


async def test_a_code_that_was_used_before_it_was_given_is_given_to_nobody(bench: Bench) -> None:
    await an_offer(bench, "ONE", "TWO")
    walk = await bench.a_walk()
    await used(bench, "one")

    await bench.send(walk, "coupon")

    assert (await written(bench, walk, "coupon")).startswith("TWO")


async def test_codes_are_added_to_a_pool_alone(bench: Bench) -> None:
    await an_offer(bench, kind="generated")
    async with bench.database.transaction() as connection:
        with pytest.raises(Conflict, match="generated"):
            await bench.offers.add(connection, "welcome5", ["ONE"], actor=STAFF)
        with pytest.raises(NotFound):
            await bench.offers.add(connection, "welcome6", ["ONE"], actor=STAFF)


# Persons -------------------------------------------------------------------------------------------------------------


async def test_an_erased_customers_code_is_nobodys_and_is_not_given_again(bench: Bench) -> None:
    await an_offer(bench, "ONE", "TWO", valid_for=timedelta(days=7))
    walk, other = await bench.a_walk(), await bench.a_walk("boris")
    await bench.send(walk, "coupon")
    await used(bench, "ONE")

    await bench.erase()
    await bench.send(other, "coupon", customer="boris")

    one, two = await codes(bench)
    assert (one["customer"], one["send"], one["redeemed_by"]) == (None, None, None)
    assert one["redeemed_at"] is not None and two["customer"] == bench.ours["boris"]
    assert await counts(bench) == offers.Counts(given=2, redeemed=1, left=0)


async def test_codes_come_along_when_profiles_are_joined_and_when_a_customer_asks_for_them(bench: Bench) -> None:
    await an_offer(bench, "ONE", "TWO")
    for name in ("anna", "boris"):
        await bench.send(await bench.a_walk(name), "coupon", customer=name)

    await bench.merge("anna", "boris")

    async with bench.database.transaction() as connection:
        theirs = [row async for row in personal.rows(connection, "offer_codes", bench.ours["anna"])]
    assert len(theirs) == 2 and b'"ONE"' in b"".join(theirs)
    assert "offer_codes" in personal.exported()
    assert await used(bench, key_of("two")) == 1
    assert {row["redeemed_by"] for row in await codes(bench)} == {None, "A-1"}
