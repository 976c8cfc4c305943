"""One text of a message: a file for one channel in one language, compiled once, filled for one customer at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Template, TemplateSyntaxError

from adapters.letters import compile_letter, tidy
from adapters.message_toml import read_text, read_toml, wrong
from adapters.template_language import TextEnvironment
from adapters.template_names import Names, check_names
from domain.messages import Channel, Content, Rendered

SUFFIXES = {
    Channel.EMAIL: "mjml",
    Channel.SMS: "txt",
    Channel.WHATSAPP: "toml",
    Channel.TELEGRAM: "txt",
    Channel.WEB_PUSH: "toml",
    Channel.IN_APP: "toml",
}
CONTENT = "<!-- content -->"
_CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_SHOWS_THE_CODE = re.compile(r"\bcode\.text\b")
_LINKS_THE_SURVEY = re.compile(r"\bsurvey\.url\b")


class Unfit(Exception):
    """A filled text that no customer may get. The sentence holds no value from the context."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One channel and language of a message. `source` is kept to name missing variables in full."""

    source: str
    text: Template
    subject: Template | None = None
    preview: Template | None = None
    html: Template | None = None
    url: Template | None = None
    content_sid: str = ""
    variables: Mapping[str, Template] = field(default_factory=dict)

    def fill(self, values: dict[str, object], locale: str) -> Rendered:
        """The text for one customer. Raises Unfit and what templates raise."""
        subject = _one_line(self.subject.render(values)) if self.subject else None
        preview = _one_line(self.preview.render(values)) if self.preview else None
        values = values | {"subject": subject, "preview": preview}
        return Rendered(
            subject=subject,
            preview=preview,
            html=self.html.render(values) if self.html else None,
            text=tidy(self.text.render(values)),
            url=_web_address(self.url.render(values)) if self.url else None,
            content=self._content(values) if self.content_sid else None,
            locale=locale,
        )

    def _content(self, values: dict[str, object]) -> Content:
        filled = {name: _one_line(template.render(values)) for name, template in self.variables.items()}
        for name, value in filled.items():
            if not value:  # WhatsApp refuses the whole message
                raise Unfit(f"variable {name} is empty; give it words for those of whom we know nothing")
        return Content(sid=self.content_sid, variables=filled)


def compile_text(file: Path, channel: Channel, layout: str, names: Names) -> Text:
    """The text in a file, which may say these names. Raises InvalidDeclaration."""
    source, declared = read_text(file), read_text(file.with_name("message.toml"))
    if names.code and not _SHOWS_THE_CODE.search(source):
        raise wrong(file, "code", "the message gives a code, and here nobody would see it: write {{ code.text }}")
    if names.survey and not _LINKS_THE_SURVEY.search(source):
        raise wrong(file, "survey", "the message asks a survey, and here nobody could answer: write {{ survey.url }}")
    if channel is Channel.EMAIL:
        return _letter(file, source, layout, declared, names)
    if channel is Channel.WHATSAPP:
        return _approved(file, source + declared, names)
    if channel in (Channel.WEB_PUSH, Channel.IN_APP):
        return _titled(file, source + declared, names, leads=channel is Channel.WEB_PUSH)
    return Text(source=source + declared, text=template(file, source, names))


def _letter(file: Path, source: str, layout: str, declared: str, names: Names) -> Text:
    template(file, source, names)  # here a mistake still has the author's line number
    head, content = _head(file, source)
    try:
        html, text = compile_letter(layout.replace(CONTENT, content))
    except ValueError as error:
        raise wrong(file, "MJML", str(error)) from error
    return Text(
        source=source + layout + declared,
        subject=template(file, head["subject"], names),
        preview=template(file, head["preview"], names) if "preview" in head else None,
        html=template(file, html, names, _HTML),
        text=template(file, text, names),
    )


def _approved(file: Path, source: str, names: Names) -> Text:
    """A text for WhatsApp, in our words and, once there is one, as its approved template.

    Without a template it goes within a day of the customer's last message, and WhatsApp refuses it at other times.
    """
    values = read_toml(file)
    variables, sid = values.pop("variables", {}), values.pop("content_sid", "")
    if values.keys() != {"text"} or (variables and not sid):
        raise wrong(file, "fields", "write text, content_sid and, where the template has gaps, [variables]")
    text = values["text"]
    if not isinstance(sid, str) or (sid and not _CONTENT_SID.fullmatch(sid)):
        raise wrong(file, "content_sid", "write the approved template's id: HX and 32 hexadecimal digits")
    if not isinstance(text, str) or not text.strip():
        raise wrong(file, "text", "write what the template says, for those who wrote to us within a day")
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise wrong(
            file, "variables", "write each gap of the template as a line: 1 = \"{{ customer.first_name or 'you' }}\""
        )
    return Text(
        source=source,
        text=template(file, text, names),
        content_sid=sid,
        variables={name: template(file, value, names) for name, value in variables.items()},
    )


def _titled(file: Path, source: str, names: Names, *, leads: bool) -> Text:
    """A text with a title and an address that it leads to, or may lead to."""
    values = read_toml(file)
    if values.keys() | (set() if leads else {"url"}) != {"title", "text", "url"}:
        raise wrong(
            file, "fields", f"write title, text and{'' if leads else ', if you like,'} url, where a press leads to"
        )
    parts = {name: template(file, _words(file, name, value), names) for name, value in values.items()}
    return Text(source=source, subject=parts["title"], text=parts["text"], url=parts.get("url"))


def _words(file: Path, field: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise wrong(file, field, "write a text")
    return value


def _web_address(url: str) -> str:
    url = url.strip()
    if not re.fullmatch(r"https?://[^\s/]+\S*", url):
        raise Unfit("its url is no web address")
    return url


_HTML, _PLAIN = TextEnvironment(autoescape=True), TextEnvironment(autoescape=False)


def template(file: Path, source: str, names: Names, environment: TextEnvironment = _PLAIN) -> Template:
    """A compiled template, which may say these names. Raises InvalidDeclaration."""
    try:
        check_names(environment.parse(source), names)
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        raise wrong(file, f"line {error.lineno}", f"Jinja2 says: {error.message}") from error


def _head(file: Path, source: str) -> tuple[dict[str, str], str]:
    lines, _, content = source.partition("\n\n")
    head = {}
    for line in lines.splitlines():
        name, colon, value = line.partition(":")
        if name not in ("subject", "preview") or not colon or not value.strip():
            raise wrong(file, "head", f"{line!r} is not allowed; write subject: …, preview: …, then an empty line")
        head[name] = value.strip()
    if "subject" not in head:
        raise wrong(file, "subject", "it is missing; write subject: … on the first line")
    return head, content


def _one_line(text: str) -> str:
    return " ".join(text.split())
