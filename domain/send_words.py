"""What became of a message, in words: for timelines and, in English, for the operator who looks at a walk."""

from domain.sends import SendResult, SendState

STATES: dict[str, dict[str, str]] = {
    "deferred": {"en": "waits", "ru": "ждёт"},
    "held": {"en": "is held", "ru": "задержано"},
    "reserved": {"en": "is about to go", "ru": "готово к отправке"},
    "refused": {"en": "was not sent", "ru": "не отправлено"},
    "expired": {"en": "was not sent: too late", "ru": "не отправлено: слишком поздно"},
    "failed": {"en": "was not sent", "ru": "не отправлено"},
    "unknown": {"en": "may have arrived", "ru": "возможно, дошло"},
    "holdout": {"en": "was left out", "ru": "не отправлено"},
}
"""Said between a message's name and the reason, where the reason alone would not tell."""

_PLAIN = {SendState.ACCEPTED: "sent", SendState.WITHDRAWN: "not sent: the walk has ended"}


def named(message: str) -> str:
    """A message as people read it."""
    return f"“{message.replace('_', ' ')}”"


def result_words(message: str, result: SendResult) -> str:
    """What an operator reads of a send, without its hour."""
    state = _PLAIN.get(result.state) or STATES.get(result.state, {"en": result.state.value})["en"]
    by = f" by {result.channel.replace('_', ' ')}" if result.channel and result.state is SendState.ACCEPTED else ""
    reasoned = result.rule and result.state in (SendState.DEFERRED, SendState.HELD, SendState.REFUSED, SendState.FAILED)
    return f"{named(message)} {state}{by}" + (f": {result.rule.replace('_', ' ')}" if reasoned else "")
