"""DNS, asked of this machine's own resolver."""

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from domain.errors import Unavailable

PATIENCE = 5.0  # seconds for one question


class DnsResolver:
    """Answers as services.resolver.Resolver wants it."""

    def __init__(self) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver()
        except dns.exception.DNSException:
            raise Unavailable("This machine has no DNS resolver (/etc/resolv.conf).") from None

    async def txt(self, name: str) -> Sequence[str]:
        """TXT records."""
        found = await self._ask(name, "TXT")
        return [b"".join(each.strings).decode("utf-8", "replace") for each in found if isinstance(each, TXT)]

    async def mx(self, name: str) -> Sequence[str]:
        """Mail servers, the preferred first."""
        found = [each for each in await self._ask(name, "MX") if isinstance(each, MX)]
        found.sort(key=lambda each: each.preference)
        return [each.exchange.to_text(omit_final_dot=len(each.exchange) > 1) for each in found]

    async def addresses(self, name: str) -> Sequence[str]:
        """IPv4 and IPv6 addresses."""
        return [str(each) for kind in ("A", "AAAA") for each in await self._ask(name, kind)]

    async def names(self, address: str) -> Sequence[str]:
        """What an address calls itself."""
        found = await self._ask(dns.reversename.from_address(address).to_text(), "PTR")
        return [str(each).rstrip(".").lower() for each in found]

    async def _ask(self, name: str, kind: str) -> Sequence[object]:
        try:
            answer = await self._resolver.resolve(name, kind, lifetime=PATIENCE, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unavailable(f"DNS did not answer for {name} ({kind}): {type(error).__name__}.") from None
        return list(answer)
