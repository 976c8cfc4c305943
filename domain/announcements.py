"""What we tell other systems by webhooks: a short list of names, each a promise."""

ANNOUNCED: dict[str, str] = {
    "message.sent": "A provider took a message.",
    "message.refused": "A message was not sent, and why.",
    "journey.converted": "A customer reached a journey's goal.",
    "customer.opted_out": "A customer said no to a channel, or to all.",
    "task.created": "A person must act.",
}
TEST = "webhook.test"
OPTED_OUT = "customer.opted_out"


def announcement(state: str, rule: str) -> str | None:
    """What a decision is told as, if it is."""
    match state, rule:
        case "accepted", _:
            return "message.sent"
        case "refused", _:
            return "message.refused"
        case "ended", "converted":
            return "journey.converted"
        case "task", _:
            return "task.created"
    return None
