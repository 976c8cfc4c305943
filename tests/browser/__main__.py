"""`make check-browser`: axe finds no violation on any page, in both languages, on desk and phone, by day and by night.

Every page is opened in Debian's Chromium from a real server; besides axe's rules, none may scroll sideways. With a
folder as argument it also keeps a picture of each page there, to be looked at.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from adapters.vapid import new_private_key
from services.keys import SCOPES, Keys
from tests.api.conftest import client_of
from tests.browser.chromium import Tab, browsing, program
from tests.browser.sights import FORM, Sight, console_pages, public_pages, show_busy
from tests.support.factories import settings_for
from tests.support.serving import serving_app
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.leaving import leave
from tropa.migrate import migrate
from tropa.serve import api_app
from tropa.wiring import House, build

AXE = Path(__file__).parents[2] / ".axe/node_modules/axe-core/axe.min.js"
SCREENS = {
    "desk": {"width": 1280, "height": 900, "phone": False},
    "phone": {"width": 375, "height": 740, "phone": True},
}
# The sandbox's messages are looked at while developing, and come in by themselves.
LEFT_OUT = {"messages of the sandbox": ["meta-refresh"]}
RULES = """
    axe.run(document, {resultTypes: ["violations"], iframes: false, rules: %s}).then(found => found.violations.flatMap(
        each => each.nodes.map(node => `${each.id} (${each.impact}): ${each.help}\n      ${node.html}`)))
"""


class Inspection:
    """Looks at pages and counts."""

    def __init__(self, tab: Tab, base: str, pictures: Path | None) -> None:
        self._tab, self._base, self._pictures = tab, base, pictures
        self._axe = AXE.read_text(encoding="utf-8")
        self.passed = self.failed = 0

    async def look(self, sight: Sight) -> None:
        """One page on every screen."""
        await self._tab.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": sight.lang})
        await self._tab.open(self._base + sight.path)
        if sight.press:
            await self._tab.press(sight.press)
        await self._tab.run(self._axe)
        for screen, size in SCREENS.items():
            for dark in (False, True):
                await self._tab.looks(**size, dark=dark)  # type: ignore[arg-type]  # width and height, and whether
                await self._judge(sight, f"{screen}{', dark' if dark else ''}")

    async def _judge(self, sight: Sight, screen: str) -> None:
        off = {rule: {"enabled": False} for rule in LEFT_OUT.get(sight.name, ())}
        problems: list[str] = await self._tab.run(RULES % json.dumps(off))
        if await self._tab.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            problems.append("it scrolls sideways")
        if await self._tab.run("document.documentElement.lang") != sight.lang:
            problems.append("it is in the wrong language")
        if problems:
            self.failed += 1
            print(f"FAILED {sight.name} ({sight.lang}, {screen})", *problems, sep="\n    ")
        else:
            self.passed += 1
        if self._pictures:
            name = re.sub(r"\W+", "-", f"{sight.name} {sight.lang} {screen}").strip("-")
            (self._pictures / f"{name}.png").write_bytes(await self._tab.picture())


@asynccontextmanager
async def a_house(database_url: str) -> AsyncIterator[tuple[House, FastAPI, httpx.AsyncClient]]:
    """A house where every page is to be seen, its app, and a client whose key may do everything."""
    said = {"public_url": "http://tropa.test", "vapid_private_key": new_private_key(), "forms": [FORM], "journeys": ""}
    house = await build(settings_for(database_url, **said))
    app = api_app(house)
    show_busy(app)
    key = await Keys(house.database).create("the shop", sorted(SCOPES))
    async with client_of(app, Authorization=f"Bearer {key}") as api:
        yield house, app, api
    await house.close()


async def inspect(database_url: str, pictures: Path | None) -> int:
    """All pages; answers the exit code."""
    async with a_house(database_url) as (house, app, api), serving_app(app) as port, browsing() as tab:
        inspection = Inspection(tab, f"http://127.0.0.1:{port}", pictures)
        await tab.ask("Network.enable")
        for sight in await public_pages(house, api):
            await inspection.look(sight)
        sights: list[Any] = await console_pages(house, api)
        await tab.open(f"http://127.0.0.1:{port}/console/enter?token={app.state.needs.sessions.link()}")
        for sight in sights:
            await inspection.look(sight)
    print(f"{inspection.passed} passed, {inspection.failed} failed")
    return 1 if inspection.failed else 0


def main(arguments: list[str]) -> int:
    """Start everything, look, and stop everything; answers the exit code."""
    if program() is None:
        print("This needs Chromium on the PATH. On Debian: apt-get install chromium", file=sys.stderr)
        return 1
    if not AXE.exists():
        print("axe is missing. Run: make check-browser", file=sys.stderr)
        return 1
    pictures = Path(arguments[0]) if arguments else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tropa-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off"})
        server.ensure()
        try:
            server.create_database("pages")
            migrate(server.url("pages"))
            return asyncio.run(inspect(server.url("pages"), pictures))
        finally:
            server.stop()


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
