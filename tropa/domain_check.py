"""`tropa doctor --domain`: what this installation's settings and DNS say of the mail that goes out."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from adapters.channels.mime import build_email, sender_mailbox
from adapters.dns import DnsResolver
from adapters.links import Links
from adapters.settings import Settings
from domain.deliveries import Letter
from domain.errors import InvalidInput
from domain.messages import Channel
from services.findings import Diagnosis
from services.mail_domain import DomainDoctor, MailSetup
from services.resolver import Resolver
from tropa.gateways import dkim_signer

_DOMAIN = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]+")


async def diagnose_domain(
    settings: Settings, domain: str, *, selector: str = "", resolver: Resolver | None = None
) -> Diagnosis:
    """What is wrong with a domain as the sender of mail; with that of TROPA_MAIL_FROM where none is named.

    `selector` names a key that the relay signs with. `resolver` replaces DNS, for tests. Raises InvalidInput,
    Misconfigured, and Unavailable where there is no DNS at all.
    """
    setup = mail_setup(settings.checked(), domain, selector)
    return await DomainDoctor(resolver or DnsResolver(), setup).look()


def mail_setup(settings: Settings, domain: str, selector: str = "") -> MailSetup:
    """How an installation writes, as far as its settings say. Raises InvalidInput and Misconfigured."""
    sender = sender_mailbox(settings.mail_from).rpartition("@")[2].lower()
    domain = domain.rstrip(".").lower() or sender
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput([f"domain: {domain!r} is none; write it in ASCII, such as shop.example.com"])
    signer = dkim_signer(settings)
    relay = urlsplit(settings.smtp_url.get_secret_value()).hostname if settings.smtp_url else None
    return MailSetup(
        domain=domain,
        return_domain=settings.bounce_domain.lower() or sender,
        own_returns=bool(settings.bounce_domain),
        signer=(signer.domain if signer else settings.dkim_domain or domain).lower(),
        selector=selector or settings.dkim_selector,
        key=signer.public_key if signer and selector in ("", signer.selector) else None,
        relay=relay or "",
        headers=_sample(settings),
    )


def _sample(settings: Settings) -> dict[str, str]:
    """The headers of a marketing letter to nobody."""
    links = Links([secret.get_secret_value() for secret in settings.secrets], settings.public_url or "http://localhost")
    sample = Letter(
        send_id=UUID(int=0),
        to="somebody@example.com",
        sender=settings.mail_from,
        subject="",
        html="",
        text="",
        unsubscribe_url=links.unsubscribe("cus_0", Channel.EMAIL),
        list_id=None,
        journey="sample",
        message="sample",
    )
    return {name: str(value) for name, value in build_email(sample).items()}
