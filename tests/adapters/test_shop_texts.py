"""What a message declares of the shop, and what its texts may say of it: mistakes are found when it is read."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.templates import MESSAGES, MessageLibrary
from domain.errors import InvalidDeclaration
from domain.messages import Channel
from domain.offers import Code
from domain.products import By, Listing, Of, Product

pytestmark = pytest.mark.asyncio

TOML = """
purpose = "offer"
goal = "The customer finds what goes with it."
channels = ["sms"]
shelf_life = "3 days"
limit = { times = 2, within = "30 days" }
offer = "welcome5"

[why]
en = "You bought something."
ru = "Вы кое-что купили."

[products]
best = { of = "category", category = "laptops", most = 5, by = "value", at_least = 2 }
extras = { of = "accessories", most = 3 }
cart = { of = "event" }
"""
SMS = """{{ code.text }} ({{ code.discount }}) until {{ code.valid_until }}:
{% for each in products.best %}{{ loop.index }}. {{ each.name }}{% if each.price %}, {{ each.price }}{% endif %}
{% else %}nothing
{% endfor %}"""

Write = Callable[[str, str], MessageLibrary]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A library of one message, chain/hello, with this declaration and this text."""

    def write(toml: str, text: str) -> MessageLibrary:
        for name in ("layout.mjml", "words.toml", "topics.toml"):
            (tmp_path / name).write_text((MESSAGES / name).read_text(encoding="utf-8"), encoding="utf-8")
        folder = tmp_path / "chain" / "hello"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "message.toml").write_text(toml, encoding="utf-8")
        for locale in ("en", "ru"):
            (folder / f"sms.{locale}.txt").write_text(text, encoding="utf-8")
        return MessageLibrary(tmp_path)

    return write


async def test_lists_and_code_are_declared_and_shown(write: Write) -> None:
    library = write(TOML, SMS)
    best = [Product(id="l-1", name="Swift", price="€899"), Product(id="l-2", name="Bare")]
    shop = {
        "products": SimpleNamespace(best=best, extras=[], cart=[]),
        "code": Code(text="W-1", valid_until="9 March 2026", discount="5%"),
    }

    message = library.message("chain", "hello")
    said = library.render("chain", "hello", Channel.SMS, "en", shop).text
    nothing = library.render("chain", "hello", Channel.SMS, "en", {**shop, "products": SimpleNamespace(best=[])}).text

    assert message.offer == "welcome5"
    assert message.products == {
        "best": Listing(of=Of.CATEGORY, category="laptops", most=5, by=By.VALUE, at_least=2),
        "extras": Listing(of=Of.ACCESSORIES, most=3),
        "cart": Listing(of=Of.EVENT, most=20),
    }
    assert said == "W-1 (5%) until 9 March 2026:\n1. Swift, €899\n2. Bare\n"
    assert nothing.endswith("nothing\n")


@pytest.mark.parametrize(
    ("old", "new", "taught"),
    [
        ('"offer"\ngoal', '"value"\ngoal', "what gives a code is an offer"),
        ('offer = "welcome5"', 'offer = "5 % off"', "no offer's name"),
        ('of = "category", category', 'of = "shelf", category', "accessories, category, event"),
        ("most = 3", "most = 300", "from 1 to 20"),
        ("most = 3", "by = 'price'", "a list of accessories knows only at_least, most, of"),
        ('of = "accessories", most = 3', 'of = "accessories"', "how many products at most"),
        ("at_least = 2", "at_least = 6", "from 0 to 5"),
        ('by = "value"', 'by = "luck"', "price, rating, value"),
        ("extras =", "Extras =", "of a-z, 0-9 and _"),
    ],
)
async def test_a_wrong_declaration_teaches(write: Write, old: str, new: str, taught: str) -> None:
    assert old in TOML
    with pytest.raises(InvalidDeclaration) as told:
        write(TOML.replace(old, new), SMS)

    assert taught in str(told.value)
    assert "chain/hello/message.toml" in str(told.value)


@pytest.mark.parametrize(
    ("text", "taught"),
    [
        ("{{ code.text }}\n{% for p in products.bset %}{% endfor %}", "line 2: Jinja2 says: [products] in message"),
        ("{{ code.text }}{% for p in products.bset[:2] %}{% endfor %}", "no bset, only best, cart, extras"),
        ("{{ code.text }}{% for p in products.best %}{{ p.cost }}{% endfor %}", "a product has no cost, only amount"),
        ("{{ code.text }}{% for p in products.best if p.cost %}{% endfor %}", "a product has no cost"),
        ("{{ code.text }}{{ products }}", "write which list: products.best"),
        ("{{ code.text }}{{ code.until }}", "a code has no until, only discount, text, valid_until"),
        ("{{ code.text }}{{ code }}", "write what of the code: code.text"),
        ("Ten percent off!", "nobody would see it: write {{ code.text }}"),
    ],
)  # fmt: skip
async def test_a_wrong_name_is_found_at_start(write: Write, text: str, taught: str) -> None:
    with pytest.raises(InvalidDeclaration) as told:
        write(TOML, text)

    assert taught in str(told.value)


async def test_what_is_not_declared_cannot_be_said(write: Write) -> None:
    bare = TOML.partition("offer = ")[0] + '[why]\nen = "You are ours."\nru = "Вы наш клиент."\n'

    with pytest.raises(InvalidDeclaration, match="has no best, only nothing"):
        write(bare, "{% for p in products.best %}{% endfor %}")
    with pytest.raises(InvalidDeclaration, match="there is no code: declare offer"):
        write(bare, "{{ code.text }}")
    write(
        bare, "{% for product in event.products %}{{ product.anything }}{% endfor %}"
    )  # an event's own words are free
