"""Reading JSON that strangers send: well formed, not deep, without characters that no database stores."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute

from adapters.field_errors import told
from api.problems import Refused

DEEPEST = 32
Decoded = TypeVar("Decoded")


def read_json(body: bytes) -> Any:
    """The JSON in a body. Raises Refused."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # msgspec's message could quote what was sent.
        raise Refused(400, "The body is not JSON that can be read.") from None
    except RecursionError:
        raise Refused(422, "The body is nested too deeply.", [f"body: {TOO_DEEP}"]) from None
    if wrong := problem_in(body, value):
        raise Refused(422, "Some of what was sent breaks a rule.", [f"body: {wrong}"])
    return value


def decoded(decoder: msgspec.json.Decoder[Decoded], body: bytes, thing: str) -> Decoded:
    """The body as its own type. `thing` is named where no field can be. Raises Refused."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refused(422, "Some of what was sent breaks a rule.", [told(error, thing)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(400, "The body is not JSON that can be read.") from None
    except RecursionError:
        raise Refused(422, "The body is nested too deeply.", [f"body: {TOO_DEEP}"]) from None


TOO_DEEP = f"is nested more than {DEEPEST} levels deep"
NUL = "holds the character NUL, which cannot be stored"


def problem_in(raw: bytes, value: object) -> str | None:
    """What stands against storing a JSON value; `raw` is its text, which tells quickly that nothing does."""
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        return TOO_DEEP
    if b"\\u0000" in raw and _holds_nul(value):
        return NUL
    return None


def _depth(value: object) -> int:
    deepest, level, inner = 0, 1, [value]
    while inner:
        deepest, level = level, level + 1
        inner = [child for each in inner for child in _children(each) if isinstance(child, (dict, list))]
    return deepest


def _holds_nul(value: object) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and "\x00" in each:
            return True
        waiting += _children(each)
        if isinstance(each, dict):
            waiting += each.keys()
    return False


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


class BareRoute(APIRoute):
    """A route whose handler takes the request as it is, for a path that must cost little: FastAPI looks into nothing.

    Its dependencies take the request, too, run first, in order, and answer nothing.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The checks and the handler alone."""
        steps = [each.dependency for each in self.dependencies if each.dependency]
        handle = self.endpoint

        async def bare(request: Request) -> Response:
            for step in steps:
                await step(request)
            response: Response = await handle(request)
            return response

        return bare


class _CheckedRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body())


class CheckedRoute(APIRoute):
    """A route whose body is read by `read_json`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, on a checked request."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            return await handle(_CheckedRequest(request.scope, request.receive))

        return checked
