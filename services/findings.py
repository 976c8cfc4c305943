"""What a doctor says: what is wrong, how bad that is, and the next step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    """How bad."""

    LOOK = "look"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something to look at: what, how many, how old the oldest is, in words, and the next step."""

    name: str
    severity: Severity
    count: int = 1
    oldest: timedelta | None = None
    words: str
    advice: str

    @classmethod
    def broken(cls, name: str, words: str, advice: str) -> "Finding":
        """Something that does not work."""
        return cls(name=name, severity=Severity.BROKEN, words=words, advice=advice)

    @classmethod
    def look(cls, name: str, words: str, advice: str, *, count: int = 1) -> "Finding":
        """Something that works, and should not stay as it is."""
        return cls(name=name, severity=Severity.LOOK, count=count, words=words, advice=advice)

    def dated(self, oldest: timedelta | None) -> "Finding":
        """The same, since when."""
        return replace(self, oldest=oldest)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All findings, the worst first. `temporal` is ok, down, or not asked: nobody here knows where it is."""

    findings: Sequence[Finding]
    temporal: str = "not asked"

    @property
    def verdict(self) -> str:
        """`well`, `look` or `broken`."""
        return self.findings[0].severity.value if self.findings else "well"

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""
        return ("well", "look", "broken").index(self.verdict)
