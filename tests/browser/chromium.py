"""Debian's Chromium, driven by its own protocol over a websocket: opens pages as a person would, on any screen."""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
    ),
)
STARTS_WITHIN = 30.0  # seconds
LOADS_WITHIN = 20.0


class Tab:
    """One page of a browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._numbers = connection, itertools.count(1)
        self._loaded = False

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer. Raises RuntimeError for what the browser refuses."""
        number = next(self._numbers)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = await self._read()
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                answer: dict[str, Any] = said["result"]
                return answer

    async def open(self, address: str) -> None:
        """Go to an address and wait until all of it is there. Raises RuntimeError where nothing answers."""
        self._loaded = False
        went = await self.ask("Page.navigate", url=address)
        if "errorText" in went:
            raise RuntimeError(f"{address}: {went['errorText']}")
        await self.loaded()

    async def press(self, selector: str) -> None:
        """Press a button that leads to another page, and wait for that. Several with > between are pressed in turn."""
        self._loaded = False
        for each in selector.split(" > "):
            await self.run(f"document.querySelector({json.dumps(each)}).click()")
        await self.loaded()

    async def loaded(self) -> None:
        """Wait for the page that is on its way."""
        async with asyncio.timeout(LOADS_WITHIN):
            while not self._loaded:
                await self._read()

    async def run(self, script: str) -> Any:
        """What a script of ours in the page comes to. Raises RuntimeError when it throws."""
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def looks(self, *, width: int, height: int, phone: bool, dark: bool) -> None:
        """Be seen on such a screen."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self) -> bytes:
        """The whole page as PNG."""
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    async def _read(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(await self._connection.recv())
        self._loaded = self._loaded or said.get("method") == "Page.loadEventFired"
        return said


def program() -> str | None:
    """The browser on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Tab]:
    """A browser of its own, without anybody's history. Ends with the block, whatever happens."""
    found = program()
    if found is None:
        raise RuntimeError("there is no Chromium on the PATH")
    with tempfile.TemporaryDirectory(prefix="tropa-browser-", ignore_cleanup_errors=True) as folder:
        silent = asyncio.subprocess.DEVNULL
        browser = await asyncio.create_subprocess_exec(
            found, *QUIET, f"--user-data-dir={folder}", "about:blank", stdout=silent, stderr=silent
        )
        try:
            address = await _address(Path(folder) / "DevToolsActivePort")
            async with connect(address, max_size=None) as connection:
                tab = Tab(connection)
                await tab.ask("Page.enable")
                yield tab
        finally:
            with contextlib.suppress(ProcessLookupError):
                browser.terminate()
            await browser.wait()


async def _address(written: Path) -> str:
    """Where the first tab of a browser listens, which writes its port into a file once it is up."""
    async with asyncio.timeout(STARTS_WITHIN), httpx.AsyncClient(trust_env=False) as http:
        while True:
            with contextlib.suppress(FileNotFoundError, IndexError, httpx.HTTPError, StopIteration):
                port = written.read_text().split()[0]
                tabs = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
                return str(next(tab for tab in tabs if tab["type"] == "page")["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
