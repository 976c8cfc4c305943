"""SPF (RFC 7208): whether the domain of the return path says who may send for it, in a way that receivers can use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from services.findings import Finding
from services.resolver import Resolver

MOST_LOOKUPS = 10  # RFC 7208, 4.6.4; beyond that receivers answer "permerror"
_MECHANISM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)([:/].+)?", re.IGNORECASE)
_MODIFIER = re.compile(r"[a-z][a-z0-9._-]*=.*", re.IGNORECASE)
_ASKING = ("include", "a", "mx", "ptr", "exists")
_broken, _look = partial(Finding.broken, "spf"), partial(Finding.look, "spf")


@dataclass(kw_only=True)
class _Walk:
    """What the records say, added up over all that they include."""

    lookups: int = 0
    wrong: list[str] = field(default_factory=list)
    asks_names: bool = False


async def spf(resolver: Resolver, domain: str) -> list[Finding]:
    """What is wrong with a domain's SPF. Raises Unavailable."""
    records = await _records(resolver, domain)
    if not records:
        return [
            _broken(
                f"there is no SPF record at {domain}, the domain of the return path",
                f'Publish {domain}. TXT "v=spf1 include:RELAY -all", with the name that your relay gives for RELAY.',
            )
        ]
    if len(records) > 1:
        return [_broken(f"{domain} has {len(records)} SPF records, which count as none", "Merge them into one.")]
    walk = _Walk()
    everybody = await _follow(resolver, domain, records[0], walk)
    findings = [_broken(f"the SPF record of {domain} cannot be used: {each}", "Mend it.") for each in walk.wrong]
    if walk.lookups > MOST_LOOKUPS:
        words = f"the SPF record of {domain} takes more than {MOST_LOOKUPS} look-ups, where receivers stop"
        findings.append(
            _broken(words, "Drop what you no longer send by, or put addresses (ip4:, ip6:) for an include.")
        )
    if everybody == "+":
        findings.append(_broken(f"the SPF record of {domain} lets everybody send (+all)", "End it with -all or ~all."))
    elif everybody in ("", "?"):
        words = f"the SPF record of {domain} does not say what to think of other senders ({everybody or 'no '}all)"
        findings.append(_look(words, "End it with -all, or with ~all while you are not sure."))
    if walk.asks_names:
        findings.append(_look(f"the SPF record of {domain} uses ptr, which receivers may skip", "Replace it by ip4:."))
    return findings


async def _records(resolver: Resolver, domain: str) -> Sequence[str]:
    return [each for each in await resolver.txt(domain) if each.lower().split(" ")[0] == "v=spf1"]


async def _follow(resolver: Resolver, domain: str, record: str, walk: _Walk) -> str:
    """Count a record's look-ups and those of what it includes. Answers the qualifier of its `all`; empty without."""
    redirect = ""
    for term in record.split()[1:]:
        found = _MECHANISM.fullmatch(term)
        if found is None:
            if not _MODIFIER.fullmatch(term):
                walk.wrong.append(f"{term} in {domain} is not SPF")
            if term.lower().startswith("redirect="):
                redirect = term.partition("=")[2]
            continue
        qualifier, name, value = found[1], found[2].lower(), (found[3] or "")[1:]
        if name == "all":
            return qualifier or "+"
        walk.lookups += name in _ASKING
        walk.asks_names |= name == "ptr"
        if name == "include":
            await _included(resolver, value, walk)
    if redirect:
        walk.lookups += 1
        return await _included(resolver, redirect, walk)
    return ""


async def _included(resolver: Resolver, domain: str, walk: _Walk) -> str:
    if "%" in domain or walk.lookups > MOST_LOOKUPS:
        return "-"  # a macro, known by the receiver alone; or more than enough is known already
    records = await _records(resolver, domain)
    if len(records) != 1:
        walk.wrong.append(f"it includes {domain or 'nothing'}, which has {len(records) or 'no'} SPF records")
        return "-"
    return await _follow(resolver, domain, records[0], walk)
