"""Products in letters: the right ones, in the right order and language, and never what cannot be bought or just was."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.templates import MessageLibrary
from domain.sends import SendState
from tests.services.bench import NO_LIMITS, Bench
from tests.services.shop_letters import a_product, a_shop, ordered, previewed, write_shop, written


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MessageLibrary:
    folder: Path = tmp_path_factory.mktemp("shop") / "messages"
    return write_shop(folder)


@pytest.fixture
async def bench(bench: Bench) -> Bench:
    await a_shop(bench)
    return bench.with_policy(NO_LIMITS)


async def started(bench: Bench, name: str = "trial_started", journey: str = "Trial", **properties: object) -> str:
    """A walk that an event with these properties started."""
    details: dict[str, Any] = {**properties, "about": "C-1" if journey == "Cart" else ""}
    if "anna" not in bench.ours:
        await bench.a_customer(locale="en")
    await bench.does(name, **details)
    found = await bench.rows("SELECT id FROM enrollments WHERE journey = :journey", journey=journey)
    return str(found[0]["id"])


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "[cheap €400;Good one €900;dear €2,000;]"),
        ("ru", "[cheap 400 €;Хороший 900 €;dear 2 000 €;]"),
    ],
)
async def test_s30_the_best_of_the_category_by_price_and_rating(bench: Bench, locale: str, said: str) -> None:
    # By rating dear, good, cheap, poor; by price cheap, poor, good, dear. The sums of both places: cheap 4, good and
    # dear 5, poor 6; a tie goes to the cheaper.
    await bench.a_customer(locale=locale)
    walk = await started(bench, category="laptops")

    await bench.send(walk, "top")

    assert await written(bench, walk, "top") == said


async def test_s39_what_was_just_bought_is_in_no_list_and_is_back_a_month_later(bench: Bench) -> None:
    walk = await started(bench, category="laptops")
    await ordered(bench, "good")

    await bench.send(walk, "top")
    bench.clock.pass_(timedelta(days=31))
    await bench.send(walk, "top", visit=2)

    assert "Good one" not in await written(bench, walk, "top")
    assert "Good one" in await written(bench, walk, "top", visit=2)


async def test_s35_accessories_of_what_was_bought(bench: Bench) -> None:
    walk = await started(bench, products=["good", "hub"])
    await ordered(bench, "good")  # the laptop itself was just bought: its accessories may be offered all the same

    sent = await bench.send(walk, "extras")

    assert sent.state is SendState.ACCEPTED
    # in the feed's order; what is not to be had and what the event names already is left out
    assert await written(bench, walk, "extras") == "[bag €1,299.90;Mouse €20;]"


async def test_an_offer_without_anything_to_offer_is_refused_and_says_why(bench: Bench) -> None:
    walk = await started(bench, products=["good", "hub"])
    await ordered(bench, "bag", "mouse")

    sent = await bench.send(walk, "extras")

    assert (sent.state, sent.rule) == (SendState.REFUSED, "nothing_to_show")
    assert await bench.words(state="refused") == [
        "Of its list “extras” the shop has 0 products to show, and it needs 1"
    ]
    assert bench.email.calls == []
    assert await bench.send(walk, "extras") == sent


async def test_what_an_event_names_is_shown_even_where_the_feed_does_not_know_it(bench: Bench) -> None:
    walk = await started(bench, items=[{"product": "sold-out"}, {"product": "A thing"}, {"product": "good"}])
    cart = await started(bench, "cart_left", "Cart", products=["sold-out", "A thing", "good", "cup"])

    await bench.send(walk, "receipt")
    await bench.send(cart, "waits")

    assert await written(bench, walk, "receipt") == "[sold-out €300 (gone);A thing;Good one €900;]"
    assert await written(bench, cart, "waits") == "[A thing;Good one €900;]"  # an offer; of two at most


async def test_a_message_may_be_looked_at_with_the_products_of_an_event(bench: Bench) -> None:
    some, none = await previewed(bench, "extras", {"products": ["good"]}), await previewed(bench, "extras", {})

    assert (some, none) == ("[bag 1 299,90 €;Мышь 20 €;]", "[]")


async def test_a_letter_keeps_what_it_said(bench: Bench) -> None:
    walk = await started(bench, products=["cup"])
    await bench.send(walk, "receipt")

    await bench.products.keep([a_product("cup", 500, name="Vase")])
    again = await bench.send(walk, "receipt")
    await bench.send(walk, "receipt", visit=2)

    assert again.state is SendState.ACCEPTED
    assert await written(bench, walk, "receipt") == "[cup €5;]"
    assert await written(bench, walk, "receipt", visit=2) == "[Vase €500;]"


async def test_a_feed_without_changes_writes_nothing_and_brings_back_what_was_withdrawn(bench: Bench) -> None:
    batch = [a_product("old-case", 7), a_product("hub", 40), a_product("hub", 41)]

    first = await bench.products.keep(batch)
    second = await bench.products.keep(batch)

    assert (first.stored, first.unchanged) == (2, 0)
    assert (second.stored, second.unchanged) == (0, 2)
    assert (await bench.products.get("old-case"))["withdrawn_at"] is None
    assert (await bench.products.get("hub"))["price"] == 41  # of two with one id the later counts
