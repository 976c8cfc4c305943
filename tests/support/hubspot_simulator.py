"""HubSpot's contacts, tasks and owners, as far as we use them. What it answers is made of the client's own models, and
what it is asked must be made of them, too."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from hubspot.crm import contacts, owners
from hubspot.crm.objects import tasks
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "pat-eu1-a-token-of-the-tests"
WHEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
_KEYS = {"contacts": "email", "tasks": "tropa_task"}
_MODELS = {"contacts": contacts, "tasks": tasks}


class HubSpotSimulator:
    """Keeps objects by HubSpot's ids. `before` may answer in its place, or take its time, or hang up."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.objects: dict[str, dict[str, dict[str, str]]] = {"contacts": {}, "tasks": {}}
        self.associations: list[tuple[str, str, int]] = []
        self.asked: list[str] = []
        self.before: Callable[[str], Any] | None = None

    @property
    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("/crm/v3/objects/{kind}/{key:path}", self._change, methods=["PATCH"]),
            Route("/crm/v3/objects/{kind}", self._create, methods=["POST"]),
            Route("/crm/v3/owners/", self._find_owner, methods=["GET"]),
        ]

    async def _change(self, request: Request) -> Response:
        kind, key = request.path_params["kind"], unquote(request.path_params["key"])
        assert request.query_params["idProperty"] == _KEYS[kind]
        if (early := await self._early(request)) is not None:
            return early
        found = next((i for i, known in self.objects[kind].items() if known[_KEYS[kind]] == key), None)
        if found is None:
            return problem(404, "OBJECT_NOT_FOUND", kind)
        self.objects[kind][found] |= self._properties(await request.body(), _MODELS[kind].SimplePublicObjectInput)
        return self._told(kind, found)

    async def _create(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        if (early := await self._early(request)) is not None:
            return early
        body = await request.body()
        properties = self._properties(body, _MODELS[kind].SimplePublicObjectInputForCreate)
        if any(known[_KEYS[kind]] == properties[_KEYS[kind]] for known in self.objects[kind].values()):
            return problem(409, "CONFLICT", kind)
        made = str(100 + sum(map(len, self.objects.values())))
        self.objects[kind][made] = properties
        for each in msgspec.json.decode(body).get("associations") or ():
            self.associations += [(made, each["to"]["id"], t["associationTypeId"]) for t in each["types"]]
        return self._told(kind, made, 201)

    async def _find_owner(self, request: Request) -> Response:
        if (early := await self._early(request)) is not None:
            return early
        email = request.query_params["email"]
        found = [
            owners.PublicOwner(
                id="7", email=email, type="PERSON", archived=False, created_at=WHEN, updated_at=WHEN, user_id=7
            )
        ]
        page = owners.CollectionResponsePublicOwnerForwardPaging(results=found if "mira" in email else [])
        return JSONResponse(owners.ApiClient().sanitize_for_serialization(page))

    async def _early(self, request: Request) -> Response | None:
        asked = f"{request.method} {request.url.path.removeprefix('/crm/v3/')}"
        self.asked.append(asked)
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return problem(401, "INVALID_AUTHENTICATION", "token")
        answer = self.before(asked) if self.before else None
        return await answer if inspect.isawaitable(answer) else answer

    @staticmethod
    def _properties(body: bytes, model: Any) -> dict[str, str]:
        given = msgspec.json.decode(body)
        assert given.keys() <= set(model.attribute_map.values()), "the client's own models name the fields"
        assert all(isinstance(value, str) for value in given["properties"].values())
        properties: dict[str, str] = given["properties"]
        return properties

    def _told(self, kind: str, made: str, status: int = 200) -> Response:
        models = _MODELS[kind]
        told = models.SimplePublicObject(
            id=made, properties=self.objects[kind][made], created_at=WHEN, updated_at=WHEN, archived=False
        )
        return JSONResponse(models.ApiClient().sanitize_for_serialization(told), status)


def problem(status: int, category: str, what: str, **headers: str) -> Response:
    """An error, in the shape of the client's model; its message quotes what we sent, as theirs do."""
    said = contacts.Error(message=f"anna@example.com: {what}", category=category, correlation_id="c")
    return JSONResponse(contacts.ApiClient().sanitize_for_serialization(said), status, headers)
