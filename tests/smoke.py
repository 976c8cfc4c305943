"""The smoke test: free ports, a temporary folder, a real SMTP sink, one WelcomeChain from an event to its timeline.

The last line is one JSON object. Exit code 0 when all went well.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.settings import Settings
from adapters.temporal import connect
from tests.support.billing import billable_actions
from tests.support.factories import a_zone_where_it_is
from tropa import keys
from tropa.embedded.ports import free_port
from tropa.embedded.supervisor import Supervisor
from tropa.leaving import leave
from tropa.stack import Addresses, start

PACE = 86400 / 2  # a day lasts two seconds
PROFILE = {
    "email": "smoke@example.com",
    "locale": "en",
    "attributes": {"first_name": "Smoke"},
    "consents": {"email": {"status": "granted", "source": "smoke"}},
}


class Sink:
    """Keeps what is delivered, in order."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a letter."""
        letter = message_from_bytes(envelope.original_content or b"")
        self.letters.append((envelope.rcpt_tos[0], str(letter["Feedback-ID"])))
        return "250 kept"


async def walk(addresses: Addresses, key: str, sink: Sink) -> dict[str, Any]:
    """One customer's walk from the outside; answers what was seen."""
    client = httpx.AsyncClient(base_url=addresses.api, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    async with client:
        known = (await client.put("/v1/customers/smoke", json=PROFILE)).raise_for_status().json()
        # Where she lives it is ten in the morning, so that quiet hours do not lengthen the walk.
        morning = a_zone_where_it_is(10, datetime.fromisoformat(known["first_seen_at"]))
        (await client.patch("/v1/customers/smoke", json={"timezone": morning})).raise_for_status()
        event = {"event_id": "smoke-1", "customer_id": "smoke", "name": "order_placed"}
        (await client.post("/v1/events", json={"events": [event]})).raise_for_status()
        deadline = time.monotonic() + 40
        ended = None
        while time.monotonic() < deadline and not ended:
            await asyncio.sleep(0.25)
            timeline = (await client.get("/v1/customers/smoke/timeline", params={"limit": 100})).json()
            ended = next(
                (e for e in timeline["entries"] if e["kind"] == "enrollment" and e.get("state") == "ended"), None
            )
            if len(sink.letters) == 4 and not ended:
                done = {"event_id": "smoke-2", "customer_id": "smoke", "name": "activated"}
                (await client.post("/v1/events", json={"events": [done]})).raise_for_status()
    enrollment = next(e["enrollment"] for e in timeline["entries"] if e.get("enrollment"))
    temporal = await connect(addresses.temporal)
    history = await temporal.get_workflow_handle(enrollment).fetch_history()
    described = await temporal.get_workflow_handle(enrollment).describe()
    actions = billable_actions(history)
    return {
        "ok": bool(ended) and len(sink.letters) == 4,
        "messages": [feedback.partition(":")[0] for _, feedback in sink.letters],
        "timeline": [entry["text"] for entry in reversed(timeline["entries"])],
        "history_events": described.history_length,
        "history_bytes": described.raw_description.workflow_execution_info.history_size_bytes,
        "actions": sum(actions.values()),
        "actions_by_kind": dict(Counter(actions)),
    }


def main() -> int:
    """Run it; answers the exit code."""
    began = time.monotonic()
    sink = Sink()
    smtp = Controller(sink, hostname="127.0.0.1", port=free_port())
    smtp.start()
    with tempfile.TemporaryDirectory(prefix="tropa-smoke-") as folder:
        Path(folder).chmod(0o711)
        settings = Settings(
            home=Path(folder) / "home",
            port=free_port(),
            temporal_port=free_port(),
            temporal_ui_port=free_port(),
            pace=PACE,
        )
        env = {"TROPA_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}", "TROPA_JOURNEYS": "WelcomeChain"}
        with Supervisor(settings.home, say=print) as supervisor:
            addresses = start(supervisor, settings, say=print, env=env)
            key = asyncio.run(keys.own(addresses.database, settings.home))
            seen = asyncio.run(walk(addresses, key, sink))
    smtp.stop()
    seen["seconds"] = round(time.monotonic() - began, 1)
    for line in seen.pop("timeline"):
        print("  ", line)
    print(json.dumps(seen))
    return 0 if seen["ok"] else 1


if __name__ == "__main__":
    try:
        code = main()
    except Exception as error:
        print(f"smoke failed: {type(error).__name__}: {error}", file=sys.stderr)
        print(json.dumps({"ok": False}))
        code = 1
    leave(code)
