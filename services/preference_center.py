"""The customer's own page: what they chose, and what they change there (S91, S97). A page left open may be old."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers
from adapters.database.connection import Database
from adapters.surrogates import Surrogates
from adapters.zones import zone_of
from domain.clock import Clock
from domain.contact_policy import ContactPolicy
from domain.customers import EVERY_CHANNEL, SNOOZE, ConsentStatus, Frequency
from domain.errors import NotFound
from domain.messages import Channel, Purpose
from services.addresses import addresses_of, on_the_site
from services.customers import Customers
from services.policies import Policies
from services.preferences import Choice, Chosen, Preferences

SOURCE, PAGE = "preference center", "/f/"
WAY_BACK, UNSUBSCRIBE_PAGE = "unsubscribe page", "/u/"


@dataclass(frozen=True, kw_only=True)
class Picked:
    """The controls of the page: as a customer saw them, as they left them, or as they would stand now."""

    frequency: Frequency | None
    topics: frozenset[str]
    channels: frozenset[Channel]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What holds for a customer (our id). `offered` are the channels on which they can be reached at all."""

    customer: str
    locale: str | None
    zone: str
    snoozed_until: datetime | None
    offered: tuple[Channel, ...]
    picked: Picked


class Press(StrEnum):
    """Which button it was."""

    SAVE = "save"
    PAUSE = "pause"
    WAKE = "wake"
    STOP = "stop"


class PreferenceCenter:
    """Shows and sets choices for the customer themselves, on the `channels` that there are here.

    `zone` is for customers whose own is unknown. What holds already is not set again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        known: Customers,
        preferences: Preferences,
        policies: Policies,
        surrogates: Surrogates,
        channels: Collection[Channel],
        zone: str,
    ) -> None:
        self._database, self._clock, self._customers, self._preferences = database, clock, known, preferences
        self._policies, self._surrogates, self._channels, self._zone = policies, surrogates, channels, zone

    async def read(self, customer: str) -> Standing:
        """What holds now. Changes nothing. Raises NotFound for one who is gone."""
        async with self._database.transaction() as connection:
            row = await _here(connection, customer)
            return await self._standing(connection, row, await self._preferences.of(connection, row["id"]))

    async def press(self, customer: str, press: Press, *, shown: Picked, picked: Picked, wording: str) -> Standing:
        """Put in force what a button says, with what differs between `shown` and `picked`.

        The rest stays, whatever the page showed: in another tab they may have chosen since. Raises NotFound.
        """
        async with self._database.transaction() as connection:
            row = await self._locked(connection, customer)
            chosen = await self._preferences.of(connection, row["id"])
            now = await self._standing(connection, row, chosen)
            choice = _difference(shown, picked, now, chosen) if press is not Press.STOP else Choice()
            if press is Press.STOP and not await _stopped(connection, row["id"], chosen):
                choice = Choice(everything=False)
            elif press is Press.PAUSE:
                choice = replace(choice, settings={**choice.settings, **self._pause(chosen)})
            elif press is Press.WAKE and chosen.snoozed_until:
                choice = replace(choice, settings={**choice.settings, "snoozed_until": None})
            standing = await self._choose(connection, row, choice, source=SOURCE, wording=wording, proof=PAGE)
        self._database.wake()
        return standing

    async def come_back(
        self, customer: str, channel: Channel, *, frequency: Frequency | None = None, pause: bool = False, wording: str
    ) -> Standing:
        """The yes of somebody who had left a channel, perhaps for less or for later (S98). Raises NotFound."""
        async with self._database.transaction() as connection:
            row = await self._locked(connection, customer)
            chosen = await self._preferences.of(connection, row["id"])
            settings: dict[str, Any] = {"frequency": frequency} if frequency else {}
            choice = Choice(
                settings={**settings, **(self._pause(chosen) if pause else {})},
                channels={} if chosen.channels[channel] else {channel: True},
            )
            standing = await self._choose(
                connection, row, choice, source=WAY_BACK, wording=wording, proof=UNSUBSCRIBE_PAGE
            )
        self._database.wake()
        return standing

    async def _choose(
        self, connection: AsyncConnection, row: RowMapping, choice: Choice, *, source: str, wording: str, proof: str
    ) -> Standing:
        customer = row["id"]
        if choice == Choice():
            return await self._standing(connection, row, await self._preferences.of(connection, customer))
        chosen = await self._preferences.choose(
            connection, customer, choice, source=source, wording=wording, proof=proof
        )
        return await self._standing(connection, row, chosen)

    async def _locked(self, connection: AsyncConnection, customer: str) -> RowMapping:
        await _here(connection, customer)
        return await self._customers.locked(connection, customer)

    def _pause(self, chosen: Chosen) -> dict[str, datetime]:
        """Nothing for one who is paused: a page sent twice does not make it longer."""
        return {} if chosen.snoozed_until else {"snoozed_until": self._clock.now() + SNOOZE}

    async def _standing(self, connection: AsyncConnection, row: RowMapping, chosen: Chosen) -> Standing:
        known = {**await addresses_of(connection, row), Channel.IN_APP: on_the_site(row["id"])}
        keys = {c.value: self._surrogates.address(c.value, found[0].address) for c, found in known.items()}
        dead = await customers.suppressed(connection, row["id"], keys)
        policy = await self._policies.in_force(connection)
        used = _beside_transactional(policy).intersection(self._channels)
        offered = tuple(channel for channel in Channel if channel in known and channel not in dead and channel in used)
        asked = policy.explicit_consent
        words = {c: c not in asked if word is None else word for c, word in chosen.channels.items()}
        return Standing(
            customer=row["id"],
            locale=row["locale"],
            zone=zone_of(row, self._zone),
            snoozed_until=chosen.snoozed_until,
            offered=offered,
            picked=Picked(
                frequency=chosen.frequency,
                topics=frozenset(topic for topic, wanted in chosen.topics.items() if wanted),
                channels=frozenset(channel for channel in offered if words[channel]),
            ),
        )


async def _here(connection: AsyncConnection, customer: str) -> RowMapping:
    row = await customers.find(connection, customer)
    if row is None or row["erased_at"]:
        raise NotFound("customer", customer)
    return row


def _beside_transactional(policy: ContactPolicy) -> frozenset[Channel]:
    """The channels on which there is something to choose: what nobody can refuse is not."""
    return frozenset().union(*(used for purpose, used in policy.channels.items() if purpose != Purpose.TRANSACTIONAL))


def _difference(shown: Picked, picked: Picked, now: Standing, chosen: Chosen) -> Choice:
    """What a customer changed on the page and does not hold yet. A yes needs a channel that can be used."""
    settings: dict[str, Any] = {}
    if picked.frequency not in (shown.frequency, now.picked.frequency):
        settings["frequency"] = picked.frequency
    topics = (picked.topics ^ shown.topics) & (picked.topics ^ now.picked.topics)
    yes = (picked.channels - shown.channels - now.picked.channels) & set(now.offered)
    no = {channel for channel in shown.channels - picked.channels if chosen.channels[channel] is not False}
    return Choice(
        settings=settings,
        topics={topic: topic in picked.topics for topic in topics},
        channels=dict.fromkeys(yes, True) | dict.fromkeys(no, False),
    )


async def _stopped(connection: AsyncConnection, customer: str, chosen: Chosen) -> bool:
    """Whether a no to everything is in force already."""
    word = (await customers.consents_of(connection, customer)).get(EVERY_CHANNEL)
    denied = word is not None and word.status is ConsentStatus.DENIED
    return denied and not any(chosen.channels.values())
