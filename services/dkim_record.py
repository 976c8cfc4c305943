"""DKIM's record (RFC 6376, 3.6.1): whether receivers find the key that our letters are signed with."""

from collections.abc import Mapping
from functools import partial

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from adapters.channels.dkim import PublicKey, key_in, record_of
from domain.errors import InvalidInput
from services.findings import Finding
from services.resolver import Resolver, tags

_SMALLEST, _GOOD = 1024, 2048  # bits (RFC 8301)
_broken, _look = partial(Finding.broken, "dkim"), partial(Finding.look, "dkim")


async def dkim(resolver: Resolver, domain: str, selector: str, ours: PublicKey | None) -> list[Finding]:
    """What is wrong with the record of a selector. `ours` is the key that this installation signs with, if it does.

    Raises Unavailable.
    """
    if not selector:
        words = f"nothing here says by which key letters of {domain} are signed"
        advice = "If your relay signs, give --selector with the name of its key; to sign here, see docs/operate.md."
        return [_look(words, advice)]
    name = f"{selector}._domainkey.{domain}"
    publish = f'Publish {name}. TXT "{record_of(ours)}"' if ours else f"Publish {name} as whoever signs tells you."
    records = [each for each in await resolver.txt(name) if "p" in tags(each)]
    if len(records) != 1:
        words = f"there are {len(records)} DKIM records at {name}" if records else f"there is no DKIM record at {name}"
        return [_broken(words, publish if not records else "Leave one of them.")]
    found = tags(records[0])
    if wrong := _unusable(found):
        return [_broken(f"the DKIM record at {name} {wrong}", publish)]
    try:
        key = key_in(found)
    except InvalidInput:
        return [_broken(f"the DKIM record at {name} holds no key that can be read", publish)]
    if key is None:
        return [_broken(f"the DKIM key at {name} is revoked (p= is empty)", publish)]
    if ours and key != ours:
        return [_broken(f"the DKIM record at {name} is of another key than we sign with", publish)]
    return _weak(name, key, found)


def _unusable(found: Mapping[str, str]) -> str:
    if found.get("v", "DKIM1") != "DKIM1":
        return "is of an unknown version"
    if "h" in found and "sha256" not in found["h"].replace(" ", "").split(":"):
        return "does not allow sha256"
    if not {"*", "email"} & set(found.get("s", "*").replace(" ", "").split(":")):
        return "is not for email"
    return ""


def _weak(name: str, key: PublicKey, found: Mapping[str, str]) -> list[Finding]:
    findings = []
    bits = key.key_size if isinstance(key, RSAPublicKey) else _GOOD
    if bits < _GOOD:
        tell = _broken if bits < _SMALLEST else _look
        words, advice = f"the DKIM key at {name} has {bits} bits", f"Make a new one of {_GOOD}, under a new selector."
        findings.append(tell(words, advice))
    if "y" in found.get("t", "").replace(" ", "").split(":"):
        words = f"the DKIM record at {name} says that it is a test (t=y), so receivers may not count it"
        findings.append(_look(words, "Take t=y out."))
    return findings
