"""What is decided before any route: the size of a body, and what an address may look like."""

from urllib.parse import unquote_to_bytes

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

LARGEST_BODY = 2 * 1024 * 1024
LARGEST_FILE = 256 * 1024 * 1024
"""Of a body that its route reads as it comes, counts for itself, and keeps none of: the routes at these addresses."""
FILES = frozenset({"/v1/products:import"})
SLASH = "\x1f"
"""Stands for an escaped slash inside a path segment, where no control character is allowed, so that routes match."""


class BodyLimit:
    """Answers 413 for a body over 2 MiB, said by its length or not. Files pass: their routes count for themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http" or scope["path"] in FILES:
            return await self._app(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return await _too_large(scope, receive, send)
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None  # the caller has gone
            chunks.append(message.get("body", b""))
            size, more = size + len(chunks[-1]), message.get("more_body", False)
            if size > LARGEST_BODY:
                return await _too_large(scope, receive, send)
        whole, given = b"".join(chunks), False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": whole, "more_body": False}

        return await self._app(scope, replay, send)


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(
        413, f"A body may have at most {LARGEST_BODY // 1024 // 1024} MiB.", headers={"Connection": "close"}
    )
    await answer(scope, receive, send)


class PlainAddress:
    """Decodes the path strictly, keeps escaped slashes within their segment, and refuses control characters."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what can be read."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        try:
            segments = [unquote_to_bytes(segment).decode() for segment in raw.split(b"?")[0].split(b"/")]
        except UnicodeDecodeError:
            return await problem(400, "The address is not UTF-8.")(scope, receive, send)
        if any(character < " " or character == "\x7f" for segment in segments for character in segment):
            return await problem(400, "The address holds a control character.")(scope, receive, send)
        path = "/".join(segment.replace("/", SLASH) for segment in segments)
        scope["path"] = path
        return await self._app(scope, receive, send)


class SafeHeaders:
    """No guessing of types, and no copies on the way, unless an answer says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add headers to the answer."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, safe)
