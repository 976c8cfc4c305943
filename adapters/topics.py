"""Topics: what customers may choose and refuse messages by (S97). Declared in `templates/messages/topics.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adapters.message_toml import read_toml, wrong
from domain.messages import Purpose

FILE = Path(__file__).resolve().parent.parent / "templates" / "messages" / "topics.toml"
LOCALES = ("en", "ru")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Topics:
    """The topics in order, with their words by language, and which purpose is of which."""

    words: Mapping[str, Mapping[str, str]]
    by_purpose: Mapping[Purpose, str]


def read_topics(file: Path = FILE, locales: tuple[str, ...] = LOCALES) -> Topics:
    """The topics in `file`. Raises InvalidDeclaration when one is wrong, or a purpose has none or two."""
    words: dict[str, dict[str, str]] = {}
    by_purpose: dict[Purpose, str] = {}
    for name, table in read_toml(file).items():
        if not _NAME.fullmatch(name) or not isinstance(table, dict):
            raise wrong(file, name, "write a table with a name in snake_case: [promotions]")
        purposes = table.pop("purposes", [])
        if table.keys() != set(locales) or not all(isinstance(said, str) and said for said in table.values()):
            raise wrong(file, name, f"write its name for customers in each language: {', '.join(locales)}")
        words[name] = table
        for purpose in purposes:
            if purpose not in set(Purpose) - {Purpose.TRANSACTIONAL} or purpose in by_purpose:
                raise wrong(file, f"{name}.purposes", f"{purpose!r} is no purpose that may be refused, or has a topic")
            by_purpose[Purpose(purpose)] = name
    for purpose in set(Purpose) - {Purpose.TRANSACTIONAL} - by_purpose.keys():
        raise wrong(file, "purposes", f"no topic names the purpose {purpose}")
    return Topics(words=words, by_purpose=by_purpose)


def topic_label(topic: str, locale: str) -> str:
    """What a topic is called; its bare name when it is there no more."""
    return _topics().words.get(topic, {}).get(locale, topic.replace("_", " "))


_topics = cache(read_topics)
