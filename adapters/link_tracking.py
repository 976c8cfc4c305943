"""Links of a letter, led over our own path on the way out, and straight again for staff who look at it."""

import html as markup
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from adapters.links import Links
from domain.errors import NotFound
from domain.messages import Channel, Rendered
from domain.tracking import TrackingMode

_ANCHOR = re.compile(r'<a\b[^>"]*(?:"[^"]*"[^>"]*)*>', re.IGNORECASE)
_HREF = re.compile(r'(?<=\shref=")[^"]*(?=")', re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_IN_TEXT = re.compile(r"https?://[^\s<>\"“”«»]+", re.IGNORECASE)
_BODY, _END = re.compile(r"<body\b[^>]*>", re.IGNORECASE), re.compile(r"</body>", re.IGNORECASE)
_OURS = re.compile(r'(?<=\shref=")https?://[^"\s]*/c/([\w.-]+)(?=")')
_PICTURE = re.compile(r'<img src="[^"\s]*/o/[\w.-]+\.gif"[^>]*>')


class LinkTracking:
    """Rewrites links. `site` is the company's own address: only there do UTM parameters go, and the bait leads there.

    `data-no-track` on an `<a>` leaves it alone, and so are mailto:, tel:, anchors and our own pages (unsubscribe).
    """

    def __init__(self, links: Links, *, mode: TrackingMode, utm: bool, site: str) -> None:
        self._links, self._mode, self._utm, self._site = links, mode, utm, site
        self._host = (urlsplit(site).hostname or "none").removeprefix("www.")

    def put_into(
        self, rendered: Rendered, send: UUID, channel: Channel, *, journey: str, message: str
    ) -> tuple[Rendered, tuple[str, ...]]:
        """A message with our links in it, and where they lead, by number. Number 0 is the bait that no person sees.

        A text message stays as it is: there our link is longer than most of its own, and each part of a text costs.
        """
        if self._mode is TrackingMode.OFF or channel is Channel.SMS:
            return rendered, ()
        utm = {"utm_source": "tropa", "utm_medium": channel.value, "utm_campaign": journey, "utm_content": message}
        leading: dict[str, str] = {}  # our link to each target; the first is number 1

        def ours(url: str) -> str:
            if not _WEB.match(url) or self._links.is_own(url):
                return url
            target = self._with_utm(url, utm) if self._utm else url
            if target not in leading:
                leading[target] = self._links.click(send, len(leading) + 1)
            return leading[target]

        def address(found: re.Match[str]) -> str:
            return markup.escape(ours(markup.unescape(found[0])))

        def anchor(found: re.Match[str]) -> str:
            return found[0] if "data-no-track" in found[0] else _HREF.sub(address, found[0])

        def written(found: re.Match[str]) -> str:
            url = _without_punctuation(found[0])
            return ours(url) + found[0][len(url) :]

        html = rendered.html and self._with_traps(_ANCHOR.sub(anchor, rendered.html), send)
        url = rendered.url and ours(rendered.url)
        return replace(rendered, html=html, text=_IN_TEXT.sub(written, rendered.text), url=url), (self._site, *leading)

    def taken_out(self, html: str, targets: Sequence[str]) -> str:
        """A sent letter for staff: its links lead where they say, and nothing in it counts as an open."""

        def straight(found: re.Match[str]) -> str:
            try:
                return markup.escape(targets[self._links.read_click(found[1])[1]])
            except (NotFound, IndexError):
                return found[0]

        return _OURS.sub(straight, _PICTURE.sub("", html))

    def _with_traps(self, html: str, send: UUID) -> str:
        bait = f'<a href="{self._links.click(send, 0)}" style="display:none" aria-hidden="true" tabindex="-1"></a>'
        html = _BODY.sub(lambda body: body[0] + bait, html, count=1)  # first: who follows all links begins with it
        if self._mode is not TrackingMode.FULL:
            return html
        picture = f'<img src="{self._links.open(send)}" width="1" height="1" alt="" style="border:0">'
        return _END.sub(lambda end: picture + end[0], html, count=1)

    def _with_utm(self, url: str, utm: dict[str, str]) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        if not f".{parts.hostname}".endswith(f".{self._host}") or "utm_" in parts.query:
            return url
        address, hash_, fragment = url.partition("#")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(utm)}{hash_}{fragment}"


def _without_punctuation(url: str) -> str:
    """An address in running text, without the full stop or the bracket that follows it."""
    while url[-1] in ".,;:!?…'" or (url[-1] == ")" and url.count(")") > url.count("(")):
        url = url[:-1]
    return url
