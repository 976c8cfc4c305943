"""What a rehearsal does not model, refused by name, and when an activity is tried again."""

from typing import Any

from temporalio.exceptions import ApplicationError

from domain.errors import TropaError

SECOND = 1_000_000_000  # nanoseconds, in which Temporal counts
TRY_CANCEL = 0
UNTIMED = ("schedule_to_close_timeout", "schedule_to_start_timeout")
ANEW = ("workflow_run_timeout", "workflow_task_timeout", "retry_policy")


class CannotRehearse(TropaError):
    """A workflow asks for something that the rehearsal does not model: only a Temporal server can show it."""

    def __init__(self, workflow: str, what: str) -> None:
        super().__init__(
            f"{workflow} cannot be rehearsed: {what} is not modelled here. Test it on Temporal's test server."
        )


class WalkBroke(TropaError):
    """A workflow's code, or an activity that it waits for, fails for good; on a server it would stand still."""

    def __init__(self, workflow: str, run: str, what: str) -> None:
        super().__init__(f"{workflow} ({run}) cannot go on: {what}")


def check_activity(workflow: str, call: Any) -> None:
    """Refuse an activity whose timeouts could end it. `start_to_close` and `heartbeat` cannot: here it takes no time.
    Raises CannotRehearse."""
    for name in UNTIMED:
        if getattr(call, name).ToNanoseconds():
            raise CannotRehearse(workflow, f"{name} of the activity {call.activity_type}")


def check_cancelling(workflow: str, call: Any) -> None:
    """Refuse to cancel an activity in another way than TRY_CANCEL. Raises CannotRehearse."""
    if call.cancellation_type != TRY_CANCEL:
        raise CannotRehearse(workflow, f"cancelling the activity {call.activity_type} other than by TRY_CANCEL")


def check_anew(workflow: str, command: Any) -> None:
    """Refuse timeouts and retries of what continues as new. Raises CannotRehearse."""
    for name in ANEW:
        if command.HasField(name):
            raise CannotRehearse(workflow, f"continuing as new with {name}")


def retry_in(policy: Any, error: Exception, attempt: int) -> int | None:
    """Nanoseconds until an activity's next attempt by its retry policy, None when there is none: the server's rules."""
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return None
    named = error if isinstance(error, ApplicationError) else ApplicationError("", type=type(error).__name__)
    if named.non_retryable or named.type in policy.non_retryable_error_types:
        return None
    if named.next_retry_delay:
        return round(named.next_retry_delay.total_seconds() * SECOND)
    first = policy.initial_interval.ToNanoseconds() or SECOND
    longest = policy.maximum_interval.ToNanoseconds() or 100 * first
    return int(min(first * (policy.backoff_coefficient or 2.0) ** min(attempt - 1, 64), longest))
