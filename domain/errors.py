"""What can go wrong, named for what happened.

TropaError
├── InvalidInput            the caller's data breaks a rule; `problems` says which, where
├── NotFound                no customer, journey, enrollment or message of that name
├── Conflict                true now, so this cannot be done: the reason says why
│   └── EnrollmentRefused   the re-entry rule, a consent or an erasure stands against it
├── Unavailable             something this needs is down; the same call may work later
├── InvalidDeclaration      a journey or a message is written wrongly (at load, for its author)
└── Misconfigured           the installation's settings do not fit together (at start)
"""

from collections.abc import Sequence


class TropaError(Exception):
    """Base of every error that Tropa raises on purpose."""


class InvalidInput(TropaError):
    """Data that breaks a rule. `problems` are sentences, each naming its field."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class NotFound(TropaError):
    """Nothing of that kind and name exists."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name!r}.")
        self.kind, self.name = kind, name


class Conflict(TropaError):
    """The state of things stands against the request."""


class EnrollmentRefused(Conflict):
    """A customer may not enter a journey now. `rule` is the decision's rule, `reason` its sentence."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


class Unavailable(TropaError):
    """Something outside does not answer. Nothing was done; try again later."""


class InvalidDeclaration(TropaError):
    """A journey class or message folder is written wrongly. Raised when it loads."""


class Misconfigured(TropaError):
    """Settings that do not fit together, or that production refuses."""
