"""Sessions of people: rows in the service's database, found by the hash of what the browser holds.

A reader of the database cannot become anybody: it has the SHA-256 of each session's id, never the id.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from shared.contracts.access import Scope
from shared.kit.actor import Actor
from shared.kit.database import Database

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session was last used; spares a write on most requests."""
SWEEP_LIMIT = 100
DEVICES_LIMIT = 100

FORM = re.compile(r"[A-Za-z0-9_-]{43}")

FIND = """
WITH live AS (
    SELECT session_hash, actor_id, organisation, roles, port, region, signed_in_at, authenticated_at, seen_at
    FROM sessions
    WHERE session_hash = $1 AND expires_at > $2 AND seen_at > $3 AND device = $5
), seen AS (
    UPDATE sessions SET seen_at = $2
    FROM live
    WHERE sessions.session_hash = live.session_hash AND live.seen_at < $4
)
SELECT actor_id, organisation, roles, port, region, signed_in_at, authenticated_at FROM live
"""

IS_LIVE = "SELECT FROM sessions WHERE session_hash = $1 AND expires_at > $2 AND seen_at > $3"

ADD = """
INSERT INTO sessions (session_hash, actor_id, organisation, roles, port, region, signed_in_at, seen_at, expires_at,
    authenticated_at, device, provider_session)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)
"""

LIST_DEVICES = """
SELECT session_hash, device_id, device, signed_in_at, seen_at FROM sessions
WHERE actor_id = $1 AND expires_at > $2 AND seen_at > $3
ORDER BY seen_at DESC, device_id
LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its person sees it; browser and system are codes of `devices`."""

    id: str
    browser: str
    system: str
    since: datetime
    seen_at: datetime
    is_this: bool


def new_id() -> str:
    """What the browser will hold: 32 random bytes."""
    return secrets.token_urlsafe(32)


def is_id(value: str) -> bool:
    """True when this can be a session's id at all; anything else is not worth a statement."""
    return FORM.fullmatch(value) is not None


def csrf_token(session_id: str) -> str:
    """The token that forms of this session carry. It proves the session and does not reveal it."""
    mac = hmac.new(session_id.encode(), b"rujukan csrf token", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


async def find_actor(database: Database, session_id: str, now: datetime, *, device: str) -> Actor | None:
    """The person of a live session, which counts as used now; None when there is none. One statement.

    A session counts on the kind of device (of `devices.device_of`) where it began, and on no other.
    """
    rows = await database.fetch(FIND, _hash(session_id), now, now - IDLE, now - SEEN_EVERY, device)
    if not rows:
        return None
    row = rows[0]
    return Actor(
        id=row["actor_id"],
        organisation=row["organisation"],
        roles=frozenset(row["roles"]),
        kind="person",
        port=row["port"],
        region=row["region"],
        issued_at=row["signed_in_at"],
        authenticated_at=row["authenticated_at"],
    )


async def is_live(database: Database, session_id: str, now: datetime) -> bool:
    """True while this session goes on; asking does not count as using it."""
    return bool(await database.fetch(IS_LIVE, _hash(session_id), now, now - IDLE))


async def add_session(
    connection: asyncpg.Connection,
    session_id: str,
    actor: Actor,
    now: datetime,
    *,
    device: str,
    provider_session: str | None,
) -> None:
    """Begin a session. `device` is a code of `devices.device_of`, `provider_session` the provider's `sid`."""
    await connection.execute(
        ADD,
        _hash(session_id),
        actor.id,
        actor.organisation,
        sorted(actor.roles),
        actor.port,
        actor.region,
        now,
        now + LONGEST,
        actor.authenticated_at,
        device,
        provider_session,
    )


async def list_devices(connection: asyncpg.Connection, actor_id: str, session_id: str, now: datetime) -> list[Device]:
    """The live sessions of a person, the latest used first; `session_id` is the one that is asking."""
    rows = await connection.fetch(LIST_DEVICES, actor_id, now, now - IDLE, DEVICES_LIMIT)
    own = _hash(session_id)
    return [
        Device(
            id=str(row["device_id"]),
            browser=row["device"].partition(":")[0],
            system=row["device"].partition(":")[2],
            since=row["signed_in_at"],
            seen_at=row["seen_at"],
            is_this=bytes(row["session_hash"]) == own,
        )
        for row in rows
    ]


async def remove_device(connection: asyncpg.Connection, actor_id: str, device_id: str) -> bool:
    """End a session of this person by the name it has on the page; False when there is none."""
    said: str = await connection.execute(
        "DELETE FROM sessions WHERE actor_id = $1 AND device_id = $2", actor_id, device_id
    )
    return said != "DELETE 0"


async def remove_session(connection: asyncpg.Connection, session_id: str) -> str | None:
    """End a session; answers in which session at the provider it began, None when that is not known."""
    provider_session: str | None = await connection.fetchval(
        "DELETE FROM sessions WHERE session_hash = $1 RETURNING provider_session", _hash(session_id)
    )
    return provider_session


async def remove_sessions_of(connection: asyncpg.Connection, scope: Scope, code: str, *, until: datetime) -> None:
    """End the sessions of a person, of all with a role or of an organisation that began until then."""
    await connection.execute(
        "DELETE FROM sessions WHERE signed_in_at <= $3 AND CASE $1 WHEN 'person' THEN actor_id = $2"
        " WHEN 'organisation' THEN organisation = $2 WHEN 'role' THEN $2 = ANY(roles) ELSE FALSE END",
        scope,
        code,
        until,
    )


async def remove_provider_sessions(
    connection: asyncpg.Connection, provider_session: str | None, actor_id: str | None
) -> list[str]:
    """End the sessions that began in this one at the provider, or without one all of this person; whose they were."""
    rows = await connection.fetch(
        "DELETE FROM sessions WHERE ($1::text IS NULL OR provider_session = $1) AND ($2::text IS NULL OR actor_id = $2)"
        " AND ($1::text IS NOT NULL OR $2::text IS NOT NULL) RETURNING actor_id",
        provider_session,
        actor_id,
    )
    return sorted({row["actor_id"] for row in rows})


async def remove_ended(connection: asyncpg.Connection, now: datetime) -> None:
    """Forget some sessions that have ended; each log-in does this, so that the table stays small."""
    await connection.execute(
        "DELETE FROM sessions WHERE session_hash IN ("
        "SELECT session_hash FROM sessions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        now,
        SWEEP_LIMIT,
    )


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()
