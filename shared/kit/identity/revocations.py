"""Whose access was taken away: the table that facts of all services make, and the copy that requests are held against.

A revocation is told by the service where it was decided and heard by the others. The times in it are kept as the
latest of their kind, so order and repetition do not matter.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid5

import asyncpg
import structlog

from shared.contracts import access
from shared.contracts.access import Scope
from shared.kit.actor import Actor
from shared.kit.database import KEEPALIVE, SERVICE_SCOPE, TRANSIENT, Database
from shared.kit.heard import Heard
from shared.kit.identity import sessions
from shared.kit.identity.refusals import RevocationsUnknown, Revoked
from shared.kit.identity.trail import STREAMS, person_stream
from shared.kit.inbox import Inbox
from shared.kit.work import Work

log = structlog.get_logger()

FRESH_S = 0.2
"""How old the copy may be when somebody is held against it. One read of a small table brings it up to date."""
ENOUGH_S = 1.0
"""How old it may be while the database does not answer. After that nobody is let in."""
ANSWER_S = 3.0
ENDED_COUNTS_FOR = sessions.LONGEST + timedelta(hours=1)
"""Nothing that was issued before an end is still valid after this."""

LATEST = """
INSERT INTO revocations AS known (scope, code, why, ended_at, barred_at, restored_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (scope, code) DO UPDATE SET
    why = coalesce(excluded.why, known.why),
    ended_at = greatest(known.ended_at, excluded.ended_at),
    barred_at = greatest(known.barred_at, excluded.barred_at),
    restored_at = greatest(known.restored_at, excluded.restored_at)
"""

IN_FORCE = """
SELECT scope, code, ended_at, coalesce(barred_at > coalesce(restored_at, '-infinity'), FALSE) AS bars
FROM revocations
WHERE ended_at > $1 OR barred_at > coalesce(restored_at, '-infinity')
"""

LIST_BARRED = """
SELECT scope, code, why, barred_at FROM revocations
WHERE barred_at > coalesce(restored_at, '-infinity')
ORDER BY barred_at DESC, scope, code
LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """What counts no more of somebody: all that was issued until then, and with `bars` all."""

    ended_at: datetime | None
    bars: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """Somebody who is kept out until access is given back."""

    scope: Scope
    code: str
    why: str
    since: datetime


Cuts = Mapping[tuple[str, str], Cut]


class Revocations:
    """The copy in memory of one process. It is read again when it is used and older than `FRESH_S`.

    It has a connection of its own: a pool in which requests queue up would make it old exactly when it matters.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cuts: Cuts = {}
        self._read_at = self._not_before = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None

    async def check(self, actor: Actor) -> None:
        """Return when this actor's session or token still counts. Raises `Revoked` or `RevocationsUnknown`.

        Who did not come from outside (a part of the service itself) is not asked.
        """
        if actor.issued_at is None:
            return
        await self._bring_up_to_date()
        if self._cuts and covers(self._cuts, actor, actor.issued_at):
            raise Revoked

    def changed(self) -> None:
        """Something was committed here: nobody is held against what was read before."""
        self._not_before = time.monotonic()

    async def aclose(self) -> None:
        if self._reading is not None:
            await asyncio.wait({self._reading})
        if self._connection is not None:
            await self._connection.close()

    async def _bring_up_to_date(self) -> None:
        came_at = time.monotonic()
        # What was read after somebody came is fresh for them, however long reading took.
        while not self._is_fresh() and not self._read_at >= max(came_at, self._not_before):
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read(), name="revocations")
            try:
                # All who wait share one reading; one of them going away does not end it.
                await asyncio.shield(self._reading)
            except (*TRANSIENT, asyncpg.PostgresError) as error:
                if time.monotonic() - self._read_at > ENOUGH_S or self._read_at < self._not_before:
                    log.warning("revocations_unknown", error=type(error).__name__)
                    raise RevocationsUnknown from None
                return

    def _is_fresh(self) -> bool:
        return self._read_at >= self._not_before and time.monotonic() - self._read_at <= FRESH_S

    async def _read(self) -> None:
        asked_at = time.monotonic()
        async with asyncio.timeout(ANSWER_S):
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._database.url,
                    timeout=ANSWER_S,
                    server_settings={
                        **KEEPALIVE,
                        **SERVICE_SCOPE,
                        "application_name": f"rujukan-{self._database.service}-revocations",
                    },
                )
            rows = await self._connection.fetch(IN_FORCE, self._database.clock.now() - ENDED_COUNTS_FOR)
        self._cuts = {(row["scope"], row["code"]): Cut(row["ended_at"], row["bars"]) for row in rows}
        self._read_at = asked_at


def covers(cuts: Cuts, actor: Actor, issued_at: datetime) -> bool:
    """True when one of these takes away what this actor was given at that time."""
    return any(
        (cut := cuts.get(name)) is not None and (cut.bars or (cut.ended_at is not None and issued_at <= cut.ended_at))
        for name in names_of(actor)
    )


def names_of(actor: Actor) -> list[tuple[Scope, str]]:
    """By what somebody's access can be taken away."""
    return [
        ("client" if actor.kind == "client" else "person", actor.id),
        ("organisation", actor.organisation),
        *(("role", role) for role in sorted(actor.roles)),
    ]


async def revoke(work: Work, *, scope: Scope, code: str, bars: bool, why: access.Why) -> None:
    """End what this person, client, role or organisation was given until now; with `bars` keep them out as well."""
    fact = access.AccessRevoked(
        case_id=stream_of(scope, code),
        service=work.service,
        scope=scope,
        code=code,
        bars=bars,
        why=why,
        decided_at=work.now,
    )
    await _have_effect(work, fact)
    work.emit(fact)


async def restore(work: Work, *, scope: Scope, code: str) -> None:
    """Let them come in again."""
    fact = access.AccessRestored(
        case_id=stream_of(scope, code), service=work.service, scope=scope, code=code, decided_at=work.now
    )
    await _have_effect(work, fact)
    work.emit(fact)


async def list_barred(work: Work, *, limit: int) -> list[Bar]:
    """Who is kept out, the latest first."""
    await work.as_service()  # what is revoked is nobody's row; who may see it, the edge decides by role
    rows = await work.connection.fetch(LIST_BARRED, limit)
    return [Bar(row["scope"], row["code"], row["why"] or "", row["barred_at"]) for row in rows]


def subscribe(inbox: Inbox) -> None:
    """Have what other services say of access take effect here."""

    @inbox.hears(access.AccessRevoked, access.AccessRestored)
    async def on_access_facts(work: Work, heard: list[Heard[access.AccessRevoked | access.AccessRestored]]) -> None:
        for h in heard:
            await _have_effect(work, h.fact)


def stream_of(scope: Scope, code: str) -> str:
    """The id under which facts about this access stand; a person's are where the log-ins are."""
    return person_stream(code) if scope in ("person", "client") else str(uuid5(STREAMS, f"{scope}:{code}"))


async def _have_effect(work: Work, fact: access.AccessRevoked | access.AccessRestored) -> None:
    await work.as_service()  # the sessions of others end by this
    if isinstance(fact, access.AccessRestored):
        await work.connection.execute(LATEST, fact.scope, fact.code, None, None, None, fact.decided_at)
        return
    barred_at = fact.decided_at if fact.bars else None
    await work.connection.execute(LATEST, fact.scope, fact.code, fact.why, fact.decided_at, barred_at, None)
    await sessions.remove_sessions_of(work.connection, fact.scope, fact.code, until=fact.decided_at)
