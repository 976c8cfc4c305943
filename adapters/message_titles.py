"""What a message is called among staff: its subject as the file writes it, without what differs by customer."""

import re

_SUBJECT = re.compile(r'^(?:subject: *|title *= *")(.+?)"?$', re.MULTILINE)
_EITHER = re.compile(r"{% *if [^%]*%}(?:(?!{% *if ).)*?{% *else *%}(.*?){% *endif *%}")
_PERHAPS = re.compile(r"{% *if [^%]*%}.*?{% *endif *%}")
_OTHERWISE = re.compile(r"{{[^}]* or '([^']*)' *}}")
_FILLED = re.compile(r"{{.*?}}")
_SENTENCE = re.compile(r"(?<=[.!?]) ")
_OPENING = re.compile(r"^[… :.,–-]+(?=\w)")


def title_in(source: str) -> str:
    """The subject of a text; of one without, its first sentence. What is filled in is “…” at most."""
    found = _SUBJECT.search(source)
    words = found[1] if found else source.strip().partition("\n")[0]
    for pattern, instead in ((_EITHER, r"\1"), (_PERHAPS, ""), (_OTHERWISE, r"\1"), (_FILLED, "…")):
        words = pattern.sub(instead, words)
    said = _OPENING.sub("", words if found else _SENTENCE.split(words)[0])
    return (said[:1].upper() + said[1:]).removesuffix(": …")
