"""The domain check, on invented zones: what is wrong, how bad it is, and that nothing else is."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.channels.dkim import record_of
from domain.errors import Unavailable
from services.findings import Finding
from services.mail_domain import DomainDoctor, MailSetup

KEYS = {bits: rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key() for bits in (1024, 2048)}
OURS = KEYS[2048]
OTHER = record_of(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).public_key()
HEADERS = {
    "From": "Shop <hello@shop.example>",
    "Message-ID": "<1@shop.example>",
    "List-Unsubscribe": "<https://links.shop.example/u/token>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
SETUP = MailSetup(
    domain="shop.example",
    return_domain="bounces.shop.example",
    own_returns=True,
    signer="shop.example",
    selector="s1",
    key=OURS,
    relay="mail.shop.example",
    headers=HEADERS,
)
KEY, SPF, DMARC = "s1._domainkey.shop.example TXT", "bounces.shop.example TXT", "_dmarc.shop.example TXT"
Zone = Mapping[str, Sequence[str] | None]
GOOD: Zone = {
    "shop.example MX": ["mx.shop.example"],
    "bounces.shop.example MX": ["mail.shop.example"],
    SPF: ["v=spf1 include:relay.example ip4:203.0.113.9 -all", "google-site-verification=1"],
    "relay.example TXT": ["v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 ~all"],
    KEY: [record_of(OURS)],
    DMARC: ["v=DMARC1; p=quarantine; rua=mailto:dmarc@shop.example"],
    "mail.shop.example A": ["203.0.113.9"],
    "203.0.113.9 PTR": ["mail.shop.example"],
}


class Zones:
    """A resolver of a test's own names. None is a name server that does not answer."""

    def __init__(self, zone: Zone) -> None:
        self.zone, self.asked = zone, 0

    async def txt(self, name: str) -> Sequence[str]:
        """TXT."""
        return self._of(f"{name} TXT")

    async def mx(self, name: str) -> Sequence[str]:
        """MX."""
        return self._of(f"{name} MX")

    async def addresses(self, name: str) -> Sequence[str]:
        """A."""
        return self._of(f"{name} A")

    async def names(self, address: str) -> Sequence[str]:
        """PTR."""
        return self._of(f"{address} PTR")

    def _of(self, question: str) -> Sequence[str]:
        self.asked += 1
        found = self.zone.get(question, [])
        if found is None:
            raise Unavailable(f"DNS did not answer for {question}.")
        return found


async def findings(zone: Zone | None = None, **setup: Any) -> list[Finding]:
    looked = await DomainDoctor(Zones({**GOOD, **(zone or {})}), replace(SETUP, **setup)).look()
    return list(looked.findings)


async def told(zone: Zone | None = None, **setup: Any) -> list[str]:
    return [f"{each.severity.value} {each.name}: {each.words}" for each in await findings(zone, **setup)]


async def test_a_domain_that_is_well_has_no_findings() -> None:
    looked = await DomainDoctor(Zones(GOOD), SETUP).look()

    assert (looked.findings, looked.verdict, looked.exit_code) == ([], "well", 0)


MANY = " ".join(f"a:h{n}.example" for n in range(10))
CHAIN = {f"c{n}.example TXT": [f"v=spf1 include:c{n + 1}.example -all"] for n in range(20)}
TURNS = {"relay.example TXT": ["v=spf1 include:relay.example -all"]}
TOO_MANY = "broken spf: the SPF record of bounces.shop.example takes more than 10 look-ups, where receivers stop"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ({SPF: ["something else"]}, "broken spf: there is no SPF record at bounces.shop.example"),
        ({SPF: ["v=spf10 -all"]}, "broken spf: there is no SPF record"),
        ({SPF: ["v=spf1 -all", "V=SPF1 ~all"]}, "broken spf: bounces.shop.example has 2 SPF records"),
        ({SPF: ["v=spf1 +all"]}, "broken spf: the SPF record of bounces.shop.example lets everybody send"),
        ({SPF: ["v=spf1 all"]}, "broken spf: the SPF record of bounces.shop.example lets everybody send"),
        ({SPF: ["v=spf1 ip4:203.0.113.9 ?all"]}, "look spf: the SPF record of bounces.shop.example does not say"),
        ({SPF: ["v=spf1 ip4:203.0.113.9"]}, "look spf: the SPF record of bounces.shop.example does not say"),
        ({SPF: ["v=spf1 ptr -all"]}, "look spf: the SPF record of bounces.shop.example uses ptr"),
        ({SPF: ["v=spf1 ipv4:203.0.113.9 -all"]}, "ipv4:203.0.113.9 in bounces.shop.example is not SPF"),
        ({SPF: ["v=spf1 include:nowhere.example -all"]}, "it includes nowhere.example, which has no SPF records"),
        ({SPF: ["v=spf1 include: -all"]}, "is not SPF"),
        ({"relay.example TXT": ["v=spf1 -all", "v=spf1 ~all"]}, "it includes relay.example, which has 2 SPF records"),
        ({SPF: [f"v=spf1 {MANY} mx -all"]}, TOO_MANY),
        ({SPF: ["v=spf1 include:c0.example -all"], **CHAIN}, TOO_MANY),
        (TURNS, TOO_MANY),
        ({SPF: ["v=spf1 redirect=open.example"], "open.example TXT": ["v=spf1 +all"]}, "lets everybody send"),
        ({KEY: []}, "broken dkim: there is no DKIM record at s1._domainkey.shop.example"),
        ({KEY: [record_of(OURS), record_of(OURS)]}, "broken dkim: there are 2 DKIM records"),
        ({KEY: [OTHER]}, "broken dkim: the DKIM record at s1._domainkey.shop.example is of another key"),
        ({KEY: ["v=DKIM1; p="]}, "broken dkim: the DKIM key at s1._domainkey.shop.example is revoked"),
        ({KEY: ["v=DKIM1; p=AAAA"]}, "holds no key that can be read"),
        ({KEY: ["v=DKIM1; k=rsa; p=!"]}, "holds no key that can be read"),
        ({KEY: [record_of(OURS).replace("DKIM1", "DKIM2")]}, "is of an unknown version"),
        ({KEY: [record_of(OURS) + "; h=sha1"]}, "does not allow sha256"),
        ({KEY: [record_of(OURS) + "; s=tlsrpt"]}, "is not for email"),
        ({KEY: [record_of(OURS) + "; t=y:s"]}, "look dkim: the DKIM record at s1._domainkey.shop.example says that it"),
        ({DMARC: []}, "broken dmarc: there is no DMARC record for shop.example"),
        ({DMARC: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "broken dmarc: shop.example has 2 DMARC records"),
        ({DMARC: ["v=DMARC1; rua=mailto:a@shop.example"]}, "the DMARC record of shop.example has no policy"),
        ({DMARC: ["v=DMARC1; p=none; rua=mailto:a@shop.example"]}, "look dmarc: DMARC of shop.example only watches"),
        ({DMARC: ["v=DMARC1; p=reject"]}, "look dmarc: nobody gets the DMARC reports of shop.example"),
        ({"bounces.shop.example MX": []}, "broken mx: no mail server takes mail for bounces.shop.example"),
        ({"shop.example MX": ["."]}, "broken mx: shop.example says that it takes no mail"),
        ({"203.0.113.9 PTR": []}, "broken ptr: 203.0.113.9 (mail.shop.example) has no name that leads back to it"),
        ({"203.0.113.9 PTR": ["host9.provider.example"]}, "broken ptr: 203.0.113.9 (mail.shop.example) has no name"),
        ({SPF: None}, "look dns: DNS did not answer for bounces.shop.example TXT"),
    ],
)  # fmt: skip
async def test_what_is_wrong_in_dns_is_the_one_thing_told(zone: Zone, words: str) -> None:
    [only] = await told(zone)

    assert words in only


@pytest.mark.parametrize(
    "zone",
    [
        {SPF: ["v=spf1 include:relay.example ~all"]},
        {SPF: ["v=spf1 redirect=relay.example"]},
        {SPF: ["v=spf1 include:%{i}._spf.relay.example -all exp=why.example"]},
        {SPF: ["v=spf1 a mx/24 a:mail.shop.example//64 exists:%{i}.x.example -all"]},
        {SPF: [f"v=spf1 {MANY} -all"]},
        {KEY: [record_of(OURS).replace("p=", "p= ").replace("; ", " ;\t") + ";"]},
        {KEY: [record_of(OURS) + "; h=sha1:sha256; s=email; n=a note", "another record"]},
        {DMARC: ["v=DMARC1;p=reject;rua=mailto:a@shop.example;aspf=r;adkim=s"]},
        {"shop.example MX": [], "shop.example A": ["203.0.113.10"]},
        {"203.0.113.9 PTR": ["x.example", "mail.shop.example"]},
    ],
)
async def test_what_is_right_in_another_way_is_not_told(zone: Zone) -> None:
    assert await told(zone) == []


async def test_a_record_without_end_is_not_followed_without_end() -> None:
    zones = Zones({**GOOD, **CHAIN, SPF: ["v=spf1 include:c0.example -all"]})

    await DomainDoctor(zones, SETUP).look()

    assert zones.asked < 40


@pytest.mark.parametrize(("bits", "severity"), [(1024, "look"), (2048, None)])
async def test_a_short_key_is_told(bits: int, severity: str | None) -> None:
    found = await told({KEY: [record_of(KEYS[bits])]}, key=KEYS[bits])

    assert [each.split()[0] for each in found] == ([severity] if severity else [])


async def test_a_key_of_another_kind_is_none() -> None:
    der = ELLIPTIC.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    [only] = await told({KEY: [f"v=DKIM1; p={b64encode(der).decode()}"]})

    assert "holds no key that can be read" in only


async def test_a_missing_record_is_told_with_the_line_to_publish() -> None:
    [finding] = await findings({KEY: []})

    assert finding.advice == f'Publish s1._domainkey.shop.example. TXT "{record_of(OURS)}"'


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"selector": "", "key": None}, "look dkim: nothing here says by which key letters of shop.example are signed"),
        (
            {"own_returns": False, "return_domain": "shop.example"},
            "look bounces: returned mail goes to the one address in From (shop.example)",
        ),
        ({"return_domain": "elsewhere.example"}, "look dmarc: the return path (elsewhere.example) does not belong to"),
        ({"headers": {**HEADERS, "From": "a@other.example"}}, "look from: letters come from other.example, and you"),
        ({"headers": {**HEADERS, "Message-ID": "<1@relay.example>"}}, "look message_id: a letter's Message-ID is of"),
        ({"headers": {**HEADERS, "List-Unsubscribe": "<http://shop.example/u>"}}, "broken unsubscribe: a marketing"),
        ({"headers": {**HEADERS, "List-Unsubscribe": "<mailto:a@shop.example>"}}, "broken unsubscribe: a marketing"),
        ({"headers": {**HEADERS, "List-Unsubscribe-Post": ""}}, "broken unsubscribe: a marketing letter offers no one"),
        ({"headers": {}}, "broken unsubscribe: a marketing letter offers no one-click unsubscribe"),
    ],
)
async def test_what_is_wrong_in_the_settings_is_told(setup: dict[str, Any], words: str) -> None:
    elsewhere = {
        "shop.example TXT": GOOD[SPF],
        "elsewhere.example TXT": GOOD[SPF],
        "elsewhere.example MX": ["mx.example"],
    }

    found = await told(elsewhere, **setup)

    assert [each for each in found if words in each]
    assert len(found) == 1 or "headers" in setup


ELSEWHERE: Zone = {
    "relay.example MX": ["mx.relay.example"],
    "s1._domainkey.relay.example TXT": [record_of(OURS)],
    "_dmarc.relay.example TXT": ["v=DMARC1; p=none"],
}


async def test_a_signature_of_somebody_else_proves_nothing() -> None:
    [only] = await told(ELSEWHERE, signer="relay.example")

    assert only.startswith("look dmarc: the signature (relay.example) does not belong to shop.example")


async def test_where_neither_proves_anything_no_letter_passes() -> None:
    [only] = await told(ELSEWHERE, signer="relay.example", return_domain="relay.example")

    assert only.startswith("broken dmarc: neither the return path (relay.example) nor the signature (relay.example)")


@pytest.mark.parametrize("strict", ["aspf=s", "adkim=s"])
async def test_strict_alignment_takes_no_neighbours(strict: str) -> None:
    zone = {DMARC: [f"v=DMARC1; p=reject; rua=mailto:a@shop.example; {strict}"]}
    key = {"s1._domainkey.mail.shop.example TXT": [record_of(OURS)]}

    [only] = await told({**zone, **key}, signer="mail.shop.example")

    assert ("return path" in only) is (strict == "aspf=s")


async def test_a_subdomain_takes_its_policy_from_above() -> None:
    headers = {**HEADERS, "From": "a@news.shop.example", "Message-ID": "<1@news.shop.example>"}
    zone = {"news.shop.example MX": ["mx.shop.example"], DMARC: ["v=DMARC1; p=reject; sp=none; rua=mailto:a@x.example"]}

    [only] = await told(zone, domain="news.shop.example", headers=headers)

    assert only.startswith("look dmarc: DMARC of news.shop.example only watches (p=none)")


async def test_two_shops_under_one_public_suffix_are_not_of_one_house() -> None:
    suffix = {"_dmarc.example TXT": ["v=DMARC1; p=reject; psd=y; rua=mailto:a@x.example"]}
    other = {"bounces.other.example TXT": GOOD[SPF], "bounces.other.example MX": ["mx.other.example"]}

    assert await told(suffix) == []
    [only] = await told({**suffix, **other}, return_domain="bounces.other.example")
    assert only.startswith("look dmarc: the return path (bounces.other.example) does not belong to shop.example")


async def test_somebody_elses_relay_is_not_asked_for_its_name() -> None:
    assert await told({"smtp.relay.example A": ["192.0.2.1"]}, relay="smtp.relay.example") == []


async def test_the_worst_comes_first() -> None:
    found = await told({DMARC: ["v=DMARC1; p=none; rua=mailto:a@x.example"], SPF: []}, own_returns=False)

    assert [each.split()[0] for each in found] == ["broken", "look", "look"]
