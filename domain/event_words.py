"""Events in words: the sentence of each in a timeline, and what to call it where its details are not known.

A company's own event needs no entry here: it is said by its name, with spaces.
"""

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
    "activated": {"en": "The product works for them", "ru": "Продукт заработал"},
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
    "date_near": {"en": "A date is near: {date}, {on}", "ru": "Близкая дата: {date}, {on}"},
    "rfm_segment_entered": {"en": "RFM: now {segment}", "ru": "RFM: теперь {segment}"},
    "segment_entered": {"en": "Came into the segment “{segment}”", "ru": "Вошёл в сегмент «{segment}»"},
    "segment_left": {"en": "Left the segment “{segment}”", "ru": "Вышел из сегмента «{segment}»"},
    "form_submitted": {"en": "A form came in their name: “{title}”", "ru": "От их имени пришла форма «{title}»"},
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
    "opt_in_requested": {
        "en": "A sign-up waits to be confirmed from the mailbox",
        "ru": "Заявка ждёт подтверждения из почты",
    },
    "opt_in_confirmed": {"en": "Confirmed from the mailbox that it was they", "ru": "Заявка подтверждена из почты"},
    "consent_changed": {"en": "Consent for {channel}: {status}", "ru": "Согласие, {channel}: {status}"},
}
OTHER_EVENT = {"en": "Event: {name}", "ru": "Событие: {name}"}

_UNDETAILED: dict[str, dict[str, str]] = {
    "survey_answered": {"en": "Answered a survey", "ru": "Ответ на опрос"},
    "segment_entered": {"en": "Came into a segment", "ru": "Вошёл в сегмент"},
    "segment_left": {"en": "Left a segment", "ru": "Вышел из сегмента"},
    "date_near": {"en": "A date is near", "ru": "Близкая дата"},
    "rfm_segment_entered": {"en": "Moved to another RFM segment", "ru": "Перешёл в другой сегмент RFM"},
    "stage_entered": {"en": "Entered a stage", "ru": "Перешёл на этап"},
    "form_submitted": {"en": "A form came in their name", "ru": "От их имени пришла форма"},
    "message_clicked": {"en": "Followed a link in a message", "ru": "Переход по ссылке из сообщения"},
    "deal_opened": {"en": "A deal was opened", "ru": "Открыта сделка"},
    "deal_won": {"en": "A deal was won", "ru": "Сделка выиграна"},
    "deal_lost": {"en": "A deal was lost", "ru": "Сделка проиграна"},
    "deal_stage_changed": {"en": "A deal moved to another stage", "ru": "Сделка перешла на другой этап"},
    "deal_changed": {"en": "A deal was changed", "ru": "Сделка изменена"},
    "message_opened": {"en": "Opened a message", "ru": "Сообщение открыто"},
    "opted_out": {"en": "Said no to messages", "ru": "Отказ от сообщений"},
    "unsubscribe_reason": {"en": "Told why they left", "ru": "Названа причина ухода"},
    "complained": {"en": "Marked a message as spam", "ru": "Жалоба на спам"},
    "hard_bounced": {"en": "The address does not exist", "ru": "Адрес не существует"},
    "replied": {"en": "Answered a message", "ru": "Ответ клиента"},
    "profile_changed": {"en": "The profile was changed", "ru": "Изменён профиль"},
    "consent_changed": {"en": "A consent was changed", "ru": "Изменено согласие"},
    "task_closed": {"en": "A task was closed", "ru": "Задача закрыта"},
    "task_escalated": {"en": "A task is overdue, and escalated", "ru": "Задача просрочена и передана выше"},
    "note_added": {"en": "A note was written", "ru": "Добавлена заметка"},
}
"""Those whose sentence has gaps for details."""

_CAUSES: dict[str, dict[str, str]] = {
    "staff": {"en": "staff", "ru": "сотрудник"},
    "bulk": {"en": "a bulk", "ru": "группа"},
    "staff, from the command line": {
        "en": "staff, from the command line",
        "ru": "сотрудник, из командной строки",
    },
    "staff, by a link from the command line": {
        "en": "staff, by a link from the command line",
        "ru": "сотрудник, по ссылке из командной строки",
    },
    "the owner of this machine": {"en": "the owner of this machine", "ru": "владелец этой машины"},
    "its plan": {"en": "by its own plan", "ru": "по своему плану"},
}
"""What is no event and yet begins or ends walks; people here have keys that we named ourselves."""


_NAMES = ("RFM", "SMS", "Telegram", "Twilio", "WhatsApp")  # stay large within a sentence


def event_words(name: str, locale: str) -> str:
    """An event whose details are not known."""
    words = _UNDETAILED.get(name) or EVENTS.get(name)
    return words[locale] if words else name.replace("_", " ")


def cause_words(cause: str, locale: str) -> str:
    """What began or ended a walk, within a sentence: an event, or who did it, such as staff or a colleague's name."""
    if cause in _CAUSES:
        return _CAUSES[cause][locale]
    words = event_words(cause, locale)
    return inside(words) if cause in EVENTS else words


def inside(sentence: str) -> str:
    """A sentence as it goes on after a colon."""
    if sentence.startswith(_NAMES):
        return sentence
    return sentence[:1].lower() + sentence[1:]
