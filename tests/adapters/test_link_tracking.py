"""Links of a letter lead over our own path, and nothing of whom or where is in them."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.link_tracking import LinkTracking
from adapters.links import Links
from domain.errors import NotFound
from domain.messages import Channel, Rendered
from domain.tracking import TrackingMode
from tests.support.factories import compiled

SEND = UUID("7d444840-9dc0-51d1-b245-5ffdce74fad2")
PUBLIC = "https://mail.acme.test"
LINKS = Links(["a secret"], PUBLIC)
UNSUBSCRIBE = LINKS.unsubscribe("cus_1", Channel.EMAIL)
UTM = "utm_source=tropa&utm_medium=email&utm_campaign=welcome_chain&utm_content=greeting"


def tracking(mode: TrackingMode = TrackingMode.FULL, *, utm: bool = False) -> LinkTracking:
    return LinkTracking(LINKS, mode=mode, utm=utm, site="https://www.acme.test")


def tracked(
    html: str | None, text: str = "", channel: Channel = Channel.EMAIL, by: LinkTracking | None = None
) -> tuple[Rendered, tuple[str, ...]]:
    rendered = Rendered(subject="s", preview=None, html=html, text=text, locale="en")
    return (by or tracking()).put_into(rendered, SEND, channel, journey="welcome_chain", message="greeting")


def targets(words: str, leads: tuple[str, ...]) -> list[str]:
    """Where the links of ours in some text lead, in order."""
    return [leads[LINKS.read_click(token)[1]] for token in re.findall(rf"{PUBLIC}/c/([\w.-]+)", words)]


def letter() -> Rendered:
    context = {
        "company": {"name": "Acme", "url": "https://acme.test", "address": "1 Road"},
        "customer": {"first_name": "Anna", "last_name": None, "attributes": {}},
        "event": {},
        "manager": {"name": "Acme", "email": "hello@acme.test"},
        "unsubscribe_url": UNSUBSCRIBE,
    }
    return compiled().render("welcome_chain", "greeting", Channel.EMAIL, "en", context)


def test_every_web_link_of_a_real_letter_is_ours_in_both_parts_and_nothing_else_is_touched() -> None:
    before = letter()
    after, leads = tracking(utm=True).put_into(before, SEND, Channel.EMAIL, journey="welcome_chain", message="greeting")
    assert after.html and before.html

    expected = [f"https://acme.test/{page}?{UTM}" for page in ("start", "guide", "account")]
    assert leads == ("https://www.acme.test", *expected)
    assert targets(after.html, leads) == ["https://www.acme.test", *expected]  # the bait comes first
    assert targets(after.text, leads) == expected
    assert "https://acme.test" not in after.html + after.text
    assert (after.html.count(UNSUBSCRIBE), after.text.count(UNSUBSCRIBE)) == (1, 1)
    assert 'href="mailto:hello@acme.test"' in after.html
    assert after.html.count(LINKS.open(SEND)) == 1


def test_the_address_of_a_link_tells_neither_whom_nor_where() -> None:
    after, _ = tracked('<body><a href="https://shop.test/cart?email=anna%40example.com">Cart</a></body>')

    token = re.findall(r"/c/([\w.-]+)", after.html or "")[1]
    assert len(token) == 52
    assert LINKS.read_click(token) == (SEND, 1)
    assert "anna" not in (after.html or "")


@pytest.mark.parametrize(
    "anchor",
    [
        '<a href="mailto:hello@acme.test?subject=https://acme.test">x</a>',
        '<a href="tel:+4930901820">x</a>',
        '<a href="#top">x</a>',
        '<a href="https://other.test/x" data-no-track>x</a>',
        f'<a href="{UNSUBSCRIBE}">x</a>',
        '<a data-href="https://other.test/x">x</a>',
        '<img src="https://other.test/x.png">',
        '<link href="https://other.test/x.css">',
    ],
)
def test_what_is_left_alone(anchor: str) -> None:
    after, leads = tracked(f"<p>{anchor}</p>")

    assert (after.html, leads) == (f"<p>{anchor}</p>", ("https://www.acme.test",))


@pytest.mark.parametrize(
    ("anchor", "target"),
    [
        ('<a class="b" href="https://other.test/?a=1&amp;b=2" style="x">x</a>', "https://other.test/?a=1&b=2"),
        ('<a title="a > b" href="http://other.test/">x</a>', "http://other.test/"),
        ('<A HREF="HTTPS://OTHER.TEST/">x</A>', "HTTPS://OTHER.TEST/"),
        ('<a href="https://mail.acme.test.evil/u/x">x</a>', "https://mail.acme.test.evil/u/x"),
        ('<a href="https://mail.acme.test/shop">x</a>', "https://mail.acme.test/shop"),
        ('<a href="https://[broken">x</a>', "https://[broken"),
        ('<a href="https://www.acme.test">home is no bait</a>', "https://www.acme.test"),
    ],
)
def test_what_is_followed(anchor: str, target: str) -> None:
    after, leads = tracked(f"<p>{anchor}</p>")

    assert leads[1:] == (target,)
    assert targets(after.html or "", leads) == [target]


def test_a_link_that_stands_twice_has_one_number() -> None:
    after, leads = tracked(
        '<a href="https://o.test/?a=1&amp;b=2">x</a><a href="https://o.test/?a=1&amp;b=2">y</a>',
        "https://o.test/?a=1&b=2",
    )

    assert leads[1:] == ("https://o.test/?a=1&b=2",)
    assert len(targets(f"{after.html} {after.text}", leads)) == 3


@pytest.mark.parametrize(
    ("text", "target", "rest"),
    [
        ("See https://o.test/x.", "https://o.test/x", "See {}."),
        ("Shop (https://o.test/x)", "https://o.test/x", "Shop ({})"),
        ("https://o.test/a_(b)", "https://o.test/a_(b)", "{}"),
        ("«https://o.test/х»!", "https://o.test/х", "«{}»!"),
        ("a: https://o.test/?q=1&r=2, b", "https://o.test/?q=1&r=2", "a: {}, b"),
    ],
)
def test_an_address_in_running_text(text: str, target: str, rest: str) -> None:
    after, leads = tracked(None, text)

    assert after.text == rest.format(LINKS.click(SEND, 1))
    assert leads[1:] == (target,)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://acme.test/x", f"https://acme.test/x?{UTM}"),
        ("https://shop.acme.test/x?a=1#top", f"https://shop.acme.test/x?a=1&{UTM}#top"),
        ("https://www.acme.test", f"https://www.acme.test?{UTM}"),
        ("https://acme.test/x?utm_source=own", "https://acme.test/x?utm_source=own"),
        ("https://notacme.test/x", "https://notacme.test/x"),
        ("https://acme.test.evil/x", "https://acme.test.evil/x"),
        ("https://[broken", "https://[broken"),
    ],
)
def test_utm_goes_to_the_companys_own_site_alone(url: str, target: str) -> None:
    assert tracked(f'<a href="{url}">x</a>', by=tracking(utm=True))[1][1:] == (target,)


def test_what_an_installation_turned_off() -> None:
    html = '<body><a href="https://o.test/">x</a></body>'

    assert tracked(html, "https://o.test/", by=tracking(TrackingMode.OFF))[0].html == html
    assert tracked(html, by=tracking(TrackingMode.OFF))[1] == ()
    clicks, _ = tracked(html, by=tracking(TrackingMode.CLICKS))
    assert "/c/" in (clicks.html or "") and "/o/" not in (clicks.html or "")


def test_a_text_message_keeps_its_links() -> None:
    after, leads = tracked(None, "Your cart: https://o.test/cart", Channel.SMS)

    assert (after.text, leads) == ("Your cart: https://o.test/cart", ())


def test_staff_see_the_letter_without_a_trace_of_tracking() -> None:
    before = letter()
    after, leads = tracking().put_into(before, SEND, Channel.EMAIL, journey="welcome_chain", message="greeting")

    shown = tracking().taken_out(after.html or "", leads)

    assert "/c/" not in shown and "/o/" not in shown
    assert re.sub(r'<a href="[^"]*" style="display:none" [^>]*></a>', "", shown) == before.html


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=80) | st.from_regex(r"[\w-]{24}\.[\w-]{27}", fullmatch=True))
def test_a_token_that_we_did_not_sign_means_nothing(token: str) -> None:
    for read in (LINKS.read_click, LINKS.read_open):
        with pytest.raises(NotFound):
            read(token)


@pytest.mark.parametrize("made", ["click", "open", "unsubscribe", "foreign", "cut", "altered"])
def test_a_token_is_for_its_purpose_whole_and_ours(made: str) -> None:
    good = LINKS.click(SEND, 3).rpartition("/")[2]
    tokens = {
        "click": LINKS.open(SEND).rpartition("/")[2].removesuffix(".gif"),
        "open": good[:22],
        "unsubscribe": UNSUBSCRIBE.rpartition("/")[2],
        "foreign": Links(["another secret"], PUBLIC).click(SEND, 3).rpartition("/")[2],
        "cut": good[:-2],
        "altered": ("B" if good[0] != "B" else "C") + good[1:],
    }
    with pytest.raises(NotFound):
        LINKS.read_click(tokens[made])


def test_links_of_before_a_rotation_still_work() -> None:
    old = Links(["old"], PUBLIC).click(other := uuid4(), 2).rpartition("/")[2]

    assert Links(["new", "old"], PUBLIC).read_click(old) == (other, 2)
