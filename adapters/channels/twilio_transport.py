"""How Twilio's library talks HTTP here: with timeouts that work, and without retries, which would send twice."""

import json
import logging
from datetime import timedelta
from typing import Any

import httpx
from twilio.http.async_http_client import AsyncHttpClient
from twilio.http.response import Response

from adapters.channels.waits import asked_by

TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)


class Answered(Exception):
    """Twilio answered with an error. The library's own exceptions drop the headers, and with them Retry-After."""

    def __init__(self, status: int, code: int | None, retry_after: timedelta | None) -> None:
        super().__init__(f"{status} ({code})")
        self.status, self.code, self.retry_after = status, code, retry_after


class Transport(AsyncHttpClient):  # type: ignore[misc]  # the library ships no types
    """httpx beneath Twilio's library, by way of the environment's proxies. Raises Answered and what httpx raises."""

    def __init__(self, timeout: httpx.Timeout = TIMEOUT, *, proxies: bool = True) -> None:
        super().__init__(logging.getLogger("twilio"), True, None)
        # An idle connection may be half dead, and a text written into it would be one whose outcome nobody knows.
        limits = httpx.Limits(max_connections=50, keepalive_expiry=5.0)
        self._client = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=proxies)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  the library's own signature
        allow_redirects: bool = False,
    ) -> Response:
        """One request, once."""
        answer = await self._client.request(method, uri, params=params, data=data, headers=headers, auth=auth)
        if not answer.is_success:
            raise Answered(answer.status_code, _code(answer), asked_by(answer.headers.get("Retry-After", "")))
        return Response(answer.status_code, answer.text, answer.headers)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


def _code(answer: httpx.Response) -> int | None:
    try:
        code = json.loads(answer.text)["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return code if isinstance(code, int) else None
