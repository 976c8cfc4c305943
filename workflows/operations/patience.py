"""How long an operation that looks at everybody may take, and when it is tried again."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class Patience(TypedDict):
    """What its one activity is called with."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


EVERYBODY: Patience = {
    "start_to_close_timeout": timedelta(hours=2),
    "schedule_to_close_timeout": timedelta(hours=20),  # the next one does all that this one would have done
    "heartbeat_timeout": timedelta(minutes=1),  # its worker is gone
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}
