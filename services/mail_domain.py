"""The domain that mail comes from, as large mailboxes look at it: SPF, DKIM, DMARC, where mail returns, headers."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from adapters.channels.dkim import PublicKey
from domain.errors import Unavailable
from services.dkim_record import dkim
from services.dmarc import dmarc
from services.findings import Diagnosis, Finding, Severity
from services.resolver import Resolver
from services.spf import spf

NOT_NEEDED = "not needed"  # of Temporal


@dataclass(frozen=True, kw_only=True)
class MailSetup:
    """How this installation writes.

    `return_domain` is where mail comes back to, to an address for each send if `own_returns`. `signer` and `selector`
    name the DKIM key; `key` is ours if we sign. `relay` is the host that takes our mail. `headers` are of a marketing
    letter.
    """

    domain: str
    return_domain: str
    own_returns: bool
    signer: str
    selector: str
    key: PublicKey | None
    relay: str
    headers: Mapping[str, str]


class DomainDoctor:
    """Looks at one domain, and changes nothing."""

    def __init__(self, resolver: Resolver, setup: MailSetup) -> None:
        self._resolver, self._setup = resolver, setup

    async def look(self) -> Diagnosis:
        """The diagnosis, the worst first. A question that DNS does not answer is a finding, too."""
        setup = self._setup
        findings = check_headers(setup)
        for check in (
            spf(self._resolver, setup.return_domain),
            dkim(self._resolver, setup.signer, setup.selector, setup.key),
            dmarc(
                self._resolver,
                setup.domain,
                return_path=setup.return_domain,
                signer=setup.signer if setup.selector else "",
            ),
            self._returns(),
            self._reverse(),
        ):
            findings += await _answered(check)
        findings.sort(key=lambda each: each.severity is not Severity.BROKEN)
        return Diagnosis(findings=findings, temporal=NOT_NEEDED)

    async def _returns(self) -> list[Finding]:
        """Whether somebody takes what comes back, and answers to From."""
        setup, findings = self._setup, []
        if not setup.own_returns:
            words = f"returned mail goes to the one address in From ({setup.domain}), where Tropa does not read it"
            advice = "Set TROPA_BOUNCE_DOMAIN and let its mail server pipe into `tropa bounces`: docs/operate.md."
            findings.append(Finding.look("bounces", words, advice))
        for domain in dict.fromkeys((setup.return_domain, setup.domain)):
            servers = await self._resolver.mx(domain)
            if "." in servers:
                words, advice = (
                    f"{domain} says that it takes no mail (MX .)",
                    f"Publish {domain}. MX 10 YOUR-MAIL-SERVER.",
                )
                findings.append(Finding.broken("mx", words, advice))
            elif not servers and not await self._resolver.addresses(domain):
                words = f"no mail server takes mail for {domain}: what comes back is lost, and such a sender is refused"
                findings.append(Finding.broken("mx", words, f"Publish {domain}. MX 10 YOUR-MAIL-SERVER."))
        return findings

    async def _reverse(self) -> list[Finding]:
        """Whether our own mail server has the name that its address says. Somebody else's relay is not asked about."""
        relay, domain = self._setup.relay, self._setup.domain
        if relay != domain and not relay.endswith(f".{domain}"):
            return []
        findings = []
        for address in await self._resolver.addresses(relay):
            names = await self._resolver.names(address)
            if not any([address in await self._resolver.addresses(name) for name in names]):
                words = f"{address} ({relay}) has no name that leads back to it (PTR)"
                findings.append(Finding.broken("ptr", words, f"Let its provider set the name {relay}."))
        return findings


def check_headers(setup: MailSetup) -> list[Finding]:
    """What large mailboxes would miss in a marketing letter (RFC 8058, and their own rules)."""
    headers, findings = setup.headers, []
    sender = parseaddr(headers.get("From", ""))[1].rpartition("@")[2].lower()
    if sender != setup.domain:
        words = f"letters come from {sender or 'nobody'}, and you asked about {setup.domain}"
        findings.append(Finding.look("from", words, "Set TROPA_MAIL_FROM, or ask about the other domain."))
    named = headers.get("Message-ID", "").rpartition("@")[2].rstrip(">").lower()
    if named != sender:
        words = f"a letter's Message-ID is of {named or 'nobody'} and not of {sender or 'its sender'}"
        findings.append(Finding.look("message_id", words, "Let no relay rewrite it: bounces quote it."))
    links = [urlsplit(each.strip(" <>")) for each in headers.get("List-Unsubscribe", "").split(",")]
    secure = [link for link in links if link.scheme == "https" and link.hostname]
    if not secure or headers.get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        words = "a marketing letter offers no one-click unsubscribe over https, which large mailboxes ask for"
        findings.append(Finding.broken("unsubscribe", words, "Set TROPA_PUBLIC_URL to an https address."))
    return findings


async def _answered(check: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await check
    except Unavailable as error:
        advice = "Ask again; if it stays so, look at the name servers of the domain and at this machine's resolver."
        return [Finding.look("dns", str(error).rstrip("."), advice)]
