"""What people call channels, in English and Russian."""

CHANNELS: dict[str, dict[str, str]] = {
    "email": {"en": "email", "ru": "почта"},
    "sms": {"en": "SMS", "ru": "SMS"},
    "whatsapp": {"en": "WhatsApp", "ru": "WhatsApp"},
    "telegram": {"en": "Telegram", "ru": "Telegram"},
    "web_push": {"en": "browser notifications", "ru": "уведомления в браузере"},
    "in_app": {"en": "notices on the site", "ru": "сообщения на сайте"},
}
"""As a way of writing to somebody, not as one letter."""
