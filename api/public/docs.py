"""The API's documentation as a page of our own: nothing is fetched from elsewhere, and no script is needed."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages import page

router = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/docs")
async def show(request: Request) -> Response:
    """Every operation by its tag, with what to send and what comes back."""
    return page("docs.html", lang="en", api=_read(request.app.openapi()))


def _read(document: dict[str, Any]) -> dict[str, Any]:
    operations = [
        _operation(method, path, operations[method], document)
        for path, operations in document["paths"].items()
        for method in _METHODS
        if method in operations
    ]
    tags = [{**tag, "operations": [o for o in operations if o["tag"] == tag["name"]]} for tag in document["tags"]]
    return {"description": document["info"]["description"].split("\n\n"), "tags": tags}


def _operation(method: str, path: str, found: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    body = found.get("requestBody", {}).get("content", {}).get("application/json")
    return {
        "method": method.upper(),
        "path": path,
        "tag": found["tags"][0],
        "summary": found["summary"],
        "description": found.get("description", "").split("\n\n"),
        "parameters": found.get("parameters", []),
        "example": json.dumps(_example(body, document), indent=2, ensure_ascii=False) if body else None,
        "answers": [(status, answer["description"]) for status, answer in found["responses"].items()],
    }


def _example(body: dict[str, Any], document: dict[str, Any]) -> Any:
    if "example" in body:
        return body["example"]
    schema = body["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "example" in schema:
        return schema["example"]
    fields = schema.get("properties", {}).items()
    return {name: field["examples"][0] for name, field in fields if field.get("examples")}
