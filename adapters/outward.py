"""Calls to addresses that strangers chose: only to the public network, without redirects, and with short answers.

A host name is resolved once, every address that it has is checked, and the connection goes to the checked address with
the original name for TLS: what the name means a moment later does not matter (server-side request forgery).
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx

from domain.errors import InvalidInput

PORTS = (443, 8443)
WHOLE_CALL = 15.0  # seconds
LARGEST_ANSWER = 64 * 1024

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python up to 3.11 takes for public in part: protocol assignments, and relays of 6to4.
_RESERVED = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
_UNICAST = ipaddress.IPv6Network("2000::/3")
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))  # 6to4, Teredo


class NotReached(Exception):
    """The call certainly did not go out."""


class NoAnswer(Exception):
    """The call went out, or may have, and no whole answer came."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. Redirects are answers like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


class Outward:
    """Posts to strangers' addresses. `inside` names networks of our own that may be called all the same, in tests."""

    def __init__(
        self,
        *,
        inside: Sequence[Network] = (),
        ports: Sequence[int] = PORTS,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self._inside, self._ports, self._tls = inside, ports, tls
        self._resolve = resolve or _resolve
        self._opened: httpx.AsyncClient | None = None

    def check(self, url: str) -> SplitResult:
        """An address, taken apart. Raises InvalidInput for one that is never called; names are not resolved here."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", _port(parts)
        except ValueError:
            raise InvalidInput(["url: it is not a web address"]) from None
        if parts.scheme != "https" or not host or not url.isascii() or any(c <= " " or c == "\\" for c in url):
            raise InvalidInput(["url: write an https:// address in plain letters"])
        if parts.username is not None or parts.password is not None:
            raise InvalidInput(["url: it must not hold a user or a password"])
        if port not in self._ports:
            raise InvalidInput([f"url: its port must be one of {', '.join(map(str, self._ports))}"])
        if (literal := _literal(host)) and not self._may_call(literal):
            raise InvalidInput(["url: it does not lead to the public network"])
        return parts

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, within: float = WHOLE_CALL) -> Answer:
        """One call, once, in so many seconds.

        Raises InvalidInput for an address that is not called, NotReached and NoAnswer.
        """
        parts = self.check(url)
        host, port = parts.hostname or "", _port(parts)
        try:
            async with asyncio.timeout(within):
                *others, last = await self._checked(host, port)
                for address in others:
                    with contextlib.suppress(httpx.ConnectError):
                        return await self._ask(self._request(address, port, parts, body, headers))
                return await self._ask(self._request(last, port, parts, body, headers))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotReached(type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TimeoutError among them
            raise NoAnswer(type(error).__name__) from None

    async def close(self) -> None:
        """Hang up."""
        if self._opened:
            await self._opened.aclose()

    @property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is first needed: reading the certificates of all authorities takes a while."""
        if self._opened is None:
            # No connection is kept: another name at the same address would get one that was proven for the first.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._opened = httpx.AsyncClient(
                verify=self._tls, trust_env=False, follow_redirects=False, timeout=WHOLE_CALL, limits=limits
            )
        return self._opened

    def _request(
        self, address: str, port: int, parts: SplitResult, body: bytes, headers: Mapping[str, str]
    ) -> httpx.Request:
        where = f"https://{_bracketed(address)}:{port}{parts.path or '/'}"
        return self._client.build_request(
            "POST",
            f"{where}?{parts.query}" if parts.query else where,
            content=body,
            headers={**headers, "Host": parts.netloc, "Accept-Encoding": "identity"},
            extensions={"sni_hostname": parts.hostname},
        )

    async def _ask(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    break  # what they say further is of no interest
        finally:
            await response.aclose()
        return Answer(status=response.status_code, headers=response.headers, body=body[:LARGEST_ANSWER])

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name, when all are public."""
        try:
            found = await self._resolve(host, port)
        except OSError:
            raise NotReached("the name is not known") from None
        if not found or not all(self._may_call(ipaddress.ip_address(each.partition("%")[0])) for each in found):
            raise InvalidInput(["url: it does not lead to the public network"])
        return found

    def _may_call(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return is_public(address) or any(address in network for network in self._inside)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the public network, however it is dressed up."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _UNICAST or any(address in tunnel for tunnel in _TUNNELS):
            return False
    elif any(address in network for network in _RESERVED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _port(parts: SplitResult) -> int:
    return 443 if parts.port is None else parts.port


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is when it is no name; also written as one number, in hex, in octal, in fewer parts."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
