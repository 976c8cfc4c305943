"""Message folders: what each declares, compiled once at start, rendered for one customer at a time.

templates/messages/layout.mjml, words.toml       what surrounds every letter, in each language
templates/messages/topics.toml                   what customers may choose and refuse by
templates/messages/<journey>/<message>/
    message.toml                                 purpose, goal, channels, shelf_life, limit, why, products, offer,
                                                 survey
    email.<locale>.mjml                          a head (subject, preview), a blank line, MJML for a column
    sms.<locale>.txt, telegram.<locale>.txt      plain text
    web_push.<locale>.toml                       title, text, url
    in_app.<locale>.toml                         title, text and, where a press leads anywhere, url
    whatsapp.<locale>.toml                       content_sid, variables (of the approved template), text
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from jinja2 import Template, TemplateError, UndefinedError

from adapters.message_texts import CONTENT, SUFFIXES, Text, Unfit, compile_text, template
from adapters.message_titles import title_in
from adapters.message_toml import read_message, read_text, read_toml, wrong
from adapters.surveys import FOLDER as SURVEYS
from adapters.surveys import read_surveys
from adapters.template_names import Names
from adapters.topics import read_topics
from domain.errors import NotFound, TropaError
from domain.messages import Channel, Message, Purpose, Rendered

MESSAGES = Path(__file__).resolve().parent.parent / "templates" / "messages"
LOCALES = ("en", "ru")  # every message speaks these
FALLBACK = "en"


class RenderFailed(TropaError):
    """A message could not be rendered. `message` is journey/name; `variable` the missing one, if any.

    The sentence never holds a value from the context, so it may be logged.
    """

    def __init__(self, message: str, reason: str, *, variable: str | None = None) -> None:
        super().__init__(f"{message}: {reason}.")
        self.message, self.variable = message, variable


@dataclass(frozen=True, kw_only=True)
class _Folder:
    message: Message
    why: Mapping[str, Template]
    texts: Mapping[tuple[Channel, str], Text]


class MessageLibrary:
    """Every message under `folder`, declared and compiled. A mistake in a file raises InvalidDeclaration.

    `surveys` is the folder of those that they may ask.
    """

    def __init__(self, folder: Path = MESSAGES, surveys: Path = SURVEYS) -> None:
        self.surveys = read_surveys(surveys)
        self._layout = read_text(folder / "layout.mjml")
        if self._layout.count(CONTENT) != 1:
            raise wrong(folder / "layout.mjml", "content", f"write {CONTENT} once, where messages go")
        self._words = _words(folder / "words.toml")
        self.topics = read_topics(folder / "topics.toml", LOCALES)
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

    def language(self, journey: str, name: str, locale: str) -> str:
        """What the message speaks to a customer of that locale: their language, or English. Raises NotFound."""
        language = re.split("[-_]", locale.lower())[0]
        return language if language in self._folder(journey, name).message.locales else FALLBACK

    def title(self, journey: str, name: str, locale: str) -> str:
        """What staff call a message: what its letter, or else its first text, says first. Raises NotFound."""
        texts, spoken = self._folder(journey, name).texts, self.language(journey, name, locale)
        written = [text for (_, language), text in texts.items() if language == spoken]
        return title_in(max(written, key=lambda text: text.subject is not None).source)

    def render(self, journey: str, name: str, channel: Channel, locale: str, context: Mapping[str, object]) -> Rendered:
        """The message for one customer. Raises NotFound and RenderFailed.

        `ru-KZ` is answered in `ru`, a language that the message lacks in `en`. `message.why` is added here.
        """
        folder, spoken = self._folder(journey, name), self.language(journey, name, locale)
        text = folder.texts.get((channel, spoken))
        if text is None:
            raise NotFound(f"{channel} text of message", f"{journey}/{name}")
        values = dict(context) | {"locale": spoken, "words": self._words[spoken]}
        try:
            values["message"] = {"why": folder.why[spoken].render(values)}
            return text.fill(values, spoken)
        except Unfit as error:
            raise RenderFailed(f"{journey}/{name}", str(error)) from None
        except UndefinedError as error:
            variable = _missing(error, text.source)
            reason = f"the text needs {variable}, which the context does not have"
            raise RenderFailed(f"{journey}/{name}", reason, variable=variable) from None
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # The original may quote a customer's data, so only its kind is told.
            reason = f"a template misbehaves ({type(error).__name__})"
            raise RenderFailed(f"{journey}/{name}", reason) from None

    def _folder(self, journey: str, name: str) -> _Folder:
        try:
            return self._folders[journey, name]
        except KeyError:
            raise NotFound("message", f"{journey}/{name}") from None

    def _load(self, folder: Path) -> _Folder:
        declared = folder / "message.toml"
        message, why = read_message(declared)
        if message.survey and message.survey not in self.surveys:
            raise wrong(declared, "survey", f"{message.survey!r} is none; there are {', '.join(self.surveys)}")
        names = Names.of(message)
        texts = {}
        for file in sorted(folder.iterdir()):
            if file == declared or file.name.startswith("."):
                continue
            channel, locale = self._read_name(file)
            if channel not in message.channels:
                raise wrong(declared, "channels", f"{file.name} is there, but {channel} is not declared")
            texts[channel, locale] = compile_text(file, channel, self._layout, names)
        for channel, locale in product(message.channels, LOCALES):
            if (channel, locale) not in texts:
                name = f"{channel}.{locale}.{SUFFIXES[channel]}"
                raise wrong(declared, "channels", f"{channel} is declared, but there is no {name} beside it")
        locales = tuple(
            locale for locale in self._words if all((channel, locale) in texts for channel in message.channels)
        )
        if why.keys() != set(locales):
            raise wrong(declared, "why", f"write it for exactly the languages of the texts: {', '.join(locales)}")
        return _Folder(
            message=replace(message, locales=locales, topic=self._topic(declared, message)),
            why={locale: template(declared, sentence, names) for locale, sentence in why.items()},
            texts=texts,
        )

    def _topic(self, declared: Path, message: Message) -> str:
        if message.purpose is Purpose.TRANSACTIONAL:
            return ""
        topic = message.topic or self.topics.by_purpose[message.purpose]
        if topic not in self.topics.words:
            raise wrong(declared, "topic", f"{topic!r} is none; topics.toml has {', '.join(self.topics.words)}")
        return topic

    def _read_name(self, file: Path) -> tuple[Channel, str]:
        for channel, suffix in SUFFIXES.items():
            for locale in self._words:
                if file.name == f"{channel}.{locale}.{suffix}":
                    return channel, locale
        allowed = ", ".join(f"{c}.<{'|'.join(self._words)}>.{s}" for c, s in SUFFIXES.items())
        raise wrong(file, "name", f"a message folder holds only message.toml, {allowed}")


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


def _missing(error: UndefinedError, source: str) -> str:
    """The missing variable as the template spells it: `customer.nickname`, not `nickname`."""
    last = re.findall(r"'([^']*)'", str(error))[-1:]
    spelled: dict[str, str] = {}
    for path in re.findall(r"[a-z_]\w*(?:\.\w+)*", source):
        parts = path.split(".")
        spelled |= {part: ".".join(parts[: depth + 1]) for depth, part in enumerate(parts) if part not in spelled}
    # A name that no template spells may be a value, so it is not repeated.
    return spelled.get(last[0], "a variable") if last else "a variable"
