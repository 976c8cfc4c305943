"""What an answer to a text means, where one word is meant for us: stop, start again, help. The rest is for people."""

import unicodedata
from enum import StrEnum


class Reply(StrEnum):
    """What the writer wants of us."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


# English: the words by which Twilio itself blocks and unblocks a number, so that we never know less than it does; but
# not its YES, which may answer any question and is no consent. Kazakh also as phones without its letters write it.
WORDS: dict[Reply, tuple[str, ...]] = {
    Reply.STOP: (
        *(
            "stop",
            "stopall",
            "stop all",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "optout",
            "opt-out",
            "opt out",
        ),
        *("стоп", "отписаться", "отписка", "отпишите", "отменить", "не пишите"),
        *("тоқта", "тоқтат", "тоқтату", "токта", "токтат", "токтату", "бас тарту", "жазылымнан бас тарту"),
    ),
    Reply.START: ("start", "unstop", "старт", "подписаться", "возобновить", "баста", "бастау", "жазылу"),
    Reply.HELP: ("help", "info", "помощь", "справка", "инфо", "көмек", "комек", "анықтама"),
}


def meaning(text: str) -> Reply:
    """What a whole message means. A word within a sentence means nothing by itself: "don't stop" is no STOP."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").split())
    while folded and not (folded[0].isalnum() and folded[-1].isalnum()):
        folded = folded[1:] if not folded[0].isalnum() else folded[:-1]
    return next((reply for reply, words in WORDS.items() if folded in words), Reply.OTHER)
