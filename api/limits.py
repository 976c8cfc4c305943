"""What is decided before any route: the size of a body, and what an address may look like."""

import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Refused, problem

MIB = 1024 * 1024
LARGEST_BODY = 2 * MIB
LARGEST_OF_STRANGERS = 16 * 1024
LARGEST_LIST = 32 * MIB  # of customers who are to enter a journey
LARGEST_FILE = 256 * MIB  # that is imported
STRANGERS = re.compile(r"/v1/visits|/[a-z]/")  # and all pages for customers, whose paths begin with a single letter
FILES = ("/v1/imports/", "/v1/products:import")
CLOSE = {"Connection": "close"}
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))  # files of ours may be kept
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SLASH = "\x1f"
"""Stands for an escaped slash inside a path segment, where no control character is allowed, so that routes match."""


class BodyLimit:
    """Answers 413 for a body that is too large, said by its length or not.

    Whole lists and files may be larger than other bodies; their routes read them, once it is known who sends them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        largest = _largest(scope["path"])
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > largest:
            return await problem(413, _too_large(largest), headers=CLOSE)(scope, receive, send)
        if largest > LARGEST_BODY:
            return await self._app(scope, _counted(receive, largest), send)
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None  # the caller has gone
            chunks.append(message.get("body", b""))
            size, more = size + len(chunks[-1]), message.get("more_body", False)
            if size > largest:
                return await problem(413, _too_large(largest), headers=CLOSE)(scope, receive, send)
        whole, given = b"".join(chunks), False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": whole, "more_body": False}

        return await self._app(scope, replay, send)


def _counted(receive: Receive, largest: int) -> Receive:
    """The body as it comes, until it is too much. What its route stored before that, it has stored."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise Refused(413, _too_large(largest), headers=CLOSE)
        return message

    return counted


def _largest(path: str) -> int:
    if STRANGERS.match(path):
        return LARGEST_OF_STRANGERS
    if path.endswith("/enrollments:bulk"):
        return LARGEST_LIST
    return LARGEST_FILE if path.startswith(FILES) else LARGEST_BODY


def _too_large(largest: int) -> str:
    said = f"{largest // MIB} MiB" if largest >= MIB else f"{largest // 1024} KiB"
    return f"A body may have at most {said}."


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
        if _CONTROL.search("".join(segments)):
            return await problem(400, "The address holds a control character.")(scope, receive, send)
        scope["path"] = "/".join(segment.replace("/", SLASH) for segment in segments)
        return await self._app(scope, receive, send)


class SafeHeaders:
    """No guessing of types, and no copies on the way, unless an answer says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add headers to the answer."""

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = [name for name, _ in headers]
                added = _SAFE[:1] if scope["path"].startswith("/static/") else _SAFE
                message["headers"] = headers + [each for each in added if each[0] not in given]
            await send(message)

        await self._app(scope, receive, safe)
