"""Message folders: what each declares, compiled once at start, rendered for one customer at a time.

templates/messages/layout.mjml, words.toml       what surrounds every letter, in each language
templates/messages/<journey>/<message>/
    message.toml                                 purpose, goal, channels, shelf_life, limit, why
    email.<locale>.mjml                          a head (subject, preview), a blank line, MJML for a column
    sms.<locale>.txt                             plain text
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from jinja2 import Template, TemplateError, TemplateSyntaxError, UndefinedError

from adapters.letters import compile_letter, tidy
from adapters.message_toml import read_message, read_text, read_toml, wrong
from adapters.template_language import TextEnvironment
from domain.errors import NotFound, TropaError
from domain.messages import Channel, Message, Rendered

MESSAGES = Path(__file__).resolve().parent.parent / "templates" / "messages"
LOCALES = ("en", "ru")  # every message speaks these
FALLBACK = "en"

_SUFFIX = {Channel.EMAIL: "mjml", Channel.SMS: "txt"}
_CONTENT = "<!-- content -->"


class RenderFailed(TropaError):
    """A message could not be rendered. `message` is journey/name; `variable` the missing one, if any.

    The sentence never holds a value from the context, so it may be logged.
    """

    def __init__(self, message: str, reason: str, *, variable: str | None = None) -> None:
        super().__init__(f"{message}: {reason}.")
        self.message, self.variable = message, variable


@dataclass(frozen=True, kw_only=True)
class _Text:
    """One channel and language of a message, compiled. `source` is kept to name missing variables in full."""

    source: str
    text: Template
    subject: Template | None = None
    preview: Template | None = None
    html: Template | None = None


@dataclass(frozen=True, kw_only=True)
class _Folder:
    message: Message
    why: Mapping[str, Template]
    texts: Mapping[tuple[Channel, str], _Text]


class MessageLibrary:
    """Every message under `folder`, declared and compiled. A mistake in a file raises InvalidDeclaration."""

    def __init__(self, folder: Path = MESSAGES) -> None:
        self._layout = read_text(folder / "layout.mjml")
        if self._layout.count(_CONTENT) != 1:
            raise wrong(folder / "layout.mjml", "content", f"write {_CONTENT} once, where messages go")
        self._words = _words(folder / "words.toml")
        self._folders = {
            (path.parent.name, path.name): self._load(path)
            for path in sorted(folder.glob("*/*"))
            if path.is_dir() and not path.name.startswith(".")
        }

    def messages(self) -> tuple[Message, ...]:
        """All messages, by journey and name."""
        return tuple(folder.message for folder in self._folders.values())

    def message(self, journey: str, name: str) -> Message:
        """The message of that name. Raises NotFound."""
        return self._folder(journey, name).message

    def render(self, journey: str, name: str, channel: Channel, locale: str, context: Mapping[str, object]) -> Rendered:
        """The message for one customer. Raises NotFound and RenderFailed.

        `ru-KZ` is answered in `ru`, a language that the message lacks in `en`. `message.why` is added here.
        """
        folder = self._folder(journey, name)
        language = re.split("[-_]", locale.lower())[0]
        spoken = language if language in folder.message.locales else FALLBACK
        text = folder.texts.get((channel, spoken))
        if text is None:
            raise NotFound(f"{channel} text of message", f"{journey}/{name}")
        values = dict(context) | {"locale": spoken, "words": self._words[spoken]}
        try:
            values["message"] = {"why": folder.why[spoken].render(values)}
            subject = _one_line(text.subject.render(values)) if text.subject else None
            preview = _one_line(text.preview.render(values)) if text.preview else None
            values |= {"subject": subject, "preview": preview}
            html = text.html.render(values) if text.html else None
            plain = tidy(text.text.render(values))
        except UndefinedError as error:
            variable = _missing(error, text.source)
            reason = f"the text needs {variable}, which the context does not have"
            raise RenderFailed(f"{journey}/{name}", reason, variable=variable) from None
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # The original may quote a customer's data, so only its kind is told.
            reason = f"a template misbehaves ({type(error).__name__})"
            raise RenderFailed(f"{journey}/{name}", reason) from None
        return Rendered(subject=subject, preview=preview, html=html, text=plain, locale=spoken)

    def _folder(self, journey: str, name: str) -> _Folder:
        try:
            return self._folders[journey, name]
        except KeyError:
            raise NotFound("message", f"{journey}/{name}") from None

    def _load(self, folder: Path) -> _Folder:
        declared = folder / "message.toml"
        message, why = read_message(declared)
        texts = {}
        for file in sorted(folder.iterdir()):
            if file == declared or file.name.startswith("."):
                continue
            channel, locale = self._read_name(file)
            if channel not in message.channels:
                raise wrong(declared, "channels", f"{file.name} is there, but {channel} is not declared")
            texts[channel, locale] = self._compile(file, channel)
        for channel, locale in product(message.channels, LOCALES):
            if (channel, locale) not in texts:
                name = f"{channel}.{locale}.{_SUFFIX[channel]}"
                raise wrong(declared, "channels", f"{channel} is declared, but there is no {name} beside it")
        locales = tuple(
            locale for locale in self._words if all((channel, locale) in texts for channel in message.channels)
        )
        if why.keys() != set(locales):
            raise wrong(declared, "why", f"write it for exactly the languages of the texts: {', '.join(locales)}")
        return _Folder(
            message=replace(message, locales=locales),
            why={locale: _template(declared, sentence) for locale, sentence in why.items()},
            texts=texts,
        )

    def _read_name(self, file: Path) -> tuple[Channel, str]:
        for channel, suffix in _SUFFIX.items():
            for locale in self._words:
                if file.name == f"{channel}.{locale}.{suffix}":
                    return channel, locale
        allowed = ", ".join(f"{c}.<{'|'.join(self._words)}>.{s}" for c, s in _SUFFIX.items())
        raise wrong(file, "name", f"a message folder holds only message.toml, {allowed}")

    def _compile(self, file: Path, channel: Channel) -> _Text:
        source, declared = read_text(file), read_text(file.with_name("message.toml"))
        if channel is not Channel.EMAIL:
            return _Text(source=source + declared, text=_template(file, source))
        _template(file, source)  # here a mistake still has the author's line number
        head, content = _head(file, source)
        try:
            html, text = compile_letter(self._layout.replace(_CONTENT, content))
        except ValueError as error:
            raise wrong(file, "MJML", str(error)) from error
        return _Text(
            source=source + self._layout + declared,
            subject=_template(file, head["subject"]),
            preview=_template(file, head["preview"]) if "preview" in head else None,
            html=_template(file, html, _HTML),
            text=_template(file, text),
        )


_HTML, _PLAIN = TextEnvironment(autoescape=True), TextEnvironment(autoescape=False)


def _template(file: Path, source: str, environment: TextEnvironment = _PLAIN) -> Template:
    try:
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


def _words(file: Path) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = {}
    for locale, table in read_toml(file).items():
        if not isinstance(table, dict) or not all(isinstance(word, str) for word in table.values()):
            raise wrong(file, locale, 'write a table of words: unsubscribe = "Unsubscribe"')
        words[locale] = table
    for locale in LOCALES:
        if words.get(locale, {}).keys() != words.get(FALLBACK, {"": ""}).keys():
            raise wrong(file, locale, f"it must have the same words as {FALLBACK}")
    return words


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _missing(error: UndefinedError, source: str) -> str:
    """The missing variable as the template spells it: `customer.nickname`, not `nickname`."""
    last = re.findall(r"'([^']*)'", str(error))[-1:]
    spelled: dict[str, str] = {}
    for path in re.findall(r"[a-z_]\w*(?:\.\w+)*", source):
        parts = path.split(".")
        spelled |= {part: ".".join(parts[: depth + 1]) for depth, part in enumerate(parts) if part not in spelled}
    # A name that no template spells may be a value, so it is not repeated.
    return spelled.get(last[0], "a variable") if last else "a variable"
