"""The sentence of every rule, in English and Russian. Facts go into their braces: `domain.decisions.tell`."""

RULES: dict[str, dict[str, str]] = {
    # what a send met
    "allowed": {"en": "Nothing stands against it", "ru": "Ничто не мешает"},
    "erased": {"en": "The customer was erased", "ru": "Данные клиента удалены"},
    "ended": {"en": "The journey had ended first: {how}", "ru": "Путь закончился раньше: {how}"},
    "opted_out": {
        "en": "The customer said no to {channels} on {at}",
        "ru": "Клиент отказался от {channels} {at}",
    },
    "no_consent": {
        "en": "The customer has not said yes to {channels}, and this installation asks for it",
        "ru": "Клиент не давал согласия на {channels}, а здесь оно обязательно",
    },
    "unreachable": {"en": "There is no address for {channels}", "ru": "Нет адреса для {channels}"},
    "suppressed": {
        "en": "The address for {channels} is suppressed: {reason}",
        "ru": "Адрес для {channels} закрыт: {reason}",
    },
    "quiet_hours": {
        "en": "Quiet hours from {start} to {end} in {zone}; it may go at {until}",
        "ru": "Тихие часы с {start} до {end} ({zone}); отправка возможна в {until}",
    },
    "gap": {
        "en": "The last touch was at {last}, and touches stay {gap} apart; it may go at {until}",
        "ru": "Последнее касание было в {last}, между касаниями выдерживаем {gap}; отправка возможна в {until}",
    },
    "cap": {
        "en": "{count} touches in {within} is the limit and it is reached; it may go at {until}",
        "ru": "Предел касаний за {within}: {count}, он достигнут; отправка возможна в {until}",
    },
    "scheduled_cap": {
        "en": "{count} message from our own plans in {within} is the limit and it is reached; it may go at {until}",
        "ru": "Предел сообщений по нашему плану за {within}: {count}, он достигнут; отправка возможна в {until}",
    },
    "reactivation_cap": {
        "en": "{count} letters in {within} is the limit while winning back; it may go at {until}",
        "ru": "При возвращении клиента предел за {within}: {count}; отправка возможна в {until}",
    },
    "cap_of_new_lead": {
        "en": "{count} messages in {within} is the limit for new leads; it may go at {until}",
        "ru": "Предел для новых контактов за {within}: {count}; отправка возможна в {until}",
    },
    "cap_of_active": {
        "en": "{count} messages in {within} is the limit for active customers; it may go at {until}",
        "ru": "Предел для активных клиентов за {within}: {count}; отправка возможна в {until}",
    },
    "cap_of_vip": {
        "en": "{count} message in {within} is the limit for VIPs; it may go at {until}",
        "ru": "Предел для VIP-клиентов за {within}: {count}; отправка возможна в {until}",
    },
    "cap_of_sleeping": {
        "en": "{count} messages in {within} is the limit for customers who sleep; it may go at {until}",
        "ru": "Предел для спящих клиентов за {within}: {count}; отправка возможна в {until}",
    },
    "chose_weekly": {
        "en": "The customer asked for one message a week; it may go at {until}",
        "ru": "Клиент попросил писать раз в неделю; отправка возможна в {until}",
    },
    "chose_monthly": {
        "en": "The customer asked for one message a month; it may go at {until}",
        "ru": "Клиент попросил писать раз в месяц; отправка возможна в {until}",
    },
    "snoozed": {
        "en": "The customer asked for peace until {until}",
        "ru": "Клиент попросил не писать до {until}",
    },
    "whatsapp_before_email": {
        "en": "A WhatsApp message went at {last}, and no email follows within {within}; it may go at {until}",
        "ru": "В {last} ушло сообщение в WhatsApp, письма не следуют за ним {within}; отправка возможна в {until}",
    },
    "complaint": {
        "en": "A complaint is open; no offer goes until it is resolved",
        "ru": "Есть открытая жалоба; предложения не отправляются, пока она не решена",
    },
    "low_score": {
        "en": "The last score was low; no offer goes until that is resolved",
        "ru": "Последняя оценка низкая; предложения не отправляются, пока вопрос не решён",
    },
    "value_owed": {
        "en": "{count} useful messages since the last offer, and {needed} come first",
        "ru": "С последнего предложения полезных сообщений: {count}, а нужно {needed}",
    },
    "just_bought": {
        "en": "They have just bought {products}, and what was just bought is not offered",
        "ru": "Клиент только что купил: {products}; купленное не предлагаем",
    },
    "no_code_left": {"en": "No code of the offer “{offer}” is left", "ru": "Коды предложения «{offer}» закончились"},
    "offer_not_set_up": {"en": "The offer “{offer}” is not set up", "ru": "Предложение «{offer}» не настроено"},
    "nothing_to_show": {
        "en": "Of its list “{list}” the shop has {count} products to show, and it needs {needed}",
        "ru": "Для списка «{list}» в магазине есть товаров: {count}, а нужно {needed}",
    },
    "channel_policy": {
        "en": "Here {channels} is not used for messages of this purpose ({purpose})",
        "ru": "Канал {channels} здесь не используется для таких сообщений ({purpose})",
    },
    "topic_refused": {
        "en": "The customer said no to the topic “{topic}” on {at}",
        "ru": "Клиент отказался от темы «{topic}» {at}",
    },
    "paused": {"en": "Paused; it goes on when somebody resumes it", "ru": "На паузе; продолжится, когда её снимут"},
    "shelf_life": {
        "en": "It was worth sending until {expires}, and {blocked}",
        "ru": "Сообщение имело смысл до {expires}, и {blocked}",
    },
    "gone": {
        "en": "They have done nothing for half a year, and we have said our last word",
        "ru": "Полгода клиент ничего не делал, и последнее слово уже сказано",
    },
    "fuse": {
        "en": "This message already went {count} times in {within}, its own limit; the journey was stopped",
        "ru": "Сообщение уже уходило {count} раз за {within}, это предел; путь остановлен",
    },
    "seen": {
        "en": "They have seen it already, by {channel} at {at}",
        "ru": "Клиент уже увидел сообщение ({channel}, {at})",
    },
    "no_other_channel": {
        "en": "It went by every channel that it has",
        "ru": "Сообщение уже отправлено по всем своим каналам",
    },
    # what became of a send
    "accepted": {"en": "Sent by {channel}: {gateway} took it", "ru": "Отправлено ({channel}), шлюз: {gateway}"},
    "provider_refused": {
        "en": "{gateway} refused it for good ({code})",
        "ru": "{gateway} отказал окончательно ({code})",
    },
    "provider_busy": {
        "en": "{gateway} could not take it now ({code}); trying again",
        "ru": "{gateway} сейчас не принял ({code}); попробуем ещё раз",
    },
    "outcome_unknown": {
        "en": "{gateway} was handed it and did not answer; it may have arrived, so it is not sent again",
        "ru": "{gateway} получил сообщение и не ответил; оно могло дойти, поэтому второй раз не отправляем",
    },
    "resolved_by_look_up": {
        "en": "{gateway} was asked afterwards and has it",
        "ru": "Позже спросили {gateway}: сообщение принято",
    },
    "resolved_by_report": {
        "en": "{gateway} reported on it afterwards, so it has it",
        "ru": "{gateway} прислал отчёт о сообщении, значит, оно принято",
    },
    "never_arrived": {
        "en": "{gateway} has no trace of it a quarter of an hour later; it never arrived there and is not sent again",
        "ru": "Спустя четверть часа у {gateway} нет его следов; оно туда не дошло, и второй раз не отправляем",
    },
    "not_taken": {
        "en": "{gateway} did not take it after all, and the journey has gone on; it is not sent any more",
        "ru": "{gateway} всё-таки не принял сообщение, а путь уже пошёл дальше; больше не отправляем",
    },
    # how far an accepted send came
    "delivered": {"en": "Delivered to the phone", "ru": "Доставлено на телефон"},
    "read": {"en": "Read", "ru": "Прочитано"},
    "undelivered": {
        "en": "{gateway} could not deliver it ({code})",
        "ru": "{gateway} не смог доставить ({code})",
    },
    "bounced": {
        "en": "It came back: nobody can be reached at this address ({code}); nothing more is sent to it",
        "ru": "Письмо вернулось: по этому адресу никого нет ({code}); на него больше не пишем",
    },
    "came_back": {
        "en": "It came back undelivered ({code}); the address stays in use",
        "ru": "Письмо вернулось ({code}); адрес остаётся в силе",
    },
    "complained": {
        "en": "The customer called it spam; no more email goes to them",
        "ru": "Клиент пометил его как спам; писем по почте больше не будет",
    },
    "delivery_unknown": {
        "en": "{gateway} never said whether it was delivered",
        "ru": "{gateway} так и не сообщил, доставлено ли",
    },
    "render_failed": {"en": "The text could not be made: {problem}", "ru": "Не удалось составить текст: {problem}"},
    "withdrawn": {"en": "Withdrawn: the journey ended ({how})", "ru": "Отозвано: путь закончился ({how})"},
    "holdout": {
        "en": "The customer is in the control group, which gets nothing of value and no offers",
        "ru": "Клиент в контрольной группе: она не получает ни полезного, ни предложений",
    },
    "variant": {
        "en": "Takes part in the experiment {experiment}: {variant}",
        "ru": "Участвует в эксперименте {experiment}: {variant}",
    },
    # entering and leaving
    "enrolled": {"en": "Entered {journey}: {cause}", "ru": "Начал путь {journey}: {cause}"},
    "already_walking": {
        "en": "Not entered {journey}: already walking it since {since}",
        "ru": "Путь {journey} не начат: уже идёт с {since}",
    },
    "walked_before": {
        "en": "Not entered {journey}: walked it before, and it is walked {how_often}",
        "ru": "Путь {journey} не начат: уже пройден, повтор: {how_often}",
    },
    "old_news": {
        "en": "Not entered {journey}: “{event}” happened {age} before we heard of it; old news starts nothing",
        "ru": "Путь {journey} не начат: о событии «{event}» узнали через {age}; старые новости ничего не начинают",
    },
    "opted_out_of_all": {
        "en": "Not entered {journey}: the customer opted out of everything on {at}",
        "ru": "Путь {journey} не начат: клиент отказался от всего {at}",
    },
    "journey_erased": {
        "en": "Not entered {journey}: the customer was erased",
        "ru": "Путь {journey} не начат: данные клиента удалены",
    },
    "no_about": {
        "en": "Not entered {journey}: it is about a {about}, and “{event}” names none",
        "ru": "Путь {journey} не начат: он о чём-то одном ({about}), а событие «{event}» этого не называет",
    },
    "no_channel": {
        "en": "Not entered {journey}: none of its messages may reach the customer by any channel",
        "ru": "Путь {journey} не начат: ни одно из его сообщений нельзя отправить клиенту ни по одному каналу",
    },
    "bulk_failed": {"en": "Not entered {journey}: {problem}", "ru": "Путь {journey} не начат: {problem}"},
    "converted": {"en": "Reached the goal: {event}", "ru": "Цель достигнута: {event}"},
    "exited": {"en": "Ended early: {event}", "ru": "Закончен раньше: {event}"},
    "lapsed": {"en": "Walked to the end without reaching the goal", "ru": "Пройден до конца, цель не достигнута"},
    "left_opted_out": {"en": "Left: the customer opted out", "ru": "Прерван: клиент отказался от сообщений"},
    "left_erased": {"en": "Left: the customer was erased", "ru": "Прерван: данные клиента удалены"},
    "left_merged": {
        "en": "Left: two profiles of the customer were joined, and the other one walks it already",
        "ru": "Прерван: два профиля клиента объединены, и по второму этот путь уже идёт",
    },
    "merged": {
        "en": "Asked again: two profiles of the customer were joined, and their touches count together",
        "ru": "Спросим ещё раз: два профиля клиента объединены, и касания считаются вместе",
    },
    "stopped": {"en": "Stopped by {actor}: {reason}", "ru": "Остановлен ({actor}): {reason}"},
    "stopped_by_operator": {"en": "Stopped by an operator", "ru": "Остановлен оператором"},
    "restarted_by_operator": {"en": "Restarted by an operator", "ru": "Перезапущен оператором"},
    "not_restarted": {
        "en": "Restarted by an operator and stopped again: {why}",
        "ru": "Перезапущен оператором и снова остановлен: {why}",
    },
    "failed": {"en": "Failed: {problem}", "ru": "Сбой: {problem}"},
    "pause": {"en": "Paused by {actor}", "ru": "Пауза ({actor})"},
    "resume": {"en": "Resumed by {actor}", "ru": "Продолжено ({actor})"},
    "stale_opt_out": {
        "en": "This opt-out is older than the customer's later yes, so it changes nothing",
        "ru": "Этот отказ старше более позднего согласия и ничего не меняет",
    },
    "quarantined": {"en": "Could not be read: {problem}", "ru": "Не удалось прочитать: {problem}"},
    "task_created": {"en": "Task for a person: {title}", "ru": "Задача для сотрудника: {title}"},
    "staff_told": {"en": "The staff were told: {title}", "ru": "Сотрудникам сообщено: {title}"},
    "crm_updated": {"en": "The CRM is told {what}", "ru": "В CRM передано: {what}"},
}
