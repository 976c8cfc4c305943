"""Calls to strangers' addresses never reach our own network, however the address is written or changes its mind."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.outward import LARGEST_ANSWER, NoAnswer, NotReached, Outward, is_public
from domain.errors import InvalidInput
from tests.support.push_simulator import HOST, PushService, a_certificate
from tests.support.serving import serving

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.0.9", "192.88.99.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "100::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]

# As a stranger may write 127.0.0.1, 10.0.0.1 and 169.254.169.254; all of these really resolve there.
ODD = [
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "0x0",
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "10.1", "012.0.0.1",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fe80::1%25eth0]", "[::]",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_an_inner_network_is_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
async def outward() -> AsyncIterator[Outward]:
    made = Outward()
    yield made
    await made.close()


@pytest.mark.parametrize("host", ODD)
async def test_an_inner_address_is_known_in_whatever_form_it_is_written(outward: Outward, host: str) -> None:
    with pytest.raises(InvalidInput, match="public network"):
        outward.check(f"https://{host}/")
    with pytest.raises(InvalidInput):
        await outward.post(f"https://{host}/", b"", {})


@pytest.mark.parametrize(
    ("url", "taught"),
    [
        ("http://shop.example/", "https"),
        ("ftp://shop.example/", "https"),
        ("file:///etc/passwd", "https"),
        ("https:///x", "https"),
        ("https://user@shop.example/", "user or a password"),
        ("https://shop.example:password@10.0.0.1/", "user or a password"),
        ("https://shop.example:22/", "port"),
        ("https://shop.example:0/", "port must be one of 443, 8443"),
        ("https://shop.example:99999/", "not a web address"),
        ("https://[::1/", "not a web address"),
        ("https://①②⑦.⓪.⓪.①/", "plain letters"),
        ("https://shop.example\\@10.0.0.1/", "plain letters"),
        ("https://shop.example/a b", "plain letters"),
        ("https://shop.example/\r\nX: y", "plain letters"),
    ],
)
def test_what_is_no_address_for_us_is_refused_in_words(outward: Outward, url: str, taught: str) -> None:
    with pytest.raises(InvalidInput, match=taught):
        outward.check(url)


@pytest.mark.parametrize(
    "found",
    [["10.0.0.7"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1111", "::ffff:169.254.169.254"], ["fe80::1%eth0"], []],
)
async def test_a_name_is_called_only_if_all_of_its_addresses_are_public(found: list[str]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return found

    outward = Outward(resolve=resolve)
    with pytest.raises(InvalidInput, match="public network"):
        await outward.post("https://shop.example/hook", b"{}", {})
    await outward.close()


async def test_localhost_by_name_is_not_called(outward: Outward) -> None:
    with pytest.raises(InvalidInput, match="public network"):
        await outward.post("https://localhost/", b"", {})


async def test_a_name_that_nobody_knows_was_not_reached() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError(host)

    outward = Outward(resolve=resolve)
    with pytest.raises(NotReached):
        await outward.post("https://shop.example/hook", b"{}", {})
    await outward.close()


# Against a peer with a certificate of its own ------------------------------------------------------------------------


class Peer:
    """Answers as its path says, and remembers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.headers["host"], await request.body()))
        match request.url.path:
            case "/redirect":
                return RedirectResponse("https://127.0.0.1/inside")
            case "/endless":
                return StreamingResponse(self._endless())
            case "/slow":
                await asyncio.sleep(5)
            case "/echo":
                return Response(request.headers.get("accept-encoding"), 202, {"X-Query": request.url.query})
        return Response("ok")

    @staticmethod
    async def _endless() -> AsyncIterator[bytes]:
        for _ in range(500):  # the server shares the test's loop, so that it has an end all the same
            yield b"x" * 10_000
            await asyncio.sleep(0)


@pytest.fixture(scope="module")
async def peer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Peer, PushService]]:
    folder: Path = tmp_path_factory.mktemp("tls")
    certificate, key = a_certificate(folder)
    peer = Peer()
    routes = [Route("/{path:path}", peer.answer, methods=["POST", "GET"])]
    async with serving(routes, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        yield peer, PushService(port=port, authority=str(certificate))


async def test_the_connection_goes_to_the_checked_address_with_the_name_for_tls_and_host(
    peer: tuple[Peer, PushService],
) -> None:
    outward = peer[1].outward()

    answer = await outward.post(f"https://{HOST}:{peer[1].port}/echo?a=1&b=%2F", b"{}", {"X-Id": "7"})

    assert (answer.status, answer.good, answer.body) == (202, True, b"identity")
    assert answer.headers["x-query"] == "a=1&b=%2F"
    assert peer[0].asked[-1] == ("/echo", f"{HOST}:{peer[1].port}", b"{}")
    await outward.close()


async def test_a_name_that_moves_inside_after_the_check_is_not_followed(peer: tuple[Peer, PushService]) -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.7"]

    outward = peer[1].outward(resolve=rebinding)
    first = await outward.post(f"https://{HOST}:{peer[1].port}/", b"", {})

    assert (first.status, asked) == (200, [HOST])  # asked once: what it means a moment later does not matter
    with pytest.raises(InvalidInput):
        await outward.post(f"https://{HOST}:{peer[1].port}/", b"", {})
    await outward.close()


async def test_aa_certificate_for_another_name_is_noa_certificate(peer: tuple[Peer, PushService]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    outward = peer[1].outward(resolve=resolve)
    await outward.post(f"https://{HOST}:{peer[1].port}/", b"", {})
    before = len(peer[0].asked)

    # Not even over the connection that was good for the first name, at the same address.
    with pytest.raises(NotReached):
        await outward.post(f"https://other.test:{peer[1].port}/", b"", {})

    assert len(peer[0].asked) == before
    await outward.close()


async def test_an_address_that_is_not_there_gives_way_to_the_next(peer: tuple[Peer, PushService]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    outward = peer[1].outward(resolve=resolve)

    assert (await outward.post(f"https://{HOST}:{peer[1].port}/", b"", {})).status == 200
    await outward.close()


async def test_a_redirect_is_an_answer_and_is_not_followed(peer: tuple[Peer, PushService]) -> None:
    outward, before = peer[1].outward(), len(peer[0].asked)

    answer = await outward.post(f"https://{HOST}:{peer[1].port}/redirect", b"", {})

    assert (answer.status, answer.good, len(peer[0].asked)) == (307, False, before + 1)
    await outward.close()


async def test_of_an_endless_answer_the_beginning_is_enough(peer: tuple[Peer, PushService]) -> None:
    outward = peer[1].outward()

    answer = await outward.post(f"https://{HOST}:{peer[1].port}/endless", b"", {})

    assert (answer.status, len(answer.body)) == (200, LARGEST_ANSWER)
    await outward.close()


async def test_a_slow_answer_is_none(peer: tuple[Peer, PushService]) -> None:
    outward = peer[1].outward()

    with pytest.raises(NoAnswer):
        await outward.post(f"https://{HOST}:{peer[1].port}/slow", b"", {}, within=0.3)
    await outward.close()


async def test_no_proxy_of_the_environment_is_asked(
    peer: tuple[Peer, PushService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    outward = peer[1].outward()

    assert (await outward.post(f"https://{HOST}:{peer[1].port}/", b"", {})).status == 200
    await outward.close()
