"""PostgreSQL: two pools, the work done in them, and the runner of plain SQL migrations.

Rows are guarded by policies (row-level security, docs/adr/0010-row-level-security.md). What a service does by itself
runs on connections that say so when they connect and see every row of its database. What a person or a client asks
for runs on others, where nothing can be seen until the transaction has said for whom.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from shared.kit.actor import Actor
from shared.kit.clock import Clock, SystemClock
from shared.kit.crash import crash_point
from shared.kit.work import Work

KIT_MIGRATIONS = Path(__file__).parent / "sql"
MIGRATION_LOCK = 7_200
ACQUIRE_S = 10.0
"""Who waits longer for a connection is told to come back."""
CLOSE_S = 10.0
"""So long whoever still holds a connection may go on when the pools are closed."""

KEEPALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""A host that vanishes leaves its session, and the locks in it, for eleven seconds, not for the system's two hours."""

TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)
"""Trouble that goes away by itself: back off and try again, never park."""


class Wake:
    """Tells those who wait that something was written (they poll as well; this only spares the wait).

    Who looks for something to do reads `times` before looking and hands it to `wait`: what was written while it
    looked is not waited past.
    """

    def __init__(self) -> None:
        self.times = 0
        self._waiting: set[asyncio.Event] = set()

    def set(self) -> None:
        self.times += 1
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float, *, since: int) -> None:
        """Return when woken, at once if that happened after `since`, or after `seconds`."""
        if self.times != since:
            return
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)


@dataclass(slots=True)
class Database:
    """One service's database, as its application role sees it.

    `pool` is for what the service does by itself, `asked` for what people and clients ask for.
    """

    service: str
    url: str
    pool: asyncpg.Pool
    asked: asyncpg.Pool
    clock: Clock
    written: Wake
    allowed: Callable[[Actor], Awaitable[None]] | None = None
    """Asked before each commit; raises when the actor's access was taken away in the meantime."""

    @asynccontextmanager
    async def work(self, actor: Actor, *, purpose: str, caused_by: str | None = None) -> AsyncIterator[Work]:
        """One transaction: commits when the body ends, with the facts it told; rolls back when it raises.

        It sees the rows that the policies let the actor see; a part of the service itself sees all.
        """
        pool = self.pool if actor.kind == "system" else self.asked
        async with pool.acquire(timeout=ACQUIRE_S) as connection:
            # Not `connection.transaction()`: who acts is said in the round trip that begins.
            await connection.execute(beginning(actor))
            try:
                work = Work(connection, actor, self.clock.now(), purpose, self.service, caused_by)
                yield work
                await self.still_allows(actor)
                told = await work.end()
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            if told:
                crash_point("work.after_commit")
                self.written.set()

    async def still_allows(self, actor: Actor) -> None:
        """Return when the actor's access counts; asked last before what they do is written. Raises as `allowed` does.

        `work` asks by itself. It costs no round trip while the copy of what was revoked is fresh.
        """
        if self.allowed is not None:
            await self.allowed(actor)

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run one statement as the service itself, in a transaction of its own (a hot path's only one, a figure)."""
        async with self.pool.acquire(timeout=ACQUIRE_S) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        return rows

    async def aclose(self) -> None:
        """Close all connections; what somebody still holds after CLOSE_S is cut off."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(self.pool.close(), self.asked.close()), CLOSE_S)


SERVICE_SCOPE = {"rujukan.scope": "service"}
"""What a connection says of itself that a service uses for what it does by itself."""

SAFE = re.compile(r"[A-Za-z0-9._:@/+-]{1,128}")


def beginning(actor: Actor) -> str:
    """The statements that begin a transaction of this actor; what they set ends with it.

    Everything in them is a code (tests/kit/test_row_security.py): `SET` takes no parameters. Raises `ValueError`.
    """
    if actor.kind == "system":
        return "BEGIN"
    said = {
        "actor": actor.id,
        "organisation": actor.organisation,
        "port": actor.port,
        "region": actor.region,
        "roles": "/".join(sorted(actor.roles)),
    }
    for name, value in said.items():
        if value and not SAFE.fullmatch(value):
            raise ValueError(f"the {name} of an actor is no code")
    return "BEGIN" + "".join(f";SET LOCAL rujukan.{name} = '{value}'" for name, value in said.items() if value)


async def connect(
    url: str, *, service: str, clock: Clock | None = None, min_size: int = 1, max_size: int = 8
) -> Database:
    """Open the pools, each of up to `max_size`. Raises what asyncpg raises when the server is away or refuses."""
    settings = {
        **KEEPALIVE,
        "application_name": f"rujukan-{service}",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
        "jit": "off",
        # Statements are planned once for a connection, maybe while a table was empty; by index is never far off.
        "enable_seqscan": "off",
    }
    open_pool = partial(asyncpg.create_pool, url, max_size=max_size, command_timeout=30, reset=_as_it_is)
    pool = await open_pool(min_size=min_size, server_settings={**settings, **SERVICE_SCOPE})
    asked = await open_pool(min_size=0, server_settings=settings)
    return Database(service, url, pool, asked, clock or SystemClock(), Wake())


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """Give a connection back without a round trip, since all we set ends with its transaction; but do end that."""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class MigrationChanged(Exception):
    """A migration that was applied before has another text now; write a new file instead."""


def migrations(folders: Sequence[Path]) -> list[Migration]:
    """The migrations of the folders, in order: the kit's first, each folder's by file name."""
    return [
        Migration(f"{folder.parent.name}/{file.name}", file.read_text(encoding="utf-8"))
        for folder in (KIT_MIGRATIONS, *folders)
        for file in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]


async def migrate(url: str, folders: Sequence[Path], *, application_role: str | None = None) -> list[str]:
    """Apply what is new, one transaction each, with which the application role is granted what it needs.

    Two runners do not meet (advisory lock). Raises `MigrationChanged` when an applied file was edited.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        known = dict(await connection.fetch("SELECT name, checksum FROM schema_migrations"))
        applied = []
        for migration in migrations(folders):
            if migration.name in known:
                if known[migration.name] != migration.checksum:
                    raise MigrationChanged(
                        f"{migration.name} was changed after it had been applied. Restore it and add a new file."
                    )
                continue
            async with connection.transaction():
                # The owner is under the policies too.
                await connection.execute("SET LOCAL rujukan.scope = 'service'")
                await connection.execute(migration.text)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
                    migration.name,
                    migration.checksum,
                )
                # With it, not after all: processes of the version before go on, and its triggers write as they do.
                if await connection.fetchval("SELECT to_regprocedure('acting_as_service()') IS NOT NULL"):
                    await _open_to(connection, application_role)
            applied.append(migration.name)
        await _open_to(connection, application_role)
        return applied
    finally:
        await connection.close()


async def _open_to(connection: asyncpg.Connection, role: str | None) -> None:
    await guard(connection)
    if role:
        await grant(connection, role)


async def guard(connection: asyncpg.Connection) -> None:
    """Close each table to everybody but the service itself, the owner included; policies in migrations open it."""
    for (table,) in await connection.fetch(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND c.relname <> 'schema_migrations' AND NOT (c.relrowsecurity AND c.relforcerowsecurity"
        " AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'service_itself'))"
    ):
        await connection.execute(
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY; ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;'
            f' DROP POLICY IF EXISTS service_itself ON "{table}"; CREATE POLICY service_itself ON "{table}"'
            " USING ((SELECT acting_as_service())) WITH CHECK ((SELECT acting_as_service()))"
        )


async def grant(connection: asyncpg.Connection, role: str) -> None:
    """Give the application role what each table's comment allows.

    `append-only…` tables: SELECT and INSERT; `write-once…` ones UPDATE too, for the changes their triggers allow.
    `reference…` tables and the list of migrations: SELECT.
    All others: SELECT, INSERT, UPDATE, DELETE. Never ownership, never TRUNCATE.
    """
    quoted = '"' + role.replace('"', '""') + '"'
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}",
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
    ]
    for table, comment in await connection.fetch(
        "SELECT c.relname, coalesce(obj_description(c.oid), '') FROM pg_class c"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')"
    ):
        if table == "schema_migrations" or comment.startswith("reference"):
            rights = "SELECT"
        elif comment.startswith("append-only"):
            rights = "SELECT, INSERT"
        elif comment.startswith("write-once"):
            rights = "SELECT, INSERT, UPDATE"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        statements.append(f'GRANT {rights} ON "{table}" TO {quoted}')
    await connection.execute(";".join(statements))


def role_of(url: str) -> str | None:
    """The role that a connection URL names."""
    return urlsplit(url).username
