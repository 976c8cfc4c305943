"""The contact policy as an installation has set it: read under each send, changed by people, versioned."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import policies
from domain.clock import Clock
from domain.contact_policy import ContactPolicy
from domain.errors import Conflict
from services import audit
from services.audit import Actor


@dataclass(frozen=True, kw_only=True)
class PolicyNow:
    """The policy in force. Version 0 are the defaults, which nobody set."""

    policy: ContactPolicy
    version: int = 0
    at: datetime | None = None
    actor: str = ""


class Policies:
    """Reads and sets the contact policy in the caller's transaction."""

    def __init__(self, clock: Clock, defaults: ContactPolicy | None = None) -> None:
        self._clock, self._defaults = clock, defaults or ContactPolicy()

    async def in_force(self, connection: AsyncConnection) -> ContactPolicy:
        """What binds the next send."""
        return (await self.now(connection)).policy

    def of(self, stored: str | None) -> ContactPolicy:
        """What a stored policy says; None is the defaults, which nobody set."""
        return policies.read(stored) if stored else self._defaults

    async def now(self, connection: AsyncConnection) -> PolicyNow:
        """The policy in force, and who set it when."""
        row = await policies.newest(connection)
        if row is None:
            return PolicyNow(policy=self._defaults)
        return PolicyNow(policy=self.of(row["policy"]), version=row["version"], at=row["at"], actor=row["actor"])

    async def set(
        self, connection: AsyncConnection, policy: ContactPolicy, *, actor: Actor, over: int | None = None
    ) -> PolicyNow:
        """Put a policy in force. `over` is the version its author saw. Raises Conflict when there is a newer one."""
        await policies.lock(connection)
        before = await self.now(connection)
        if over is not None and over != before.version:
            raise Conflict(
                f"The contact policy was changed meanwhile: version {before.version} is in force, not {over}."
            )
        if before.policy == policy and before.version:
            return before
        at = self._clock.now()
        version = await policies.insert(connection, policy, actor=actor.name, at=at)
        await audit.write(
            connection,
            actor,
            "contact_policy.set",
            kind="contact_policy",
            subject=str(version),
            before={"version": before.version, "policy": before.policy},
            after={"version": version, "policy": policy},
        )
        return replace(before, policy=policy, version=version, at=at, actor=actor.name)
