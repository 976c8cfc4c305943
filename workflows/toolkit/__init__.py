"""What authors of journeys import, and nothing else."""

from domain.contact_policy import Kind
from domain.durations import days, hours, minutes
from domain.events import HeardEvent
from domain.journeys import Enrollment, Outcome, Plan, Reentry
from domain.options import Between, Id
from domain.sends import SendState
from workflows.toolkit.journey import Journey

__all__ = [
    "Between",
    "Enrollment",
    "HeardEvent",
    "Id",
    "Journey",
    "Kind",
    "Outcome",
    "Plan",
    "Reentry",
    "SendState",
    "days",
    "hours",
    "minutes",
]
