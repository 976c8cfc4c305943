"""Which segments there are: those that come with Tropa, and what this installation set in their place or besides."""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import engagement, segments
from domain.clock import Clock
from domain.errors import Conflict, InvalidInput, NotFound
from domain.segment_rules import read_rule
from domain.segments import NAME, Rule, Segment, asks_for_engagement, named_in, resolved
from services import audit
from services.audit import Actor


@dataclass(frozen=True, kw_only=True)
class SegmentNow:
    """A segment as it is in force. Version 0 comes with Tropa, and nobody set it."""

    segment: Segment
    shipped: bool
    version: int = 0
    at: datetime | None = None
    actor: str = ""

    @property
    def own(self) -> bool:
        """Whether this installation wrote it."""
        return self.version > 0


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A segment's rule with those of the segments that it names, and a digest that changes with any of them, and with
    the scale of engagement where that is asked for."""

    rule: Rule
    digest: str


class Known:
    """All segments at one moment, and the scale of engagement that they are found by."""

    def __init__(self, now: Mapping[str, SegmentNow], scale: float) -> None:
        self.now, self.scale = now, scale
        self._rules: dict[str, Rule] = {}

    def __getitem__(self, name: str) -> SegmentNow:
        if name not in self.now:
            raise NotFound("segment", name)
        return self.now[name]

    def resolve(self, rule: object) -> Rule:
        """A rule that is nobody's yet, from JSON. Raises InvalidInput."""
        return resolved("it", read_rule(rule, known=self.now), self._rule)

    def whole(self, name: str) -> Whole:
        """Raises NotFound, or InvalidInput for a stored rule that cannot be read any more."""
        rule = self._rule(name)
        if rule is None:
            raise NotFound("segment", name)
        rule = resolved(name, rule, self._rule)
        digest = hashlib.sha256()
        for part in sorted({name, *self._inside(name)}):
            digest.update(msgspec.json.encode([part, self[part].segment.rule], order="sorted"))
        if asks_for_engagement(rule):  # by another scale it is another rule: whoever it moves is moved silently
            digest.update(msgspec.json.encode(self.scale))
        return Whole(rule=rule, digest=digest.hexdigest())

    def naming(self, name: str) -> list[str]:
        """The segments that name one, by way of others too."""
        return sorted(other for other in self.now if other != name and name in self._inside(other))

    def _rule(self, name: str) -> Rule | None:
        if name in self.now and name not in self._rules:
            try:
                self._rules[name] = read_rule(self.now[name].segment.rule)
            except InvalidInput as error:
                problems = [f"the segment {name} cannot be read any more: {problem}" for problem in error.problems]
                raise InvalidInput(problems) from None
        return self._rules.get(name)

    def _inside(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            with contextlib.suppress(InvalidInput):  # one that cannot be read names nobody
                rule = self._rule(waiting.pop())
                new = set(named_in(rule)) - found if rule else set()
                found |= new
                waiting += new
        return found


class SegmentCatalogue:
    """Reads and sets segments in the caller's transaction."""

    def __init__(self, clock: Clock, shipped: Mapping[str, Segment]) -> None:
        self._clock, self._shipped = clock, shipped

    async def known(self, connection: AsyncConnection) -> Known:
        """All that are in force."""
        now = {name: SegmentNow(segment=segment, shipped=True) for name, segment in self._shipped.items()}
        for row in await segments.newest(connection):
            name = row["name"]
            if row["rule"] is not None:
                own = Segment(name=name, label=row["label"], description=row["description"], rule=row["rule"])
                now[name] = SegmentNow(
                    segment=own,
                    shipped=name in self._shipped,
                    version=row["version"],
                    at=row["at"],
                    actor=row["actor"],
                )
        return Known(now, await engagement.scale(connection))

    async def set(
        self, connection: AsyncConnection, segment: Segment, *, actor: Actor, over: int | None = None
    ) -> Known:
        """Put a segment in force. `over` is the version its author saw. Answers all as they are then.

        Raises InvalidInput, and Conflict when somebody set another version meanwhile.
        """
        name = segment.name
        if not NAME.fullmatch(name):
            raise InvalidInput(["name: must be lower case letters, digits and underscores, such as quiet_vips"])
        known = await self._locked(connection)
        before = known.now.get(name)
        version = before.version if before else 0
        if over is not None and over != version:
            raise Conflict(f"The segment {name} was changed meanwhile: version {version} is in force, not {over}.")
        read_rule(segment.rule, known={*known.now, name})
        if before and before.own and before.segment == segment:
            return known
        now = {**known.now, name: SegmentNow(segment=segment, shipped=name in self._shipped)}
        after = Known(now, known.scale)
        _check(after, name)
        await self._write(connection, segment, actor)
        await audit.write(
            connection,
            actor,
            "segment.set",
            kind="segment",
            subject=name,
            before=_told(before),
            after=_told(after[name]),
        )
        return await self.known(connection)

    async def delete(
        self, connection: AsyncConnection, name: str, *, needed_by: Mapping[str, str], actor: Actor
    ) -> None:
        """Take an installation's own segment out of force; where Tropa ships one of that name, it holds again.

        `needed_by` are segments that something else needs, and what. Raises NotFound, and Conflict saying why not.
        """
        known = await self._locked(connection)
        now = known[name]
        if not now.own:
            raise Conflict(f"The segment {name} comes with Tropa and cannot be deleted. You need not use it.")
        if not now.shipped:
            if name in needed_by:
                raise Conflict(f"The segment {name} is needed by {needed_by[name]}.")
            if others := known.naming(name):
                raise Conflict(f"The segment {name} is named by others: {', '.join(others)}. Change those first.")
        else:
            again = SegmentNow(segment=self._shipped[name], shipped=True)
            _check(Known({**known.now, name: again}, known.scale), name)
        gone = Segment(name=name, label=now.segment.label, description=now.segment.description, rule=None)
        await self._write(connection, gone, actor)
        await audit.write(connection, actor, "segment.deleted", kind="segment", subject=name, before=_told(now))

    async def _locked(self, connection: AsyncConnection) -> Known:
        """One change at a time: each sees what the last one wrote."""
        await connection.execute(text("LOCK TABLE segments IN SHARE ROW EXCLUSIVE MODE"))
        return await self.known(connection)

    async def _write(self, connection: AsyncConnection, segment: Segment, actor: Actor) -> None:
        row = {"name": segment.name, "at": self._clock.now(), "actor": actor.name, "label": segment.label}
        await segments.insert(connection, {**row, "description": segment.description, "rule": segment.rule})


def _check(known: Known, name: str) -> None:
    """Whether a segment and those that name it still work. Raises InvalidInput, or Conflict for one of the others."""
    known.whole(name)
    for other in known.naming(name):
        try:
            known.whole(other)
        except InvalidInput as error:
            raise Conflict(f"The segment {other} names {name}, and would not work any more: {error}") from None


def _told(now: SegmentNow | None) -> Mapping[str, object] | None:
    if now is None:
        return None
    segment = now.segment
    return {"label": segment.label, "description": segment.description, "rule": segment.rule}
