"""The providers that an installation has set up, as gateways; the sandbox outbox for the rest."""

from datetime import timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING

from adapters.channels.email import EmailGateway
from adapters.channels.in_app import InAppGateway
from adapters.channels.mime import sender_mailbox
from adapters.channels.sandbox import SandboxGateway
from adapters.channels.telegram import TelegramGateway
from adapters.crm.none import NoCrm
from adapters.database.connection import Database
from adapters.links import Links
from adapters.outward import Outward
from adapters.return_paths import ReturnPaths
from adapters.settings import Settings
from domain.clock import Clock
from domain.errors import Misconfigured
from domain.messages import Channel
from services.crm import Crm
from services.gateways import Gateway

if TYPE_CHECKING:
    from adapters.channels.dkim import DkimSigner


def build_gateways(
    settings: Settings, database: Database, clock: Clock, links: Links, return_paths: ReturnPaths, outward: Outward
) -> dict[Channel, Gateway]:
    """A gateway for every channel: the provider that is set up, else the sandbox outbox. Notices need neither."""
    gateways: dict[Channel, Gateway] = {each: SandboxGateway(each, database, clock) for each in Channel}
    gateways[Channel.IN_APP] = InAppGateway()
    if settings.texts_by_twilio:
        senders = {"sender": settings.twilio_from, "messaging_service": settings.twilio_messaging_service}
        gateways[Channel.SMS] = _twilio(settings, links, **senders)
    if whatsapp := settings.twilio_whatsapp_from:
        sender = {"messaging_service" if whatsapp.startswith("MG") else "sender": whatsapp}
        gateways[Channel.WHATSAPP] = _twilio(settings, links, prefix="whatsapp:", **sender)
    if token := settings.telegram_token.get_secret_value():
        gateways[Channel.TELEGRAM] = TelegramGateway(token, settings.telegram_base_url)
    if settings.push_key:
        gateways[Channel.WEB_PUSH] = _web_push(settings, outward)
    if settings.smtp_url:
        gateways[Channel.EMAIL] = EmailGateway(
            settings.smtp_url.get_secret_value(),
            settings.mail_from,
            return_path=return_paths.of,
            sign=signer.sign if (signer := dkim_signer(settings)) else None,
            # With the 20 seconds for a place and a connection: within the activity's 60, whatever the server does.
            timeout=timedelta(seconds=5),
            final_timeout=timedelta(seconds=20),
        )
    return gateways


def dkim_signer(settings: Settings) -> "DkimSigner | None":
    """What signs letters; None where nothing does. Raises Misconfigured."""
    # A key in the environment has its lines joined by \n, written so.
    pem, file = settings.dkim_key.get_secret_value().replace("\\n", "\n").encode(), settings.dkim_key_file
    if file:
        try:
            pem = file.read_bytes()
        except OSError as error:
            raise Misconfigured(f"TROPA_DKIM_KEY_FILE cannot be read: {error.strerror}.") from None
    if not pem:
        return None
    from adapters.channels.dkim import DkimSigner  # slow to import, and seldom needed

    domain = settings.dkim_domain or sender_mailbox(settings.mail_from).rpartition("@")[2]
    return DkimSigner(domain=domain, selector=settings.dkim_selector, pem=pem)


def build_crm(settings: Settings) -> Crm:
    """The CRM that is set up, or none."""
    token = settings.hubspot_token.get_secret_value()
    if not token:
        return NoCrm()
    from adapters.crm.hubspot import HubSpotCrm  # slow to import, and seldom needed

    return HubSpotCrm(token, base_url=settings.hubspot_base_url)


def _twilio(settings: Settings, links: Links, **sender: str) -> Gateway:
    from adapters.channels.twilio import TwilioAccount, TwilioGateway  # slow to import, and seldom needed

    account = TwilioAccount(
        sid=settings.twilio_account_sid,
        token=settings.twilio_auth_token.get_secret_value(),
        per_second=settings.twilio_per_second,
        base_url=settings.twilio_base_url,
        **sender,
    )
    return TwilioGateway(account, links.status_report)


def _web_push(settings: Settings, outward: Outward) -> Gateway:
    from adapters.channels.web_push import WebPushGateway  # slow to import, and seldom needed

    contact = f"mailto:{parseaddr(settings.mail_from)[1]}"
    return WebPushGateway(settings.vapid_private_key.get_secret_value(), contact, outward)
