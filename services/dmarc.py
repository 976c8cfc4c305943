"""DMARC: what receivers are told to do with mail that does not prove its From, and whether ours does prove it.

The record and the organizational domain are found by walking up the tree of names, as DMARCbis has it: no list of
public suffixes is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.findings import Finding
from services.resolver import Resolver, tags

_LONGEST = 8  # names asked for, however deep the domain is
_POLICIES = ("none", "quarantine", "reject")
_broken, _look = partial(Finding.broken, "dmarc"), partial(Finding.look, "dmarc")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The DMARC records from a domain upward, nearest first."""

    domain: str
    found: Sequence[tuple[str, Mapping[str, str]]]

    @property
    def organization(self) -> str:
        """The organizational domain: as far up as somebody speaks for all of it."""
        for name, record in self.found:
            psd = record.get("psd", "").lower()
            if psd == "n":
                return name
            if psd == "y" and name != self.domain:
                return ".".join(self.domain.split(".")[-len(name.split(".")) - 1 :])
        return self.found[-1][0] if self.found else self.domain


async def dmarc(resolver: Resolver, domain: str, *, return_path: str, signer: str) -> list[Finding]:
    """What is wrong with the DMARC of a From domain, given who stands in the return path and who signs ("" for nobody).

    Raises Unavailable.
    """
    records = await _records(resolver, domain)
    if len(records) > 1:
        return [_broken(f"{domain} has {len(records)} DMARC records, which count as none", "Leave one of them.")]
    tree = await _walk(resolver, domain)
    known = dict(tree.found)
    record = known.get(domain) or known.get(tree.organization)
    if record is None:
        advice = (
            f'Publish _dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:dmarc@{domain}", read the reports, tighten.'
        )
        return [_broken(f"there is no DMARC record for {domain}; large mailboxes refuse bulk mail without", advice)]
    findings = _policy(domain, record, inherited=domain not in known)
    return findings + await _alignment(resolver, tree, record, return_path=return_path, signer=signer)


def _policy(domain: str, record: Mapping[str, str], *, inherited: bool) -> list[Finding]:
    policy = ((inherited and record.get("sp")) or record.get("p", "")).lower()
    findings = []
    if policy not in _POLICIES:
        findings.append(_broken(f"the DMARC record of {domain} has no policy that counts", "Write p=none, at first."))
    elif policy == "none":
        words = f"DMARC of {domain} only watches (p=none): anybody may still write in its name"
        findings.append(_look(words, "When the reports show that all of your own mail passes, write p=quarantine."))
    if not record.get("rua"):
        findings.append(_look(f"nobody gets the DMARC reports of {domain}", f"Add rua=mailto:dmarc@{domain}."))
    return findings


async def _alignment(
    resolver: Resolver, tree: Tree, record: Mapping[str, str], *, return_path: str, signer: str
) -> list[Finding]:
    by_path = await _aligned(resolver, tree, return_path, strict=record.get("aspf", "").lower() == "s")
    by_key = bool(signer) and await _aligned(resolver, tree, signer, strict=record.get("adkim", "").lower() == "s")
    if not by_path and not by_key and signer:
        words = f"neither the return path ({return_path}) nor the signature ({signer}) belongs to {tree.domain}"
        return [_broken(f"{words}: no letter passes DMARC", "Set TROPA_DKIM_DOMAIN and TROPA_BOUNCE_DOMAIN within it.")]
    findings = []
    if not by_path:
        words = f"the return path ({return_path}) does not belong to {tree.domain}, so SPF proves nothing to DMARC"
        findings.append(_look(words, f"Set TROPA_BOUNCE_DOMAIN to a name within it: bounces.{tree.domain}."))
    if signer and not by_key:
        words = f"the signature ({signer}) does not belong to {tree.domain}, so it proves nothing to DMARC"
        findings.append(_look(words, f"Set TROPA_DKIM_DOMAIN to {tree.domain}."))
    return findings


async def _aligned(resolver: Resolver, tree: Tree, other: str, *, strict: bool) -> bool:
    if other == tree.domain:
        return True
    return not strict and (await _walk(resolver, other)).organization == tree.organization


async def _walk(resolver: Resolver, domain: str) -> Tree:
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels))]
    if len(names) > _LONGEST:
        names = [names[0], *names[-_LONGEST + 1 :]]
    found = []
    for name in names:
        records = await _records(resolver, name)
        if len(records) == 1:
            found.append((name, tags(records[0])))
    return Tree(domain=domain, found=found)


async def _records(resolver: Resolver, name: str) -> Sequence[str]:
    records = await resolver.txt(f"_dmarc.{name}")
    return [each for each in records if each.split(";")[0].replace(" ", "") == "v=DMARC1"]
