"""Sessions of people: rows in the service's database, found by the hash of what the browser holds.

A reader of the database cannot become anybody: it has the SHA-256 of each session's id, never the id.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

import asyncpg

from shared.kit.actor import Actor
from shared.kit.database import Database

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session was last used; spares a write on most requests."""
SWEEP_LIMIT = 100

FORM = re.compile(r"[A-Za-z0-9_-]{43}")

FIND = """
WITH live AS (
    SELECT session_hash, actor_id, organisation, roles, port, region, signed_in_at, authenticated_at, seen_at
    FROM sessions
    WHERE session_hash = $1 AND expires_at > $2 AND seen_at > $3
), seen AS (
    UPDATE sessions SET seen_at = $2
    FROM live
    WHERE sessions.session_hash = live.session_hash AND live.seen_at < $4
)
SELECT actor_id, organisation, roles, port, region, signed_in_at, authenticated_at FROM live
"""

ADD = """
INSERT INTO sessions (session_hash, actor_id, organisation, roles, port, region, signed_in_at, seen_at, expires_at,
    authenticated_at, device, provider_session)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)
"""


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


async def find_actor(database: Database, session_id: str, now: datetime) -> Actor | None:
    """The person of a live session, which counts as used now; None when there is none. One statement."""
    rows = await database.fetch(FIND, _hash(session_id), now, now - IDLE, now - SEEN_EVERY)
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


async def remove_session(connection: asyncpg.Connection, session_id: str) -> None:
    await connection.execute("DELETE FROM sessions WHERE session_hash = $1", _hash(session_id))


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
