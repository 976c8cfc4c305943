"""What customers read on their pages, in each language."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Unsubscribe",
        "email": "emails",
        "sms": "text messages",
        "ask": "No more {channel} from {company}?",
        "lead": "One press is enough. Order confirmations and codes that you ask for still come.",
        "button": "Unsubscribe",
        "done": "Done: no more {channel}.",
        "done_lead": "{company} will not write to you this way again. This holds from now on.",
        "wrong": "This link is not right",
        "wrong_lead": "It may have been cut off on its way. Please open it from the message itself.",
        "later": "One moment, please",
        "later_lead": "This link cannot be followed right now. Please open it again in a minute.",
    },
    "ru": {
        "title": "Отписка",
        "email": "писем",
        "sms": "SMS",
        "ask": "Больше не присылать {channel} от {company}?",
        "lead": "Достаточно одного нажатия. Подтверждения заказов и коды, которые вы запросили, приходить будут.",
        "button": "Отписаться",
        "done": "Готово: больше никаких {channel}.",
        "done_lead": "{company} больше не будет писать вам этим способом. Это действует уже сейчас.",
        "wrong": "Ссылка не подходит",
        "wrong_lead": "Возможно, она обрезалась по дороге. Откройте её, пожалуйста, прямо из сообщения.",
        "later": "Одну минуту",
        "later_lead": "Сейчас ссылка не открывается. Попробуйте, пожалуйста, ещё раз через минуту.",
    },
}
