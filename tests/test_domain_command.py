"""`tropa doctor --domain`: from the settings, without a database, to a DNS server on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.channels.dkim import record_of
from adapters.dns import DnsResolver
from adapters.settings import Settings
from domain.errors import InvalidInput, Unavailable
from tests.support.typing_commands import Tropa
from tropa.domain_check import diagnose_domain, mail_setup

ZONE = {
    ("shop.example.", "MX"): ["20 mx2.shop.example.", "10 mx1.shop.example."],
    ("silent.example.", "MX"): ["0 ."],
    ("shop.example.", "TXT"): ['"v=spf1 ip4:203.0.113.9" " -all"', '"another"'],
    ("mx1.shop.example.", "A"): ["203.0.113.9"],
    ("mx1.shop.example.", "AAAA"): ["2001:db8::9"],
    ("9.113.0.203.in-addr.arpa.", "PTR"): ["MX1.shop.example."],
    ("_dmarc.shop.example.", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:a@shop.example"'],
}


class Server(asyncio.DatagramProtocol):
    """A name server for `ZONE`; it fails for broken.example and says nothing at all for deaf.example."""

    def connection_made(self, transport: Any) -> None:
        """Ready."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        query = dns.message.from_wire(data)
        [question] = query.question
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found := ZONE.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *found))
        elif name == "broken.example.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(name == known for known, _ in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if name != "deaf.example.":
            self.transport.sendto(answer.to_wire(), addr)


@pytest.fixture
async def name_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """This machine's resolver is the server above."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    ours = dns.asyncresolver.Resolver(configure=False)
    ours.nameservers, ours.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    monkeypatch.setattr("dns.asyncresolver.Resolver", lambda: ours)
    monkeypatch.setattr("adapters.dns.PATIENCE", 0.5)
    yield
    transport.close()


async def test_dns_is_asked_and_its_answers_are_plain_words(name_server: None) -> None:
    resolver = DnsResolver()

    assert sorted(await resolver.txt("shop.example")) == ["another", "v=spf1 ip4:203.0.113.9 -all"]
    assert await resolver.mx("shop.example") == ["mx1.shop.example", "mx2.shop.example"]
    assert await resolver.mx("silent.example") == ["."]
    assert await resolver.addresses("mx1.shop.example") == ["203.0.113.9", "2001:db8::9"]
    assert await resolver.names("203.0.113.9") == ["mx1.shop.example"]
    assert await resolver.txt("mx1.shop.example") == []
    assert await resolver.txt("nowhere.example") == []
    for name in ("broken.example", "deaf.example", "a..b"):
        with pytest.raises(Unavailable, match="DNS did not answer for"):
            await resolver.txt(name)


@pytest.fixture
def own_key(tmp_path: Path) -> Iterator[rsa.RSAPrivateKey]:
    """A DKIM key in the environment of a shop that has everything set."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    ZONE[("s1._domainkey.shop.example.", "TXT")] = [
        " ".join(f'"{part}"' for part in (record_of(key.public_key())[:200], record_of(key.public_key())[200:]))
    ]
    yield key
    del ZONE[("s1._domainkey.shop.example.", "TXT")]


async def test_a_shop_with_everything_set_is_told_what_is_left(
    tropa: Tropa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name_server: None, own_key: rsa.RSAPrivateKey
) -> None:
    monkeypatch.delenv("TROPA_DATABASE_URL")
    for name, value in {
        "MAIL_FROM": "Shop <hello@shop.example>",
        "PUBLIC_URL": "https://links.shop.example",
        "DKIM_SELECTOR": "s1",
        "DKIM_KEY_FILE": str(tmp_path / "dkim.pem"),
    }.items():
        monkeypatch.setenv(f"TROPA_{name}", value)
    settings = Settings.read()

    looked = await diagnose_domain(settings, "")
    named = await diagnose_domain(settings, "Shop.Example.")
    other = await diagnose_domain(settings, "other.example")

    assert [each.name for each in looked.findings] == ["bounces"]
    assert named == looked
    assert {"dmarc", "mx", "from"} <= {each.name for each in other.findings}
    assert looked.exit_code == 1 and other.exit_code == 2


async def test_the_command_prints_lines_and_json_and_leaves_with_the_verdict(
    tropa: Tropa, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nothing:
        """DNS where nothing is published."""

        async def txt(self, name: str) -> list[str]:
            """None."""
            return []

        mx = addresses = names = txt

    monkeypatch.delenv("TROPA_DATABASE_URL")
    monkeypatch.setattr("tropa.domain_check.DnsResolver", Nothing)

    code, said, _ = await tropa("doctor", "--domain")
    as_json, told, _ = await tropa("doctor", "--domain", "shop.example", "--selector", "s1", "--json")

    assert code == as_json == 2
    assert 'Publish example.com. TXT "v=spf1' in said and "Temporal" not in said
    answer = json.loads(told)
    assert (answer["verdict"], answer["temporal"]) == ("broken", "not needed")
    assert "there is no DKIM record at s1._domainkey.shop.example" in [each["words"] for each in answer["findings"]]


@pytest.mark.parametrize("words", [["doctor", "shop.example"], ["doctor", "--selector", "s1"]])
async def test_a_domain_without_the_flag_is_told(tropa: Tropa, words: list[str]) -> None:
    code, _, complained = await tropa(*words)

    assert code == 2 and "--domain" in complained


@pytest.mark.parametrize("domain", ["shop", "shop..example", "a b.example", "магазин.example", "-", "x/y.example"])
def test_what_is_no_domain_is_told(domain: str) -> None:
    with pytest.raises(InvalidInput, match="domain"):
        mail_setup(Settings(), domain)
