"""What authors of journeys import, and nothing else."""

from domain.contact_policy import Kind
from domain.customers import Audience, CustomerFacts
from domain.durations import days, hours, minutes
from domain.events import HeardEvent
from domain.journeys import Enrollment, Outcome, Plan, Reentry
from domain.local_time import Weekday
from domain.options import Between, Id
from domain.sends import Reaction, SendState
from domain.tasks import TaskOutcome
from domain.triggers import On, at_least, at_most, entering_segment, entering_stage, leaving_segment, near_date
from workflows.toolkit.journey import Journey

__all__ = [
    "Audience",
    "Between",
    "CustomerFacts",
    "Enrollment",
    "HeardEvent",
    "Id",
    "Journey",
    "Kind",
    "On",
    "Outcome",
    "Plan",
    "Reaction",
    "Reentry",
    "SendState",
    "TaskOutcome",
    "Weekday",
    "at_least",
    "at_most",
    "days",
    "entering_segment",
    "entering_stage",
    "hours",
    "leaving_segment",
    "minutes",
    "near_date",
]
