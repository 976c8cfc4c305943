"""Double opt-in: what waits until the owner of an address says, from the mailbox, that it was they (S13, S47, S91)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.customers import Frequency

OPT_IN = "double opt-in"  # the source of what is told once the mailbox has said it


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One thing that was asked for in somebody's name: letters, or with `gift` what a form gives.

    Asked for again and again, it is still one: `id` and `at` are of the first time. `wording` is what was ticked,
    `proof` where it can be seen, `form` the form's name if it came by one of ours. `visitor` is the browser that sent
    it; none if there were several, for one of them may be a stranger's.
    """

    id: str
    at: datetime
    source: str
    gift: bool
    form: str = ""
    wording: str = ""
    proof: str = ""
    topic: str = ""
    frequency: Frequency | None = None
    visitor: str | None = None

    @property
    def key(self) -> str:
        """What a page calls it. It says all that a press agrees to, so nothing is confirmed that was not shown."""
        return "/".join((self.id, "gift" if self.gift else "letters", self.frequency or ""))

    @property
    def told(self) -> str:
        """When and where it was asked, for the record."""
        behind = f" ({self.proof})" if self.proof else ""
        return f"asked {self.at:%Y-%m-%dT%H:%M:%SZ} by {self.source}{behind}"


def strictest(chosen: Iterable[Frequency]) -> Frequency | None:
    """The rarest of what was chosen, by whomever: the strictest word counts."""
    return max(chosen, key=list(Frequency).index, default=None)
