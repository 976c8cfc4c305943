"""What we tell other systems by webhooks: a short list of names, each a promise."""

ANNOUNCED: dict[str, str] = {
    "message.sent": "A provider took a message.",
    "message.refused": "A message was not sent, and why.",
    "journey.converted": "A customer reached a journey's goal.",
    "customer.opted_out": "A customer said no to a channel, or to all.",
    "task.created": "A person must act.",
    "task.escalated": "A task was overdue and went to whom it goes then.",
    "task.closed": "A task ended, and how.",
    "staff.told": "A journey told the staff something.",
    "crm.updated": "A journey said what the CRM should know: stage, outcome, task.",
}
TEST = "webhook.test"
OPTED_OUT = "customer.opted_out"
TASK_CREATED = "task.created"
TASK_ESCALATED = "task.escalated"
TASK_CLOSED = "task.closed"
STAFF_TOLD = "staff.told"
CRM_UPDATED = "crm.updated"


def announcement(state: str, rule: str) -> str | None:
    """What a decision is told as, if it is."""
    match state, rule:
        case "accepted", _:
            return "message.sent"
        case "refused", _:
            return "message.refused"
        case "ended", "converted":
            return "journey.converted"
    return None
