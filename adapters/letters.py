"""MJML into the HTML and text of a letter, once, with Jinja2's tags left in place for each send to fill."""

import re

import css_inline
from inscriptis import get_text  # type: ignore[import-untyped]  # the package ships no types
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]  # the same
from mjml import mjml2html

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_WORD = re.compile(r"jinja(\d+)tag")
_COMMENT = re.compile(r"<!--(jinja\d+tag)-->")
_BETWEEN_ROWS = re.compile(r"(<tbody>|</tr>)((?:\s*<!--jinja\d+tag-->)+)")
_NOT_IN_TEXT = re.compile(r"<(\w+)\b[^>]*\sdata-no-text\b[^>]*>.*?</\1>", re.DOTALL)
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


def compile_letter(mjml: str) -> tuple[str, str]:
    """HTML and plain text of a letter, both still Jinja2.

    MJML, CSS inlining and HTML parsing would escape or move Jinja2's tags, so each is a plain word meanwhile.
    Making the text part here, from the compiled letter, keeps an HTML parser (over 1 ms) out of every send. An element
    with `data-no-text`, such as a row of scores to tap, is not in the text part.
    Raises ValueError with a sentence for the author.
    """
    tags: list[str] = []

    def hide(match: re.Match[str]) -> str:
        if match[0].startswith("{#"):
            return ""
        if match[0].startswith("{%") or match[0] not in tags:
            tags.append(match[0])
            return f"jinja{len(tags) - 1}tag"
        # The same word again, so that a link is seen to show its own address.
        return f"jinja{tags.index(match[0])}tag"

    def comment(match: re.Match[str]) -> str:
        # A block tag between two rows of a table: an HTML parser moves words out of there, but not comments.
        blocks = all(tags[int(number)].startswith("{%") for number in _WORD.findall(match[0]))
        return _WORD.sub(r"<!--\g<0>-->", match[0]) if blocks else match[0]

    # No fonts: for a name such as Roboto, MJML would have the reader fetch one from a third party.
    html = mjml2html(_JINJA.sub(hide, mjml), fonts={})
    if unknown := re.search(r"<(mj-[a-z-]+)", html):
        raise ValueError(f"{unknown[1]} is no MJML element, or stands where it cannot")
    html = _INLINER.inline(re.sub(r"(?<=>)\s*(?:jinja\d+tag\s*)+(?=<)", comment, html))
    rows = _BETWEEN_ROWS.sub(
        r"\1<tr><td>\2</td></tr>", _NOT_IN_TEXT.sub("", html)
    )  # for the text part, where they become words again
    html, rows = _COMMENT.sub(r"\1", html), _COMMENT.sub(r"\1", rows)
    for number, tag in enumerate(tags):
        if f"jinja{number}tag" not in html:
            raise ValueError(f"{tag} would be lost where it stands; put it inside an element's text")

    def show(text: str) -> str:
        return _WORD.sub(lambda word: tags[int(word[1])], text)

    lines = str(get_text(rows, ParserConfig(display_links=True))).splitlines()
    text = "\n".join(_LINK.sub(_plain_link, line.strip()) for line in lines)
    return show(html), show(tidy(text))


def _plain_link(link: re.Match[str]) -> str:
    """`label: address` on a line of its own, `label (address)` within a sentence, no label twice."""
    label, address = link[1].strip(), link[2]
    if address.startswith("mailto:"):
        address = address.removeprefix("mailto:").partition("?")[0]
    if label in ("", address):
        return address
    return f"\n{label}: {address}\n" if link[0] == link.string else f"{label} ({address})"


def tidy(text: str) -> str:
    """Single blanks, no blanks at the ends of lines, at most one empty line together."""
    lines = (re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
