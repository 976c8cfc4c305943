"""The company's own sites: whose pages may speak to us without a key, and how often any one browser may."""

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from fastapi import Request

from api.problems import Refused

_MOST_REMEMBERED = 20_000


class Rate:
    """So many requests a minute from each, and a handful at once. Kept in this process's memory alone."""

    def __init__(self, a_minute: float, *, at_once: int) -> None:
        self._a_second, self._at_once = a_minute / 60, at_once
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, who: str, *, at: float) -> bool:
        """Whether one more is all right, at an instant in seconds. One that is not costs nothing."""
        left, since = self._left.pop(who, (float(self._at_once), at))
        left = min(self._at_once, left + (at - since) * self._a_second)
        admitted = left >= 1
        self._left[who] = (left - admitted, at)
        if len(self._left) > _MOST_REMEMBERED:
            self._left.popitem(last=False)
        return admitted


@dataclass(frozen=True, kw_only=True)
class Sites:
    """The `origins` of the company's pages, such as https://shop.example.

    `proxies` is how many of them stand before us: each adds to X-Forwarded-For whom it heard, and what stands left of
    that anybody may have written.
    """

    origins: frozenset[str] = frozenset()
    proxies: int = 0
    visits: Rate = field(default_factory=lambda: Rate(120, at_once=60))
    forms: Rate = field(default_factory=lambda: Rate(1, at_once=20))

    def headers(self, request: Request) -> dict[str, str]:
        """What lets a page of ours read the answer, and no other. Raises Refused for a page that is none."""
        origin = request.headers.get("origin", "")
        if origin not in self.origins:
            raise Refused(403, "This is for pages of the sites in TROPA_SITES; programs use /v1/events with a key.")
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    def slow_down(self, rate: Rate, request: Request, headers: dict[str, str] | None = None) -> None:
        """Raises Refused for a browser that asks too often."""
        if not rate.admits(self._caller(request), at=time.monotonic()):
            raise Refused(
                429, "Too many at once. Try again in a minute.", headers={**(headers or {}), "Retry-After": "60"}
            )

    def _caller(self, request: Request) -> str:
        """Where a request comes from. Of IPv6 the network: whoever has one address has all of its neighbors.

        An IPv4 address that a socket for both writes as ::ffff:1.2.3.4 is what it is, or all of them were one network.
        """
        told = [each.strip() for each in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
        peer = request.client.host if request.client else ""
        address = told[-self.proxies] if self.proxies and len(told) >= self.proxies else peer
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return peer
        if isinstance(parsed, ipaddress.IPv4Address):
            return str(parsed)
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(parsed), 64), strict=False))
