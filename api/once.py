"""Commands: one transaction, an idempotency key if the caller gives one, and waking the pumps after the commit."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from api.access import CallerHere
from api.needs import House
from domain.errors import InvalidInput
from services.idempotency import Answer, Asked, once

Effect = Callable[[AsyncConnection], Awaitable[BaseModel]]


class Command:
    """One request that changes something."""

    def __init__(self, house: House, asked: Asked) -> None:
        self._house, self._asked = house, asked

    async def do(self, effect: Effect, *, status: int = 200, location: str = "") -> Response:
        """Run the effect once. `location` holds `{id}`, which the answer's `id` fills."""

        async def answered(connection: AsyncConnection) -> Answer:
            return Answer(status=status, body=(await effect(connection)).model_dump_json())

        async with self._house.database.transaction() as connection:
            answer = await once(connection, self._asked, answered)
        self._house.database.wake()
        return _response(answer, location)


def _response(answer: Answer, location: str) -> Response:
    headers = {"Location": location.format(id=msgspec.json.decode(answer.body)["id"])} if location else {}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


async def _command(
    request: Request,
    house: House,
    who: CallerHere,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            description="Your own id of this request. With the same key it is done once and answered alike.",
        ),
    ] = None,
) -> Command:
    if key is not None and not (key and key.isascii() and key.isprintable()):
        raise InvalidInput(["Idempotency-Key: must be 1 to 200 printable ASCII characters"])
    what = b"\n".join([request.method.encode(), request.scope["path"].encode(), await request.body()])
    return Command(house, Asked(caller=who.id, key=key, what=what))


CommandHere = Annotated[Command, Depends(_command)]
"""A command, as a handler asks for it."""
