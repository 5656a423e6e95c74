"""Recording arrivals: one way in for the form, the API, batches and lists."""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from services.intake import policy
from services.intake.actions.telling import Telling
from services.intake.domain import people
from services.intake.domain.arrivals import Arrival, Channel, screened
from services.intake.domain.companions import Unfit
from services.intake.domain.households import Companion
from services.intake.domain.refusals.arrivals import (
    ArrivalInFuture,
    ArrivalLongAgo,
    CaseIdTaken,
    RecordedAndErased,
    RecordedDifferently,
)
from services.intake.domain.refusals.voyages import PortUnknown, VoyageUnknown
from services.intake.store import arrivals as store
from services.intake.store import vault as vaults
from services.intake.store import voyages
from services.intake.store.vault import Vault
from shared.contracts import codes
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.kit import telemetry
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.database import TRANSIENT, Database
from shared.kit.ids import new_id
from shared.kit.lane import Lane
from shared.kit.refusal import Refusal

CLOCKS_DIFFER = timedelta(minutes=2)
"""Tablets and servers do not agree to the second; within this an arrival "in the future" is taken as now."""
ENTERED_WITHIN = timedelta(days=366)
"""What was written by hand is entered later, but help to settle again ends a year after landing (Perban 6/2023)."""
KNOWN_VOYAGES = 1000
ERASED = b""
"""What is kept of the content of an arrival whose person was erased."""


class Submitted(NamedTuple):
    """One arrival as it was sent. `scope` and `key` make it repeatable, `on` is the day of landing."""

    arrival: Arrival
    scope: str
    key: bytes
    port: codes.Port
    channel: Channel
    arrived_at: datetime
    voyage_id: str | None = None
    manifest_id: str | None = None
    manifest_row: int | None = None
    case_id: str | None = None
    """Made by who sends it, so that a slip can have its code at once; None: made here."""
    unfinished: bool = False
    """Logged in a hurry: who it is has to be completed."""
    on: date | None = None
    """None: the day of `arrived_at` at the port."""
    told_on: date | None = None
    """The day that an age is told for; None: the day of landing."""
    household_id: str | None = None
    companion: Companion | None = None
    claimed: bool = False
    """Said to be accompanied without anybody being named: told apart from what was not, and of no other effect."""

    @property
    def day(self) -> date:
        return self.on or day_at(self.port, self.arrived_at)


class Recorded(NamedTuple):
    """What became of one arrival. `new` is False when the same key had recorded it before.

    `unfit`: why whoever was named as answering for a child does not.
    """

    case_id: str
    age_band: str
    needs: tuple[str, ...]
    new: bool
    manifest_id: str | None = None
    """For one that was known: the list that had brought it in."""
    unfit: Unfit | None = None


def seal_arrival(vault: Vault, telling: Telling, submitted: Submitted, now: datetime) -> store.NewArrival:
    """Screen an arrival, seal its identity and write down its fact: everything but the database. About 15 µs."""
    arrival = submitted.arrival
    case_id, person_id = submitted.case_id or new_id(), new_id()
    screening = screened(arrival, submitted.day, submitted.told_on)
    fields = vaults.plain(arrival.identity)
    wrapped_key, sealed = vault.seal(fields, person_id=person_id, case_id=case_id)
    return store.NewArrival(
        scope=submitted.scope,
        key=submitted.key,
        content=content_digest(vault, submitted, fields),
        case_id=case_id,
        person_id=person_id,
        voyage_id=submitted.voyage_id,
        manifest_id=submitted.manifest_id,
        manifest_row=submitted.manifest_row,
        port=submitted.port.code,
        origin_regency=arrival.origin_regency,
        sex=arrival.sex,
        age_band=screening.age_band,
        needs=" ".join(screening.needs),
        onward_wish=arrival.onward_wish,
        channel="triage" if submitted.unfinished else submitted.channel,
        arrived_at=submitted.arrived_at,
        occurred_at=now,
        sealed=sealed,
        wrapped_key=wrapped_key,
        nik_index=vault.blind_index("nik", arrival.identity.nik),
        document_index=vault.blind_index("document", arrival.identity.document_number),
        event_id=new_id(),
        type=ArrivalRecorded.type,
        traceparent=telemetry.traceparent(),
        payload=telling.payload(
            arrival,
            screening,
            case_id=case_id,
            household_id=submitted.household_id,
            voyage_id=submitted.voyage_id,
            port=submitted.port,
            channel=submitted.channel,
            arrived_at=submitted.arrived_at,
        ),
    )


async def record_arrivals(
    database: Database, arrivals: Sequence[store.NewArrival]
) -> list[Recorded | RecordedDifferently]:
    """Record arrivals whose key is new; the others answer with the case that their key had recorded.

    One statement for all that is new; a second only when a key was known. The result has one entry per arrival,
    in order: `RecordedDifferently` where the known case has other details.
    """
    if not arrivals:
        return []
    added = await store.add(database, arrivals)
    crash_point("arrivals.after_commit")
    database.written.set()
    repeated = [(a.scope, a.key) for n, a in enumerate(arrivals) if n not in added]
    known = await store.known(database, repeated) if repeated else {}
    return [
        Recorded(a.case_id, a.age_band, tuple(a.needs.split()), new=True)
        if n in added
        else answered_before(a, known[a.scope, a.key])
        for n, a in enumerate(arrivals)
    ]


class Item(NamedTuple):
    """One of a batch; `case_id`, `unfinished` and `claimed` as of `Submitted`."""

    key: str
    arrival: Arrival
    voyage_id: str | None
    arrived_at: datetime | None
    case_id: str | None = None
    unfinished: bool = False
    claimed: bool = False


class Content(Protocol):
    """Something that has the digest of what was recorded."""

    @property
    def content(self) -> bytes: ...


class Desk:
    """Where arrivals come in one by one. Those that wait at the same time are recorded together."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._lane: Lane[tuple[Actor, store.NewArrival], Recorded] = Lane(self._write, shared_trouble=TRANSIENT)
        self._voyages: set[tuple[str, str]] = set()

    async def record(
        self,
        actor: Actor,
        arrival: Arrival,
        *,
        key: str,
        voyage_id: str | None,
        arrived_at: datetime | None,
        case_id: str | None = None,
        unfinished: bool = False,
        claimed: bool = False,
    ) -> Recorded:
        """Record one person.

        Raises `NotAllowed`, `VoyageUnknown`, `ArrivalInFuture`, `ArrivalLongAgo`, `RecordedDifferently` or
        `CaseIdTaken`; for whose access ended while it waited in the lane, `Revoked` or `RevocationsUnknown`.
        """
        item = Item(key, arrival, voyage_id, arrived_at, case_id, unfinished, claimed)
        submitted = await self.submitted(actor, item, "single")
        sealed = seal_arrival(self._vault, Telling(actor), submitted, self._database.clock.now())
        try:
            return await self._lane.put((actor, sealed))
        except store.IdTaken:
            raise CaseIdTaken from None

    async def record_many(
        self, actor: Actor, items: Sequence[Item]
    ) -> list[Recorded | RecordedDifferently | ArrivalInFuture | ArrivalLongAgo | VoyageUnknown | CaseIdTaken]:
        """Record a batch of (key, arrival, voyage, when), each with a result of its own.

        Raises `NotAllowed`; for whose access ended meanwhile, `Revoked` or `RevocationsUnknown`.
        """
        port = port_of(actor)
        await self._check_voyages({item.voyage_id for item in items if item.voyage_id}, port.code, missing_ok=True)
        results: dict[
            int, Recorded | RecordedDifferently | ArrivalInFuture | ArrivalLongAgo | VoyageUnknown | CaseIdTaken
        ] = {}
        sealed: list[tuple[int, store.NewArrival]] = []
        now = self._database.clock.now()
        telling = Telling(actor)
        for n, item in enumerate(items):
            if n % 50 == 49:
                await asyncio.sleep(0)
            if item.voyage_id and (item.voyage_id, port.code) not in self._voyages:
                results[n] = VoyageUnknown()
                continue
            try:
                submitted = self._submitted(actor, item, "batch", port, now)
                sealed.append((n, seal_arrival(self._vault, telling, submitted, now)))
            except (ArrivalInFuture, ArrivalLongAgo) as refused:
                results[n] = refused
        await self._database.still_allows(actor)
        recorded = await self._each([new for _, new in sealed])
        results.update(zip((n for n, _ in sealed), recorded, strict=True))
        return [results[n] for n in range(len(items))]

    async def submitted(self, actor: Actor, item: Item, channel: Channel) -> Submitted:
        """One person as something to record at the actor's port. Raises as `record`."""
        port = port_of(actor)
        await self._check_voyages({item.voyage_id} if item.voyage_id else set(), port.code)
        return self._submitted(actor, item, channel, port, self._database.clock.now())

    async def _write(self, batch: Sequence[tuple[Actor, store.NewArrival]]) -> list[Recorded | Exception]:
        """Record what waits in the lane, of those who may still; there is no commit of their own to ask at."""
        results: dict[int, Recorded | Exception] = {}
        for n, (actor, _) in enumerate(batch):
            try:
                await self._database.still_allows(actor)
            except Refusal as refused:
                results[n] = refused
        writing = [(n, new) for n, (_, new) in enumerate(batch) if n not in results]
        recorded = await record_arrivals(self._database, [new for _, new in writing])
        results.update(zip((n for n, _ in writing), recorded, strict=True))
        return [results[n] for n in range(len(batch))]

    async def _each(self, new: Sequence[store.NewArrival]) -> list[Recorded | RecordedDifferently | CaseIdTaken]:
        """Record all at once; where an id was taken, one by one, so that it fails no other."""
        try:
            return list(await record_arrivals(self._database, new))
        except store.IdTaken:
            if len(new) == 1:
                return [CaseIdTaken()]
            return [result for one in new for result in await self._each([one])]

    def _submitted(self, actor: Actor, item: Item, channel: Channel, port: codes.Port, now: datetime) -> Submitted:
        return Submitted(
            item.arrival,
            scope_of(actor),
            bytes.fromhex(self._vault.kept_key(item.key)),
            port,
            channel,
            landed_at(item.arrived_at, now),
            item.voyage_id,
            case_id=item.case_id,
            unfinished=item.unfinished,
            claimed=item.claimed,
        )

    async def _check_voyages(self, voyage_ids: set[str], port: str, *, missing_ok: bool = False) -> None:
        """Make sure that the voyages are this port's. A voyage never moves, so what was found once is kept."""
        unknown = [v for v in voyage_ids if (v, port) not in self._voyages]
        if not unknown:
            return
        found = await voyages.find_many(self._database, unknown, port=port)
        if len(self._voyages) > KNOWN_VOYAGES:
            self._voyages.clear()
        self._voyages.update((v, port) for v in found)
        if len(found) < len(unknown) and not missing_ok:
            raise VoyageUnknown


def port_of(actor: Actor) -> codes.Port:
    """The port an actor works at. Raises `NotAllowed` or `PortUnknown`."""
    port = codes.ports().get(policy.own_port(actor))
    if port is None:
        raise PortUnknown
    return port


def landed_at(arrived_at: datetime | None, now: datetime) -> datetime:
    """When somebody landed who is said to have landed then, or now. Raises `ArrivalInFuture` or `ArrivalLongAgo`."""
    if arrived_at is None:
        return now
    if arrived_at > now + CLOCKS_DIFFER:
        raise ArrivalInFuture
    if arrived_at < now - ENTERED_WITHIN:
        raise ArrivalLongAgo
    return min(arrived_at, now)


def day_at(port: codes.Port, when: datetime) -> date:
    """The calendar day at a port."""
    return when.astimezone(ZoneInfo(port.zone)).date()


def scope_of(actor: Actor) -> str:
    """Keys are the actor's own: two tablets may count from one."""
    return _scope(actor.id)


@lru_cache(maxsize=4096)
def _scope(actor_id: str) -> str:
    return str(UUID(bytes=blake2b(actor_id.encode(), digest_size=16, person=b"rujukan scope   ").digest()))


def content_digest(vault: Vault, submitted: Submitted, fields: bytes) -> bytes:
    """Tells whether two submissions under one key are about the same person in the same words.

    `fields` is the identity as it is sealed. The time of arrival and the row are left out, and an age stays the age
    that was told: what is sent again on another day is still the same.
    """
    arrival = submitted.arrival
    if arrival.birth is not None and arrival.birth.precision == "age":
        years = people.age_on(arrival.birth.latest, submitted.told_on or submitted.day)
        fields = vaults.plain(arrival.identity._replace(birth=f"age {years}"))
    coded = (
        arrival.sex,
        arrival.origin_regency,
        sorted(arrival.flags),
        submitted.claimed or (arrival.accompanied and submitted.companion is None),
        arrival.onward_wish,
        submitted.voyage_id,
        *(() if submitted.companion is None else astuple(submitted.companion)),
    )
    return vault.digest_of(fields + orjson.dumps(coded))


def is_as_before(known: Content, content: bytes) -> bool:
    """True when what was recorded under a list's key says the same; of an erased person nobody can tell otherwise."""
    return known.content in (content, ERASED)


def is_known_person(vault: Vault, submitted: Submitted, known: Content) -> bool:
    """The same, whoever is said to travel along: who stays together is kept apart from who somebody is."""
    fields = vaults.plain(submitted.arrival.identity)
    alone = replace(submitted.arrival, accompanied=not submitted.arrival.accompanied)
    return is_as_before(known, content_digest(vault, submitted, fields)) or is_as_before(
        known, content_digest(vault, submitted._replace(arrival=alone), fields)
    )


def answered_before(sent: store.NewArrival, known: store.Known) -> Recorded | RecordedDifferently:
    """What a key answers that was used before."""
    # A row's key says who it is about. A client's key says nothing, and nobody is lost behind one that was reused.
    if known.content == ERASED and sent.manifest_id is None:
        return RecordedAndErased(known.manifest_id)
    if not is_as_before(known, sent.content):
        return RecordedDifferently(known.manifest_id, case_id=known.case_id, content=known.content)
    return Recorded(known.case_id, known.age_band, known.needs, new=False, manifest_id=known.manifest_id)
