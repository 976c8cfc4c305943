"""`make check-twilio`: Twilio's official API description is the referee between our client and our simulator.

Prism stands between the two and answers 500, with its violations, to whatever the description does not allow. So one
run shows that our client asks what Twilio takes and that the simulator answers what Twilio answers; and, so that the
referee's silence means something, that it catches a simulator and a client that do wrong.
"""

import asyncio
import contextlib
import json
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from adapters.channels.twilio import TwilioAccount, TwilioGateway
from adapters.links import Links
from domain.deliveries import Letter, Lost, Receipt
from domain.errors import Unavailable
from domain.messages import Content
from tests.support.twilio_simulator import SENDER, SID, TOKEN, Fault, Twilio, simulating
from tropa.leaving import leave

HERE = Path(__file__).parent.parent / ".prism"
PRISM = HERE / "node_modules/@stoplight/prism-cli/dist/index.js"
DESCRIPTION = HERE / "twilio_api_v2010.json"
PAGE_ADDRESSES = ("first_page_uri", "next_page_uri", "previous_page_uri", "uri")
SERVICE = "MG" + "b2" * 16
CONTENT = "HX" + "c3" * 16
READY_WITHIN = 90.0  # seconds; it reads a large description


def description() -> dict[str, object]:
    """The official description, with one correction: its own examples of page addresses are no whole addresses."""
    read: dict[str, object] = json.loads(DESCRIPTION.read_text())
    listed = read["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]  # type: ignore[index]
    properties = listed["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    for name in PAGE_ADDRESSES:
        properties[name]["format"] = "uri-reference"
    return read


@contextlib.asynccontextmanager
async def refereed(simulator: Twilio) -> AsyncIterator[str]:
    """Prism in front of the simulator. Ends with the block, whatever happens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file, log = Path(folder) / "twilio.json", Path(folder) / "prism.log"
        file.write_text(json.dumps(description()))
        command = ["node", str(PRISM), "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", str(file)]
        with log.open("wb") as written:
            prism = await asyncio.create_subprocess_exec(*command, simulator.base_url, stdout=written, stderr=written)
        try:
            async with asyncio.timeout(READY_WITHIN):
                while "Prism is listening" not in log.read_text():
                    if prism.returncode is not None:
                        raise RuntimeError(f"Prism did not start:\n{log.read_text()}")
                    await asyncio.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            if prism.returncode is None:
                prism.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(prism.wait(), 5)
            if prism.returncode is None:
                prism.kill()
                await prism.wait()


class Rounds:
    """What is checked, one after another."""

    def __init__(self, simulator: Twilio, base_url: str) -> None:
        self.simulator, self.base_url = simulator, base_url
        self.gateway = self.gateway_of(sender=SENDER)
        self.failed = 0
        self.passed = 0

    def gateway_of(self, **who: Any) -> TwilioGateway:
        """Our own client, which believes that the referee is Twilio."""
        account = TwilioAccount(**{"sid": SID, "token": TOKEN, "base_url": self.base_url, "per_second": 1000, **who})
        links = Links(["a secret of the referee"], "https://shop.test")
        return TwilioGateway(account, links.status_report, timeout=httpx.Timeout(20))

    async def run(self) -> None:
        """Every check, each on an empty simulator."""
        checks: dict[str, Callable[[], Awaitable[bool]]] = {
            "a text from a number": self.from_a_number,
            "a text from a messaging service": self.from_a_service,
            "a WhatsApp message in free words": self.whatsapp,
            "a WhatsApp message by an approved template": self.by_template,
            "a look-up over two pages": self.look_up,
            "a fetch of one text, with an error code": self.fetch,
            "a refusal": self.refusal,
            "too many requests": self.busy,
            "an account that is turned down": self.stranger,
            "caught: a status that Twilio does not know": self.wrong_status,
            "caught: a message id that is none": self.wrong_sid,
            "caught: a listed message that is none": self.wrong_list,
            "caught: a client that names no such service": self.wrong_client,
            "caught: a client whose template is none": self.wrong_template,
        }
        for name, check in checks.items():
            self.simulator.forget()
            good = await check()
            self.passed, self.failed = self.passed + good, self.failed + (not good)
            print(f"{'ok    ' if good else 'FAILED'} {name}")
        await self.gateway.close()

    async def from_a_number(self) -> bool:
        receipt = await self.deliver()
        return (receipt.outcome, receipt.provider_id) == ("accepted", self.simulator.messages[0]["sid"])

    async def from_a_service(self) -> bool:
        gateway = self.gateway_of(messaging_service=SERVICE)
        receipt = await gateway.deliver(a_letter())
        await gateway.close()
        return receipt.outcome == "accepted" and self.simulator.messages[0]["messaging_service_sid"] == SERVICE

    async def whatsapp(self) -> bool:
        gateway = self.gateway_of(sender=SENDER, prefix="whatsapp:")
        letter = a_letter()
        receipt = await gateway.deliver(letter)
        trace = await gateway.look_up(lost(letter))
        await gateway.close()
        message = self.simulator.messages[0]
        sides = (message["from"], message["to"])
        return sides == (f"whatsapp:{SENDER}", f"whatsapp:{letter.to}") and trace.provider_ids == (receipt.provider_id,)

    async def by_template(self) -> bool:
        self.simulator.approved = {CONTENT: "Hello, {{1}}!"}
        gateway = self.gateway_of(messaging_service=SERVICE, prefix="whatsapp:")
        receipt = await gateway.deliver(a_letter(content=Content(sid=CONTENT, variables={"1": "Анна"})))
        await gateway.close()
        return receipt.outcome == "accepted" and self.simulator.messages[0]["body"] == "Hello, Анна!"

    async def look_up(self) -> bool:
        letter = a_letter("the first one")
        first = await self.gateway.deliver(letter)
        for _ in range(51):
            self.simulator.messages.append({**self.simulator.messages[0], "sid": f"SM{uuid4().hex}", "body": "later"})
        trace = await self.gateway.look_up(lost(letter))
        return trace.provider_ids == (first.provider_id,)

    async def fetch(self) -> bool:
        receipt = await self.deliver()
        self.simulator.messages[0] |= {"status": "undelivered", "error_code": 30005, "error_message": "Unknown"}
        report = await self.gateway.report(receipt.provider_id or "")
        return report is not None and (report.status, report.code) == ("undelivered", "30005")

    async def refusal(self) -> bool:
        self.simulator.faults = [Fault(status=400, code=21610)]
        return (await self.deliver()).opted_out

    async def busy(self) -> bool:
        self.simulator.faults = [Fault(status=429, code=20429, headers={"Retry-After": "7"})]
        receipt = await self.deliver()
        return receipt.outcome == "retry" and receipt.retry_after is not None

    async def stranger(self) -> bool:
        gateway = self.gateway_of(sender=SENDER, token="a wrong one")
        receipt = await gateway.deliver(a_letter())
        await gateway.close()
        return (receipt.outcome, receipt.code) == ("retry", "20003")

    async def wrong_status(self) -> bool:
        self.simulator.wrong = {"status": "enqueued"}
        return (await self.deliver()).outcome == "unknown"

    async def wrong_sid(self) -> bool:
        self.simulator.wrong = {"sid": "SM123"}
        return (await self.deliver()).outcome == "unknown"

    async def wrong_list(self) -> bool:
        letter = a_letter()
        await self.gateway.deliver(letter)
        self.simulator.wrong = {"direction": "sideways"}
        try:
            await self.gateway.look_up(lost(letter))
        except Unavailable:
            return True
        return False

    async def wrong_client(self) -> bool:
        gateway = self.gateway_of(messaging_service="MG123")
        receipt = await gateway.deliver(a_letter())
        await gateway.close()
        return receipt.outcome == "refused" and self.simulator.requests == 0

    async def wrong_template(self) -> bool:
        gateway = self.gateway_of(sender=SENDER, prefix="whatsapp:")
        receipt = await gateway.deliver(a_letter(content=Content(sid="HX123", variables={})))
        await gateway.close()
        return receipt.outcome == "refused" and self.simulator.requests == 0

    async def deliver(self) -> Receipt:
        return await self.gateway.deliver(a_letter())


def a_letter(text: str = "Привет! Hello!", content: Content | None = None) -> Letter:
    """A text to somebody."""
    return Letter(
        send_id=uuid4(), to="+14155552345", sender="", subject="", html="", text=text, unsubscribe_url=None,
        list_id=None, journey="trial", message="note", content=content,
    )  # fmt: skip


def lost(letter: Letter) -> Lost:
    """Its answer was lost just now."""
    return Lost(send_id=letter.send_id, to=letter.to, text=letter.text, handed_at=datetime.now(UTC))


async def referee() -> int:
    """All rounds; answers the exit code."""
    async with simulating() as simulator, refereed(simulator) as base_url:
        rounds = Rounds(simulator, base_url)
        await rounds.run()
    print(f"{rounds.passed} passed, {rounds.failed} failed")
    return 1 if rounds.failed else 0


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("This needs node on the PATH.", file=sys.stderr)
        leave(1)
    if not PRISM.exists() or not DESCRIPTION.exists():
        print("Prism or Twilio's description is missing. Run: make check-twilio", file=sys.stderr)
        leave(1)
    leave(asyncio.run(referee()))
