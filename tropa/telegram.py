"""Telling Telegram where this installation listens."""

from adapters.channels.telegram import TelegramGateway, webhook_secret
from adapters.settings import Settings
from domain.errors import Misconfigured


async def listen(settings: Settings) -> str:
    """Have Telegram report to this installation. Answers the address. Raises Misconfigured and Unavailable."""
    settings = settings.checked()
    token = settings.telegram_token.get_secret_value()
    if not token:
        raise Misconfigured("Set TROPA_TELEGRAM_TOKEN and TROPA_TELEGRAM_BOT first; @BotFather gives both.")
    address = f"{settings.public_url.rstrip('/')}/webhooks/telegram"
    gateway = TelegramGateway(token, settings.telegram_base_url)
    try:
        await gateway.report_to(address, webhook_secret(token))
    finally:
        await gateway.close()
    return address
