"""The sentences of a customer's timeline, in English and Russian: what happened, and what was decided."""

from collections.abc import Mapping
from typing import Any

from adapters.stage_sets import stage_label
from adapters.surveys import reason_label
from domain.decisions import tell
from domain.events import SNOOZED
from domain.rfm import WORDS as RFM_WORDS
from domain.rfm import Segment

EVENTS: dict[str, dict[str, str]] = {
    "signed_up": {"en": "Signed up", "ru": "Регистрация"},
    "newsletter_signed_up": {"en": "Signed up for the newsletter", "ru": "Подписка на рассылку"},
    "downloaded": {"en": "Took a file", "ru": "Скачан материал"},
    "calculator_used": {"en": "Used the calculator", "ru": "Расчёт на калькуляторе"},
    "webinar_attended": {"en": "Was at a webinar", "ru": "Участие в вебинаре"},
    "demo_requested": {"en": "Asked for a demo", "ru": "Заявка на демонстрацию"},
    "offer_requested": {"en": "Asked for an offer", "ru": "Заявка на предложение"},
    "callback_requested": {"en": "Asked to be called", "ru": "Заявка на звонок"},
    "signed_in": {"en": "Signed in", "ru": "Вход в сервис"},
    "order_placed": {"en": "Placed an order", "ru": "Заказ оформлен"},
    "order_shipped": {"en": "The order is on its way", "ru": "Заказ отправлен"},
    "order_delivered": {"en": "The order was delivered", "ru": "Заказ доставлен"},
    "order_returned": {"en": "Returned an order", "ru": "Заказ возвращён"},
    "cart_updated": {"en": "Changed the cart", "ru": "Корзина изменена"},
    "page_viewed": {"en": "Looked at a page", "ru": "Просмотр страницы"},
    "category_viewed": {"en": "Looked around in a category", "ru": "Просмотр категории"},
    "product_viewed": {"en": "Looked at a product", "ru": "Просмотр товара"},
    "feature_used": {"en": "Used the product", "ru": "Продукт использован"},
    "feature_used_heavily": {"en": "Uses one feature a lot", "ru": "Часто пользуется одной функцией"},
    "limit_reached": {"en": "Reached a limit of the plan", "ru": "Достигнут лимит тарифа"},
    "plan_upgraded": {"en": "Moved to a larger plan", "ru": "Переход на тариф побольше"},
    "call_held": {"en": "A call was held", "ru": "Состоялся звонок"},
    "meeting_held": {"en": "A meeting was held", "ru": "Состоялась встреча"},
    "visited": {"en": "Came to the site", "ru": "Визит на сайт"},
    "setup_stuck": {"en": "Got stuck in set-up", "ru": "Трудности с настройкой"},
    "activated": {"en": "The product works for them: activated", "ru": "Продукт заработал: активация"},
    "email_opened": {"en": "Opened a letter", "ru": "Письмо открыто"},
    "email_clicked": {"en": "Followed a link in a letter", "ru": "Переход по ссылке из письма"},
    "message_opened": {"en": "Opened “{message}”", "ru": "Открыто «{message}»"},
    "message_opened unsure": {"en": "May have opened “{message}”", "ru": "Возможно, открыто «{message}»"},
    "message_opened machine": {"en": "A mail program loaded “{message}”", "ru": "«{message}» загрузила программа"},
    "message_clicked": {"en": "Followed a link in “{message}”", "ru": "Переход по ссылке из «{message}»"},
    "message_clicked unsure": {
        "en": "May have followed a link in “{message}”",
        "ru": "Возможно, переход по ссылке из «{message}»",
    },
    "message_clicked machine": {
        "en": "A mail filter followed a link in “{message}”",
        "ru": "Ссылку из «{message}» проверил почтовый фильтр",
    },
    "ticket_closed": {"en": "Support closed the ticket", "ru": "Обращение в поддержку закрыто"},
    "content_published": {"en": "Something new came out for them", "ru": "Для клиента вышло новое"},
    "friend_ordered": {"en": "A friend ordered with their code", "ru": "Друг сделал заказ по коду клиента"},
    "support_contacted": {"en": "Wrote or called to support", "ru": "Обращение в поддержку"},
    "opted_out": {"en": "Said no to {channel}", "ru": "Отказ от сообщений: {channel}"},
    "unsubscribe_reason": {"en": "Told why they left: {reason}", "ru": "Причина ухода: {reason}"},
    "complained": {"en": "Marked a message as spam ({channel})", "ru": "Жалоба на спам ({channel})"},
    "hard_bounced": {"en": "The address does not exist ({channel})", "ru": "Адрес не существует ({channel})"},
    "snoozed": {"en": "Asked for peace", "ru": "Просьба не писать"},
    "snoozed over": {"en": "Ended the break they had asked for", "ru": "Перерыв в сообщениях закончен досрочно"},
    "consent_changed topic": {"en": "Topic “{topic}”: {status}", "ru": "Тема «{topic}»: {status}"},
    "frequency_chosen": {"en": "Chose how often to hear from us", "ru": "Выбор частоты сообщений"},
    "complaint_opened": {"en": "Opened a complaint", "ru": "Жалоба открыта"},
    "complaint_resolved": {"en": "The complaint is resolved", "ru": "Жалоба решена"},
    "survey_answered": {"en": "Answered the survey “{survey}”: {answer}", "ru": "Ответ на опрос «{survey}»: {answer}"},
    "cart_emptied": {"en": "Emptied the cart", "ru": "Корзина очищена"},
    "checkout_started": {"en": "Started the checkout", "ru": "Начало оформления заказа"},
    "replied": {"en": "Answered by {channel}", "ru": "Ответ клиента: {channel}"},
    "telegram_started": {"en": "Started our Telegram bot", "ru": "Запущен наш бот в Telegram"},
    "profile_changed": {"en": "The profile was changed: {fields}", "ru": "Изменён профиль: {fields}"},
    "stage_entered": {"en": "Entered the stage “{stage}”", "ru": "Этап: «{stage}»"},
    "became_dormant": {"en": "Fell silent", "ru": "Давно не появляется"},
    "became_gone": {"en": "Counts as gone", "ru": "Считается ушедшим"},
    "engagement_lost": {"en": "Opens and clicks no more", "ru": "Перестал открывать письма и переходить по ссылкам"},
    "nps_due": {"en": "Time to ask whether they would recommend us", "ru": "Пора спросить, посоветует ли нас клиент"},
    "birthday": {"en": "Birthday", "ru": "День рождения"},
    "rfm_segment_entered": {"en": "RFM: now {segment}", "ru": "RFM: теперь {segment}"},
    "segment_entered": {"en": "Came into the segment “{segment}”", "ru": "Вошёл в сегмент «{segment}»"},
    "segment_left": {"en": "Left the segment “{segment}”", "ru": "Вышел из сегмента «{segment}»"},
    "form_submitted": {"en": "A form came in their name: “{title}”", "ru": "От их имени пришла форма «{title}»"},
    "form_confirmed": {"en": "Confirmed the form “{title}”", "ru": "Форма «{title}» подтверждена"},
    "order_cancelled": {"en": "The order was cancelled", "ru": "Заказ отменён"},
    "order_refunded": {"en": "Money was given back", "ru": "Деньги возвращены"},
    "merged": {
        "en": "Another profile of the same person was joined to this one",
        "ru": "Присоединён другой профиль того же человека",
    },
    "identified": {"en": "Recognized: earlier visits were joined", "ru": "Узнан: прежние визиты присоединены"},
    "task_closed": {"en": "Closed: “{title}” – {outcome}", "ru": "Задача закрыта: «{title}» – {outcome}"},
    "task_escalated": {
        "en": "Overdue, and escalated: “{title}”",
        "ru": "Задача просрочена и передана выше: «{title}»",
    },
    "note_added": {"en": "Note by {author}", "ru": "Заметка ({author})"},
    "deal_opened": {"en": "Deal {deal} was opened: {stage}", "ru": "Открыта сделка {deal}: {stage}"},
    "deal_stage_changed": {
        "en": "Deal {deal} went from {from} to {to}",
        "ru": "Сделка {deal}: из «{from}» в «{to}»",
    },
    "deal_won": {"en": "Deal {deal} was won", "ru": "Сделка {deal} выиграна"},
    "deal_lost": {"en": "Deal {deal} was lost: {reason}", "ru": "Сделка {deal} проиграна: {reason}"},
    "deal_changed": {"en": "Deal {deal} was changed", "ru": "Сделка {deal} изменена"},
    "consent_requested": {
        "en": "Signed up for {channel}; waits to be confirmed",
        "ru": "Заявка на подписку: {channel}; ждёт подтверждения",
    },
    "consent_confirmed": {"en": "Confirmed the sign-up: {channel}", "ru": "Подписка подтверждена: {channel}"},
    "consent_changed": {"en": "Consent for {channel}: {status}", "ru": "Согласие, {channel}: {status}"},
}
OTHER_EVENT = {"en": "Event: {name}", "ru": "Событие: {name}"}

WORDS: dict[str, dict[str, str]] = {
    "ru": {
        "granted": "дано",
        "denied": "отказ",
        "email": "почта",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "telegram": "Telegram",
        "web_push": "уведомления в браузере",
        "in_app": "сообщения на сайте",
        "all": "все каналы",
        "too_often": "слишком часто",
        "not_relevant": "не о том",
        "only_selling": "одна реклама",
        "never_signed_up": "подписали без спроса",
        "another": "другая",
        "phone": "телефон",
        "locale": "язык",
        "timezone": "часовой пояс",
        "preferred_channel": "любимый канал",
        "attributes": "сведения",
        "owner": "ответственный",
        "needs": "потребности",
        "company": "компания",
        "buying_role": "роль в решении",
        "done": "сделано",
        "no_answer": "не удалось связаться",
        "declined": "клиент отказался",
        "dropped": "больше не нужна",
    },
    "en": {
        "all": "all channels",
        "too_often": "too often",
        "not_relevant": "not relevant",
        "only_selling": "nothing but selling",
        "never_signed_up": "never signed up",
        "another": "another reason",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "telegram": "Telegram",
        "web_push": "browser notifications",
        "in_app": "notices on the site",
        "locale": "language",
        "timezone": "time zone",
        "preferred_channel": "preferred channel",
        "buying_role": "buying role",
        "no_answer": "could not be reached",
        "declined": "the customer does not want it",
        "dropped": "not needed any more",
    },
}

# What became of a message, said between its name and the reason, where the reason alone would not tell.
OUTCOMES: dict[str, dict[str, str]] = {
    "deferred": {"en": "waits", "ru": "ждёт"},
    "held": {"en": "is held", "ru": "задержано"},
    "reserved": {"en": "is about to go", "ru": "готово к отправке"},
    "refused": {"en": "was not sent", "ru": "не отправлено"},
    "expired": {"en": "was not sent: too late", "ru": "не отправлено: слишком поздно"},
    "failed": {"en": "was not sent", "ru": "не отправлено"},
    "unknown": {"en": "may have arrived", "ru": "возможно, дошло"},
    "holdout": {"en": "was left out", "ru": "не отправлено"},
}
_QUOTED = {"en": "“{message}”", "ru": "«{message}»"}
_ABOUT_A_JOURNEY = {"ended", "paused", "resumed", "restarted"}


def event_sentence(name: str, properties: Mapping[str, Any], locale: str, *, title: str | None = None) -> str:
    """An event in words; `title` is of the task that it is about."""
    sentence = (EVENTS.get(f"{name} {_kind(name, properties)}") or EVENTS.get(name, OTHER_EVENT))[locale]
    said = {"name": name.replace("_", " "), "channel": _word("all", locale)}
    if "message" in properties:
        said["message"] = str(properties["message"]).replace("_", " ")
    for key in ("channel", "status", "reason", "outcome"):
        if key in properties:
            said[key] = _word(str(properties[key]), locale)
    if "survey" in properties:
        survey, reason = str(properties["survey"]), properties.get("reason")
        told = (properties.get("score"), reason_label(survey, str(reason), locale) if reason else None)
        said["survey"] = survey.replace("_", " ")
        said["answer"] = ", ".join(str(each) for each in told if each is not None)
    if "segment" in properties:
        said["segment"] = _segment(str(properties["segment"]), locale)
    said |= {key: str(properties[key]) for key in ("deal", "from", "to", "author") if key in properties}
    said["title"] = title or str(properties.get("task", properties.get("title", "—"))).replace("_", " ")
    if "stage" in properties:
        said["stage"] = stage_label(str(properties["stage"]), locale)
    said["topic"] = str(properties.get("channel")).partition("/")[2]
    fields = properties.get("fields")
    said["fields"] = ", ".join(_word(str(f), locale) for f in fields) if isinstance(fields, list) else "—"
    return sentence.format_map(_Said(said))


def event_words(name: str, locale: str) -> str:
    """An event whose details are not known: its sentence, or its name where the sentence has gaps for them."""
    words = EVENTS.get(name, {}).get(locale, "{")
    return name.replace("_", " ") if "{" in words else words


def cause_words(cause: str, locale: str) -> str:
    """What began a walk: an event as its sentence begins, or who did it, such as staff."""
    return _inside(event_words(cause, locale))


def decision_sentence(
    state: str, rule: str, facts: Mapping[str, Any], *, journey: str | None, message: str | None, locale: str, zone: str
) -> str:
    """A decision in words, with the message or the journey it is about."""
    why = tell(rule, facts, locale=locale, zone=zone)
    if message is not None:
        named = _QUOTED[locale].format(message=message.replace("_", " "))
        return f"{named} {OUTCOMES[state][locale]}. {why}" if state in OUTCOMES else f"{named} – {_inside(why)}"
    if journey and state in _ABOUT_A_JOURNEY:
        return f"{journey}: {_inside(why)}"
    return why


def _kind(name: str, properties: Mapping[str, Any]) -> object:
    """What kind of such an event it is, where each has a sentence of its own."""
    if name == SNOOZED and "until" in properties and properties["until"] is None:
        return "over"
    if "/" in str(properties.get("channel")):
        return "topic"
    return properties.get("grade")


def _inside(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _word(word: str, locale: str) -> str:
    return WORDS[locale].get(word, word)


class _Said(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _segment(name: str, locale: str) -> str:
    if name in set(Segment):
        return RFM_WORDS[Segment(name)][locale].name
    return name.replace("_", " ")
