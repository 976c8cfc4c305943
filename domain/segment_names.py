"""What people call the parts of a segment's rule, in English and Russian."""

from domain.channel_words import CHANNELS
from domain.checks import Comparison
from domain.segments import Measure

FIELDS: dict[str, dict[str, str]] = {
    "customer_id": {"en": "customer id", "ru": "идентификатор клиента"},
    "email": {"en": "email", "ru": "почта"},
    "phone": {"en": "phone", "ru": "телефон"},
    "locale": {"en": "language", "ru": "язык"},
    "timezone": {"en": "time zone", "ru": "часовой пояс"},
    "stage": {"en": "stage", "ru": "этап"},
    "first_source": {"en": "source of the first touch", "ru": "источник первого касания"},
    "first_medium": {"en": "medium of the first touch", "ru": "канал первого касания"},
    "first_campaign": {"en": "campaign of the first touch", "ru": "кампания первого касания"},
    "orders": {"en": "orders", "ru": "заказов"},
    "revenue": {"en": "revenue", "ru": "выручка"},
    "engagement": {"en": "engagement, of 100", "ru": "вовлечённость, из 100"},
    "first_seen_at": {"en": "first seen", "ru": "появился"},
    "stage_since": {"en": "in the stage since", "ru": "на этапе с"},
    "last_order_at": {"en": "last order", "ru": "последний заказ"},
    "activated_at": {"en": "activated", "ru": "активация"},
    "feature_used_at": {"en": "used the product", "ru": "пользовался продуктом"},
    "last_active_at": {"en": "last did anything", "ru": "последняя активность"},
    "engaged_at": {"en": "last opened, clicked or visited", "ru": "последнее открытие, переход или визит"},
    "preferred_channel": {"en": "preferred channel", "ru": "любимый канал"},
    "frequency": {"en": "chosen frequency", "ru": "выбранная частота"},
    "trouble": {"en": "trouble", "ru": "неприятность"},
}
"""Of `domain.segments.CUSTOMER`."""

SCORES: dict[str, dict[str, str]] = {
    "segment": {"en": "segment by code", "ru": "сегмент по коду"},
    "effective_segment": {"en": "segment", "ru": "сегмент"},
    "r": {"en": "R", "ru": "R"},
    "f": {"en": "F", "ru": "F"},
    "m": {"en": "M", "ru": "M"},
    "recency_days": {"en": "days since the last order", "ru": "дней с последнего заказа"},
    "frequency": {"en": "days with orders", "ru": "дней с заказами"},
    "monetary": {"en": "paid", "ru": "оплачено"},
    "vip": {"en": "VIP", "ru": "VIP"},
    "one_off": {"en": "ordered on one day alone", "ru": "заказывал только в один день"},
    "since": {"en": "in the segment since", "ru": "в сегменте с"},
}
"""Of `domain.segments.RFM`."""

MEASURES: dict[Measure, dict[str, str]] = {
    Measure.COUNT: {"en": "how many", "ru": "сколько"},
    Measure.SUM: {"en": "sum", "ru": "сумма"},
    Measure.FIRST: {"en": "the first time", "ru": "первый раз"},
    Measure.LAST: {"en": "the last time", "ru": "последний раз"},
}

COMPARISONS: dict[Comparison, dict[str, str]] = {
    Comparison.EQUALS: {"en": "{than}", "ru": "{than}"},
    Comparison.IN: {"en": "{than}", "ru": "{than}"},
    Comparison.CONTAINS: {"en": "contains {than}", "ru": "содержит {than}"},
    Comparison.AT_LEAST: {"en": "at least {than}", "ru": "не меньше {than}"},
    Comparison.AT_MOST: {"en": "at most {than}", "ru": "не больше {than}"},
    Comparison.MORE_THAN: {"en": "more than {than}", "ru": "больше {than}"},
    Comparison.LESS_THAN: {"en": "less than {than}", "ru": "меньше {than}"},
    Comparison.BEFORE: {"en": "before {than}", "ru": "раньше {than}"},
    Comparison.AFTER: {"en": "after {than}", "ru": "позже {than}"},
    Comparison.WITHIN: {"en": "in the last {than}", "ru": "за последние {than}"},
    Comparison.OLDER_THAN: {"en": "{than} ago or earlier", "ru": "{than} назад и раньше"},
}
"""`exists` is said by `known` and `unknown`."""

SAID: dict[str, dict[str, str]] = {
    "known": {"en": "known", "ru": "известно"},
    "unknown": {"en": "not known", "ru": "неизвестно"},
    "yes": {"en": "yes", "ru": "да"},
    "no": {"en": "no", "ru": "нет"},
    "and": {"en": " and ", "ru": " и "},
    "or": {"en": " or ", "ru": " или "},
    "all": {"en": "all of these", "ru": "всё это вместе"},
    "any": {"en": "at least one of these", "ru": "хотя бы одно из этого"},
    "not": {"en": "none of this", "ru": "ничего из этого"},
    "attribute": {"en": "your own “{name}”", "ru": "ваше «{name}»"},
    "consent": {"en": "consent for {scope}", "ru": "согласие, {scope}"},
    "within": {"en": " in the last {time}", "ru": " за последние {time}"},
    "event": {"en": "“{event}”{where}", "ru": "«{event}»{where}"},
    "sum": {"en": "{what}, sum of “{name}”", "ru": "{what}, сумма «{name}»"},
    "missed": {
        "en": "{first}, and no {then} within {within} of it",
        "ru": "{first}, и за {within} после этого нет {then}",
    },
    "orders": {"en": "orders", "ru": "заказы"},
    "orders with": {"en": "orders with an offer code", "ru": "заказы с промокодом"},
    "orders without": {"en": "orders without an offer code", "ru": "заказы без промокода"},
    "messages": {"en": "messages sent", "ru": "отправлено сообщений"},
    "messages seen": {"en": "messages certainly seen", "ru": "точно увидено сообщений"},
    "member": {"en": "in the segment “{label}”", "ru": "в сегменте «{label}»"},
}

VALUES: dict[str, dict[str, str]] = {
    **CHANNELS,
    "granted": {"en": "yes", "ru": "дано"},
    "denied": {"en": "no", "ru": "отказ"},
    "none": {"en": "never asked", "ru": "не спрашивали"},
    "weekly": {"en": "weekly", "ru": "раз в неделю"},
    "monthly": {"en": "monthly", "ru": "раз в месяц"},
    "complaint": {"en": "an open complaint", "ru": "открытая жалоба"},
    "low_score": {"en": "a low score", "ru": "низкая оценка"},
}
"""Words that a value may be, where they are ours."""
