"""What is off, until when, how it is written, and how money and days are said (S28, S36, S52, S129)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.dates import until
from domain.durations import days, hours
from domain.messages import Purpose
from domain.money import money, percent
from domain.offers import ALPHABET, Discount, Offer, OfferKind, key_of, written
from domain.policy import Verdict, ask
from domain.products import Listing, Of, in_language
from tests.domain.builders import MIDDLE, NOON, a_message, a_policy, some_facts, utc


@pytest.mark.parametrize(
    ("amount", "currency", "english", "russian"),
    [
        ("1299.90", "EUR", "€1,299.90", "1 299,90 €"),
        ("3000.00", "KZT", "₸3,000", "3 000 ₸"),
        ("1250000.05", "KZT", "₸1,250,000.05", "1 250 000,05 ₸"),
        ("5.00", "CHF", "CHF 5", "5 CHF"),
        ("0.00", "EUR", "€0", "0 €"),
    ],
)
def test_money_is_said_by_language_and_currency(amount: str, currency: str, english: str, russian: str) -> None:
    said = [money(Decimal(amount), currency, lang) for lang in ("en", "ru")]

    assert [each.replace("\u00a0", " ") for each in said] == [english, russian]
    assert not any(" " in each for each in said), "it must not break over two lines"


def test_a_discount_is_said_in_every_language() -> None:
    said = [percent(Decimal(share), lang) for share in ("5.00", "7.50", "10") for lang in ("en", "ru")]
    gift = Discount(words={"en": "a gift", "ru": "подарок"})

    assert said == ["5%", "5\u00a0%", "7.5%", "7,5\u00a0%", "10%", "10\u00a0%"]
    assert (gift.said("ru"), gift.said("kk")) == ("подарок", "a gift")
    assert Discount(amount=Decimal("3000.00"), currency="KZT").said("ru") == "3\u00a0000\u00a0₸"


@pytest.mark.parametrize(
    ("name", "lang", "said"),
    [
        ("Kettle", "ru", "Kettle"),
        ({"en": "Kettle", "ru": "Чайник"}, "ru", "Чайник"),
        ({"en": "Kettle", "ru": "Чайник"}, "kk", "Kettle"),
        ({"kk": "Шәйнек"}, "ru", "Шәйнек"),
    ],
)
def test_a_name_is_said_in_the_language_or_the_nearest(name: str | dict[str, str], lang: str, said: str) -> None:
    assert in_language(name, lang) == said


@pytest.mark.parametrize(
    ("valid_for", "ends", "english", "russian"),
    [
        (days(7), utc(2026, 6, 8, 19), "8 June 2026", "8 июня 2026"),  # in Almaty the 9th begins then
        (hours(36), utc(2026, 6, 3), "3 June 2026, 05:00", "3 июня 2026, 05:00"),
        (None, utc(2026, 6, 1, 14), "1 June 2026, 19:00", "1 июня 2026, 19:00"),  # as its shelf life
    ],
)
def test_a_code_is_good_for_as_long_as_the_letter_says(
    valid_for: timedelta | None, ends: object, english: str, russian: str
) -> None:
    offer = Offer(name="welcome5", kind=OfferKind.GENERATED, discount=Discount(percent=Decimal(5)), valid_for=valid_for)

    good = offer.good_until(NOON, expires=NOON + hours(2), zone="Asia/Almaty")

    assert good == ends
    assert (until(good, "Asia/Almaty", "en"), until(good, "Asia/Almaty", "ru")) == (english, russian)


def test_a_code_has_nothing_to_mistake_and_spells_no_word() -> None:
    assert not set(ALPHABET) & set("0O1IL5S8B2UAEY")
    assert written("WELCOME5", 0) == "WELCOME5-CCCCC-CCCCC"
    assert written("", 10**40).count("-") == 1


@pytest.mark.parametrize("typed", ["spring-7k3c", " SPRING 7K3C ", "SPRING7K3C", "Spring–7K3C"])
def test_a_code_is_the_same_however_it_is_typed(typed: str) -> None:
    assert key_of(typed) == "SPRING7K3C"


@pytest.mark.parametrize(
    ("lists", "verdict"),
    [
        ({}, Verdict.REFUSED),
        ({"cart": Listing(of=Of.EVENT, most=5)}, Verdict.REFUSED),
        ({"extras": Listing(of=Of.ACCESSORIES, most=3)}, Verdict.GO),
        ({"extras": Listing(of=Of.ACCESSORIES, most=3), "cart": Listing(of=Of.EVENT, most=5)}, Verdict.REFUSED),
    ],
)
def test_s35_accessories_of_what_was_just_bought_are_offered_and_the_thing_itself_is_not(
    lists: dict[str, Listing], verdict: Verdict
) -> None:
    message = a_message(purpose=Purpose.OFFER, products=lists)
    facts = some_facts(offered=frozenset({"laptop"}), bought=frozenset({"laptop", "cup"}))

    answer = ask(message, facts, a_policy(), at=NOON, expires=NOON + days(1), send=MIDDLE)

    assert answer.verdict is verdict
    if verdict is Verdict.REFUSED:
        assert answer.decision.rule == "just_bought"
