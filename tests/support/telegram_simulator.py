"""A Telegram that remembers: chats whose owners press Start, write and block; answers that refuse, delay or fail."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.serving import Cut, serving

TOKEN = "123456:" + "t" * 35
BOT = "shop_test_bot"

Post = Callable[[bytes, dict[bytes, bytes]], Awaitable[httpx.Response]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one call; `takes` says whether the message is taken all the same."""

    kind: Literal["answer", "silent", "cut", "garbage"] = "answer"
    takes: bool = False
    status: int = 500
    description: str = "Internal Server Error"
    parameters: dict[str, Any] = field(default_factory=dict)
    lasting: float = 30.0


@dataclass
class Telegram:
    """The simulator's memory. `said` is what the bot said in answers to updates."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0
    chats: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    webhook: dict[str, Any] = field(default_factory=dict)
    post: Post | None = None
    base_url: str = ""
    numbers: Any = field(default_factory=lambda: count(700_000_001))

    def forget(self) -> None:
        """Begin anew."""
        self.__init__(base_url=self.base_url)  # type: ignore[misc]  # every field as it was

    # What people do --------------------------------------------------------------------------------------------------

    async def writes(self, chat: int, text: str, *, number: int | None = None, lang: str = "en", **more: Any) -> int:
        """Somebody writes to the bot, which opens the chat."""
        self.chats.add(chat)
        message = {
            "message_id": len(self.messages) + 1,
            "from": {"id": chat, "is_bot": False, "first_name": "Anna", "language_code": lang},
            "chat": {"id": chat, "type": "private", "first_name": "Anna"},
            "date": 1772445600,
            "text": text,
        }
        return await self.tells({"update_id": number or next(self.numbers), "message": {**message, **more}})

    async def blocks(self, chat: int, status: str = "kicked") -> int:
        """Somebody blocks the bot, or with `member` lets it back."""
        (self.blocked.add if status == "kicked" else self.blocked.discard)(chat)
        change = {
            "chat": {"id": chat, "type": "private"},
            "from": {"id": chat, "is_bot": False, "first_name": "Anna"},
            "date": 1772445700,
            "old_chat_member": {"status": "member"},
            "new_chat_member": {"status": status},
        }
        return await self.tells({"update_id": next(self.numbers), "my_chat_member": change})

    async def tells(self, update: Any, secret: str | None = None) -> int:
        """An update reaches the product, whose answer may be a method call. Answers the status."""
        assert self.post is not None
        shown = self.webhook["secret_token"] if secret is None else secret
        headers = {b"X-Telegram-Bot-Api-Secret-Token": shown.encode(), b"Content-Type": b"application/json"}
        answer = await self.post(json.dumps(update).encode(), headers)
        if answer.content and answer.status_code == 200:
            self.said.append(answer.json())
        return int(answer.status_code)

    # HTTP ------------------------------------------------------------------------------------------------------------

    async def send(self, request: Request) -> Response:
        """sendMessage."""
        self.requests += 1
        asked = await request.json()
        if request.path_params["token"] != TOKEN:
            return _error(401, "Unauthorized")
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault.takes:
            return await _fails(fault)
        chat = int(asked["chat_id"])
        if chat not in self.chats:
            return _error(400, "Bad Request: chat not found")
        if chat in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        if not asked["text"] or len(asked["text"]) > 4096:
            return _error(400, "Bad Request: message is too long")
        message = {
            "message_id": 1000 + len(self.messages),
            "chat": {"id": chat, "type": "private"},
            "date": 1,
            "text": asked["text"],
        }
        self.messages.append(message)
        return await _fails(fault) if fault else JSONResponse({"ok": True, "result": message})

    async def set_webhook(self, request: Request) -> Response:
        """setWebhook."""
        asked = await request.json()
        if not asked["url"].startswith("https://"):
            return _error(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = asked
        return JSONResponse({"ok": True, "result": True, "description": "Webhook was set"})


async def _fails(fault: Fault) -> Response:
    match fault.kind:
        case "answer":
            return _error(fault.status, fault.description, **fault.parameters)
        case "garbage":
            return Response("<html>", 200, media_type="text/html")
        case "silent":
            await asyncio.sleep(fault.lasting)
    return Cut()


def _error(status: int, description: str, **parameters: Any) -> Response:
    more = {"parameters": parameters} if parameters else {}
    return JSONResponse({"ok": False, "error_code": status, "description": description, **more}, status)


@contextlib.asynccontextmanager
async def simulating() -> AsyncIterator[Telegram]:
    """A simulator on a free port of this machine."""
    telegram = Telegram()
    routes = [
        Route("/bot{token}/sendMessage", telegram.send, methods=["POST"]),
        Route("/bot{token}/setWebhook", telegram.set_webhook, methods=["POST"]),
    ]
    async with serving(routes) as port:
        telegram.base_url = f"http://127.0.0.1:{port}"
        yield telegram
