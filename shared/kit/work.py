"""`Work`: one transaction that knows who acts, when, why and what caused it.

An action takes a `Work` and lists of things. Facts told with `emit` and `record` are written to the journal by one
statement when the work ends, in the transaction of the change they tell.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from shared.contracts.fact import Fact
from shared.kit import journal, telemetry
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.heard import Heard
from shared.kit.ids import new_id

CASE_LOCKS = 7_201
"""First half of the two-part advisory lock keys for cases, so that they meet no other lock."""


@dataclass(slots=True)
class Work:
    """A unit of work; made by `Database.work`, ended by it."""

    connection: asyncpg.Connection
    actor: Actor
    now: datetime
    purpose: str
    service: str
    caused_by: str | None = None
    _entries: list[journal.Entry] = field(default_factory=list)
    _locked: set[str] = field(default_factory=set)
    _as_service: bool = False

    def emit(self, fact: Fact, *, cause: Heard[Any] | None = None) -> str:
        """Tell everybody a fact (`<service>.events`); answers the event's id."""
        assert not fact.for_audit, f"{fact.type} is for audit alone: record it"
        return self._tell(fact, cause=cause)

    def record(self, fact: Fact, *, cause: Heard[Any] | None = None) -> str:
        """Put on the trail what only audit needs (`<service>.audit`): reads, refusals, failed tries."""
        assert fact.for_audit, f"{fact.type} is for everybody: emit it"
        return self._tell(fact, cause=cause)

    async def as_service(self) -> None:
        """See and write from here on what the service itself does, until this work ends.

        For what follows from something that was found in the actor's own scope: the next agency is asked because
        this one declines. And for what policy alone decides on, with the reason beside the call.
        """
        if self.actor.kind != "system" and not self._as_service:
            await self.connection.execute("SET LOCAL rujukan.scope = 'service'")
            self._as_service = True

    async def lock_cases(self, case_ids: Iterable[str]) -> None:
        """Make this work the only one on these cases until it ends. Sorted, so that two works cannot deadlock."""
        wanted = sorted(set(case_ids) - self._locked, key=_lock_key)
        if not wanted:
            return
        await self.connection.execute(
            "SELECT pg_advisory_xact_lock($1, key) FROM unnest($2::integer[]) AS key",
            CASE_LOCKS,
            [_lock_key(case_id) for case_id in wanted],
        )
        self._locked.update(wanted)

    async def first_sight_of(self, consumer: str, heard: Sequence[Heard[Any]]) -> list[Heard[Any]]:
        """Those events that this consumer has not had an effect of yet; marks them as seen with this work."""
        fresh = {
            str(row["event_id"])
            for row in await self.connection.fetch(
                "INSERT INTO inbox (event_id, consumer) SELECT e, $2 FROM unnest($1::uuid[]) AS e"
                " ON CONFLICT DO NOTHING RETURNING event_id",
                list({h.event_id for h in heard}),
                consumer,
            )
        }
        first: list[Heard[Any]] = []
        for h in heard:
            if h.event_id in fresh:
                fresh.discard(h.event_id)
                first.append(h)
        return first

    async def end(self) -> bool:
        """Write what was told; answers whether anything was. Called by `Database.work` before the commit."""
        if not self._entries:
            return False
        await self.as_service()  # nobody reads the journal, and everybody's deeds are in it
        await self.lock_cases(entry.case_id for entry in self._entries)
        crash_point("work.before_journal")
        await journal.append(self.connection, self._entries, self.now)
        crash_point("work.before_commit")
        return True

    def _tell(self, fact: Fact, *, cause: Heard[Any] | None) -> str:
        event_id = new_id()
        caused_by = cause.event_id if cause else self.caused_by
        trace = cause.traceparent if cause else telemetry.traceparent()
        bytes_ = journal.payload(self.actor, self.purpose, caused_by, fact)
        self._entries.append(journal.Entry(event_id, not fact.for_audit, fact.type, fact.case_id, trace, bytes_))
        return event_id


def _lock_key(case_id: str) -> int:
    """A signed 32-bit key from all bits of the id; two cases that share one only wait for each other."""
    digest = hashlib.blake2b(case_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)
