"""Message folders: the real ones render in every language; wrong ones teach their author."""

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adapters.templates import MESSAGES, MessageLibrary, RenderFailed
from domain.errors import InvalidDeclaration, NotFound
from domain.messages import Channel, Content, Limit, Purpose

pytestmark = pytest.mark.asyncio

TOML = """
purpose = "service"
goal = "The customer knows what to do next."
channels = ["email"]
shelf_life = "36 hours"
limit = { times = 2, within = "30 days" }
why = { en = "You are a customer of {{ company.name }}.", ru = "Вы клиент {{ company.name }}." }
"""
BOTH = TOML.replace('["email"]', '["email", "sms"]')
LETTER = """subject: Hello {{ customer.first_name }}
preview: From {{ company.name }}

<mj-text>Hello, {{ customer.first_name }}!</mj-text>
<mj-button href="{{ company.url }}/start">Start</mj-button>
"""
WELCOME = ("greeting", "basics", "did_it_work", "personal_help", "setup_help")
UNSUBSCRIBE = "https://shop.example/u/token?a=1&b=2"
PREFERENCES = "https://shop.example/f/token"

Write = Callable[[dict[str, str]], MessageLibrary]


def a_context(**customer: object) -> dict[str, object]:
    return {
        "company": {"name": "Shop & Sons", "url": "https://shop.example", "address": "1 Long Street"},
        "customer": {"first_name": None, "last_name": None, "attributes": {}} | customer,
        "manager": {"name": "Maria", "email": "maria@shop.example"},
        "unsubscribe_url": UNSUBSCRIBE,
        "preferences_url": PREFERENCES,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A library of one message, chain/hello, with files replaced, added, or by an empty text removed."""

    def write(changes: dict[str, str]) -> MessageLibrary:
        files = {"message.toml": TOML, "email.en.mjml": LETTER, "email.ru.mjml": LETTER} | changes
        for name in ("layout.mjml", "words.toml", "topics.toml"):
            (tmp_path / name).write_text((MESSAGES / name).read_text(encoding="utf-8"), encoding="utf-8")
        folder = tmp_path / "chain" / "hello"
        folder.mkdir(parents=True)
        for name, text in files.items():
            if text:
                (folder / name).write_text(text, encoding="utf-8")
        return MessageLibrary(tmp_path)

    return write


@pytest.fixture(scope="module")
def library() -> MessageLibrary:
    return MessageLibrary()


async def test_the_welcome_chain_declares_what_it_means(library: MessageLibrary) -> None:
    purposes = {name: library.message("welcome_chain", name).purpose for name in WELCOME}

    assert purposes == {
        "greeting": Purpose.SERVICE,
        "basics": Purpose.VALUE,
        "did_it_work": Purpose.VALUE,
        "personal_help": Purpose.SERVICE,
        "setup_help": Purpose.SERVICE,
    }
    assert {m.name for m in library.messages() if m.journey == "welcome_chain"} == set(WELCOME)


async def test_a_declaration_is_read_as_written(write: Write) -> None:
    message = write({}).message("chain", "hello")

    assert (message.journey, message.name, message.channels) == ("chain", "hello", (Channel.EMAIL,))
    assert message.shelf_life == timedelta(hours=36)
    assert message.limit == Limit(times=2, within=timedelta(days=30))
    assert message.locales == ("en", "ru")
    assert message.goal == "The customer knows what to do next."


@pytest.mark.parametrize(
    ("old", "new", "taught"),
    [
        (
            'purpose = "service"',
            'purpose = "spam"',
            "purpose: 'spam' .*feedback, offer, service, transactional, value",
        ),
        ('purpose = "service"', "", "purpose: it is missing"),
        ('goal = "The customer knows what to do next."', 'goal = "  "', "goal: write one sentence"),
        ('["email"]', '["pigeon"]', "channels: 'pigeon' .*email, in_app, sms"),
        ('["email"]', '"email"', "channels: write a list"),
        ('["email"]', '["email", "email"]', "channels: .*twice"),
        ('["email"]', '["email", "sms"]', r"channels: sms is declared, but there is no sms\.en\.txt"),
        ('"36 hours"', '"soon"', "shelf_life: 'soon' .*36 hours"),
        ('"36 hours"', "36", "shelf_life: 36 is no duration"),
        ('"36 hours"', '"until late"', "shelf_life: 'until late' is no hour of the day; .*until 17:00"),
        ('"36 hours"', '"until 25:00"', "shelf_life: 'until 25:00' is no hour of the day"),
        ("times = 2", "times = 0", r"limit\.times: 0 "),
        ("times = 2", "times = true", r"limit\.times: True "),
        ('within = "30 days"', 'within = "a month"', r"limit\.within: 'a month'"),
        ("limit = {", "limits = {", "limits: there is no such field; .*shelf_life"),
        ('ru = "Вы клиент', 'de = "Sie sind Kunde', "why: .*en, ru"),
        ("company.name }}.", "company.name.", "Jinja2 says"),
        ('goal = "', "goal = ", "TOML: "),
    ],
)
async def test_a_wrong_declaration_teaches(write: Write, old: str, new: str, taught: str) -> None:
    assert old in TOML

    with pytest.raises(InvalidDeclaration, match=rf"^chain/hello/message\.toml, .*{taught}"):
        write({"message.toml": TOML.replace(old, new, 1)})


@pytest.mark.parametrize(
    ("files", "taught"),
    [
        ({"message.toml": ""}, r"hello/message\.toml, file: it is missing"),
        ({"email.ru.mjml": ""}, r"message\.toml, channels: .* no email\.ru\.mjml"),
        ({"sms.en.txt": "Hello"}, r"message\.toml, channels: sms\.en\.txt is there"),
        ({"email.rus.mjml": LETTER}, r"email\.rus\.mjml, name: .*email\.<en\|ru>\.mjml"),
        ({"email.en.mjml": "preview: x\n\n<mj-text>x</mj-text>"}, r"email\.en\.mjml, subject: it is missing"),
        ({"email.en.mjml": "subjekt: x\n\n<mj-text>x</mj-text>"}, r"email\.en\.mjml, head: 'subjekt: x'"),
        (
            {"email.en.mjml": "subject: x\n\n<mj-text>{{ x }</mj-text>"},
            r"email\.en\.mjml, line 3: Jinja2 says",
        ),
        ({"email.en.mjml": "subject: x\n\n<mj-txt>x</mj-txt>"}, r"email\.en\.mjml, MJML: mj-txt"),
        ({"email.en.mjml": "subject: x\n\n<mj-text>x"}, r"email\.en\.mjml, MJML: "),
    ],
)
async def test_a_wrong_text_teaches(write: Write, files: dict[str, str], taught: str) -> None:
    with pytest.raises(InvalidDeclaration, match=taught):
        write(files)


@pytest.mark.parametrize(
    ("file", "text", "variable"),
    [
        (
            "email.en.mjml",
            LETTER.replace("Hello, {{ customer.first_name }}", "{{ customer.nickname }}"),
            "customer.nickname",
        ),
        ("email.en.mjml", LETTER.replace("{{ company.url }}", "{{ coupon }}"), "coupon"),
        ("email.en.mjml", LETTER.replace("subject: Hello", "subject: {{ order.number }}"), "order"),
        ("message.toml", TOML.replace("company.name", "company.slogan"), "company.slogan"),
    ],
)
async def test_f21_a_missing_variable_is_named(write: Write, file: str, text: str, variable: str) -> None:
    library = write({file: text})

    with pytest.raises(RenderFailed, match=re.escape(variable)) as failure:
        library.render("chain", "hello", Channel.EMAIL, "en", a_context(first_name="Anna"))

    assert (failure.value.message, failure.value.variable) == ("chain/hello", variable)
    assert "Anna" not in str(failure.value)


class Elements(HTMLParser):
    """The names of a page's elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


async def test_a_hostile_first_name_stays_text(write: Write) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=y>"

    rendered = write({}).render("chain", "hello", Channel.EMAIL, "en", a_context(first_name=hostile))

    assert rendered.html
    assert not Elements(rendered.html).names & {"script", "img"}
    assert "&lt;script&gt;" in rendered.html
    assert rendered.subject == f"Hello {hostile}"
    assert f"Hello, {hostile}!" in rendered.text


async def test_a_line_break_in_a_name_makes_no_second_line_of_the_subject(write: Write) -> None:
    rendered = write({}).render(
        "chain", "hello", Channel.EMAIL, "en", a_context(first_name="Anna\r\nBcc: eve@example.com")
    )

    assert rendered.subject == "Hello Anna Bcc: eve@example.com"


async def test_a_first_name_is_never_run_as_a_template(write: Write) -> None:
    rendered = write({}).render("chain", "hello", Channel.EMAIL, "en", a_context(first_name="{{ 7 * 7 }}{% raw %}"))

    assert rendered.html and "{{ 7 * 7 }}{% raw %}" in rendered.html
    assert "49" not in rendered.text


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ company.name.__class__ }}",
        "{{ company.update({'name': 'Eve'}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ lipsum.__globals__ }}",
        "{{ range(10) }}",
    ],
)
async def test_a_template_cannot_reach_out_of_its_sandbox(write: Write, attack: str) -> None:
    with pytest.raises((InvalidDeclaration, RenderFailed)):  # as soon as it shows: calls, before anything is sent
        write({"email.en.mjml": f"subject: x\n\n<mj-text>{attack}</mj-text>"}).render(
            "chain", "hello", Channel.EMAIL, "en", a_context()
        )


@pytest.mark.parametrize(
    ("bomb", "problem"),
    [
        ("{% for a in company.name %}{% for b in company.name %}{% endfor %}{% endfor %}", "no loop within a loop"),
        ("{% set a = 'x' %}{% set a = a ~ a %}", "cannot set a variable"),
        ("{% set a %}x{% endset %}", "cannot set a variable"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "no macros"),
        ("{{ '{:999999999}'.format('x') }}", "cannot call anything"),
        ("{{ '%999999999d' % 1 }}", "cannot format by %"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "cannot raise to a power"),
        ("{{ 'x' | indent(999999999) }}", "No filter named 'indent'"),
        ("{{ company.name | join(company.name) }}", "join by a text in quotes"),
    ],
)
async def test_f22_a_text_that_could_hang_or_grow_is_refused_when_it_is_read(
    write: Write, bomb: str, problem: str
) -> None:
    with pytest.raises(InvalidDeclaration, match=re.escape(problem)):
        write({"sms.en.txt": bomb, "sms.ru.txt": "x", "message.toml": BOTH})


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'x' * 999999999 }}",
        "{% for a in customer.attributes.long %}" + "x" * 1000 + "{% endfor %}",
    ],
)
async def test_f22_a_text_that_grows_beyond_measure_fails_and_takes_no_memory(write: Write, bomb: str) -> None:
    library = write({"sms.en.txt": bomb, "sms.ru.txt": "x", "message.toml": BOTH})

    with pytest.raises(RenderFailed):
        library.render("chain", "hello", Channel.SMS, "en", a_context(attributes={"long": "x" * 32_000}))


@pytest.mark.parametrize(("vip", "shown"), [(True, ["VIP", "Gift", "Bye"]), (False, ["Bye"])])
async def test_a_condition_around_whole_elements_holds(write: Write, vip: bool, shown: list[str]) -> None:
    letter = (
        "subject: x\n\n{% if customer.attributes.vip and 1 < 2 %}<mj-text>VIP</mj-text>\n"
        '<mj-button href="{{ company.url }}">Gift</mj-button>{% endif %}\n<mj-text>Bye</mj-text>'
    )

    rendered = write({"email.en.mjml": letter}).render(
        "chain", "hello", Channel.EMAIL, "en", a_context(attributes={"vip": vip})
    )

    assert rendered.html
    assert re.findall("VIP|Gift|Bye", rendered.html) == shown
    assert re.findall("VIP|Gift|Bye", rendered.text) == shown


@pytest.mark.parametrize(("asked", "spoken"), [("ru-KZ", "ru"), ("RU", "ru"), ("kk", "en"), ("", "en")])
async def test_a_language_that_is_not_there_falls_back(write: Write, asked: str, spoken: str) -> None:
    rendered = write({}).render("chain", "hello", Channel.EMAIL, asked, a_context(first_name="A"))

    assert rendered.locale == spoken


async def test_a_short_message_has_a_text_and_nothing_else(write: Write) -> None:
    library = write(
        {
            "message.toml": TOML.replace('["email"]', '["email", "sms"]'),
            "sms.en.txt": "Hi {{ customer.first_name }} & co: {{ company.url }}\n",
            "sms.ru.txt": "Привет, {{ customer.first_name }}",
        }
    )

    rendered = library.render("chain", "hello", Channel.SMS, "en", a_context(first_name="<Anna>"))

    assert (rendered.subject, rendered.preview, rendered.html) == (None, None, None)
    assert rendered.text == "Hi <Anna> & co: https://shop.example\n"


async def test_what_does_not_exist_is_not_found(library: MessageLibrary) -> None:
    with pytest.raises(NotFound, match="welcome_chain/goodbye"):
        library.message("welcome_chain", "goodbye")
    with pytest.raises(NotFound, match="sms text"):
        library.render("welcome_chain", "greeting", Channel.SMS, "en", a_context())


WHATSAPP = """content_sid = "HX0123456789abcdef0123456789abcdef"
text = "Hello {{ customer.first_name or 'there' }}!"

[variables]
1 = "{{ customer.first_name }}"
"""


def by_whatsapp(text: str = WHATSAPP) -> dict[str, str]:
    return {
        "message.toml": TOML.replace('["email"]', '["whatsapp"]'),
        "email.en.mjml": "",
        "email.ru.mjml": "",
        "whatsapp.en.toml": text,
        "whatsapp.ru.toml": WHATSAPP,
    }


async def test_a_whatsapp_message_is_an_approved_template_and_what_it_comes_to(write: Write) -> None:
    library = write(by_whatsapp())

    rendered = library.render("chain", "hello", Channel.WHATSAPP, "en", a_context(first_name="Anna\n Maria"))

    assert rendered.text == "Hello Anna\nMaria!\n"
    assert rendered.content == Content(sid="HX0123456789abcdef0123456789abcdef", variables={"1": "Anna Maria"})
    assert (rendered.subject, rendered.html) == (None, None)


async def test_a_gap_without_words_stops_the_message_and_says_which(write: Write) -> None:
    with pytest.raises(RenderFailed, match="chain/hello: variable 1 is empty"):
        write(by_whatsapp()).render("chain", "hello", Channel.WHATSAPP, "en", a_context(first_name=" "))


@pytest.mark.parametrize(
    ("old", "new", "taught"),
    [
        ("HX0123", "XX0123", r"whatsapp\.en\.toml, content_sid: write the approved template's id"),
        ("text = ", "words = ", "fields: write text"),
        ("text = \"Hello {{ customer.first_name or 'there' }}!\"", 'text = " "', "text: write what the template says"),
        ('1 = "{{ customer.first_name }}"', "1 = 7", "variables: write each gap"),
        ('1 = "{{ customer.first_name }}"', '1 = "{{ customer."', "line 1: Jinja2 says"),
        ("[variables]", "[variables", "TOML: "),
    ],
)
async def test_a_wrong_whatsapp_file_teaches_its_author(write: Write, old: str, new: str, taught: str) -> None:
    assert old in WHATSAPP
    with pytest.raises(InvalidDeclaration, match=taught):
        write(by_whatsapp(WHATSAPP.replace(old, new)))
