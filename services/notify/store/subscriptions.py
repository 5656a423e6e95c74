"""Statements on `subscriptions` and `circuits`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notify.domain.circuits import Circuit
from services.notify.domain.subscriptions import Filter, Listener, Subscription
from services.notify.store.accesses import IS_KEPT_OUT
from shared.kit.work import Work

COLUMNS = """s.subscription_id::text, s.organisation, s.name, s.channel, s.url, s.events, s.provinces, s.needs,
    s.status, s.paused_because, s.created_at, s.changed_at, s.ended_at"""

HEALTH = """c.trusted, c.claim_window, c.consecutive_failures, c.open_until, c.mean_ms, c.delivered, c.failed,
    c.last_delivered_at, c.last_failed_at, c.last_trouble, c.last_status"""


@dataclass(frozen=True, slots=True)
class Overview:
    """A subscription with how it is doing: its circuit and what happened in the last day."""

    subscription: Subscription
    circuit: Circuit
    waiting: int
    delivered_today: int
    failed_today: int


async def add_subscription(
    work: Work, *, subscription_id: str, name: str, channel: str, url: str, wants: Filter, sealed_secret: bytes
) -> None:
    """Add an active subscription of the actor's organisation."""
    await work.connection.execute(
        """
        INSERT INTO subscriptions (subscription_id, organisation, name, channel, url, events, provinces, needs,
            secret, status, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $10)
        """,
        subscription_id,
        work.actor.organisation,
        name,
        channel,
        url,
        sorted(wants.events),
        sorted(wants.provinces),
        sorted(wants.needs),
        sealed_secret,
        work.now,
    )


async def add_circuit(work: Work, subscription_id: str) -> None:
    """Add a fresh circuit for a new subscription."""
    await work.connection.execute("INSERT INTO circuits (subscription_id) VALUES ($1)", subscription_id)


async def count_subscriptions(work: Work) -> int:
    """How many the actor's organisation has that are not ended."""
    counted: int = await work.connection.fetchval(
        "SELECT count(*) FROM subscriptions WHERE organisation = $1 AND status <> 'ended'", work.actor.organisation
    )
    return counted


async def lock_subscription(work: Work, subscription_id: str, *, scope: str | None) -> Subscription | None:
    """The subscription, locked for a change; None when there is none within `scope` (None: all organisations).

    The lock leaves its key alone: notices for it are queued and settled meanwhile.
    """
    row = await work.connection.fetchrow(
        f"""
        SELECT {COLUMNS} FROM subscriptions s
        WHERE s.subscription_id = $1 AND ($2::text IS NULL OR s.organisation = $2)
        FOR NO KEY UPDATE
        """,  # noqa: S608 - a constant list of columns
        subscription_id,
        scope,
    )
    return _subscription(row) if row else None


async def mark_subscription(
    work: Work, subscription_id: str, *, status: str, paused_because: str | None = None
) -> None:
    """Set the status of a locked subscription."""
    await work.connection.execute(
        """
        UPDATE subscriptions SET status = $2, paused_because = $3, changed_at = $4,
            ended_at = CASE WHEN $2 = 'ended' THEN $4::timestamptz END
        WHERE subscription_id = $1
        """,
        subscription_id,
        status,
        paused_because,
        work.now,
    )


async def change_subscription(work: Work, subscription_id: str, *, name: str, url: str, wants: Filter) -> None:
    """Set what a locked subscription wants to hear, and where."""
    await work.connection.execute(
        """
        UPDATE subscriptions SET name = $2, url = $3, events = $4, provinces = $5, needs = $6, changed_at = $7
        WHERE subscription_id = $1
        """,
        subscription_id,
        name,
        url,
        sorted(wants.events),
        sorted(wants.provinces),
        sorted(wants.needs),
        work.now,
    )


async def pause_gone(work: Work, subscription_ids: Sequence[str]) -> list[str]:
    """Pause those of these that are active, because their servers said they are gone; answers their ids."""
    # unscoped: the clock acts for all organisations
    return [
        row["subscription_id"]
        for row in await work.connection.fetch(
            """
            UPDATE subscriptions SET status = 'paused', paused_because = 'gone', changed_at = $2
            WHERE subscription_id = ANY($1::uuid[]) AND status = 'active'
            RETURNING subscription_id::text
            """,
            subscription_ids,
            work.now,
        )
    ]


async def lock_sealed_secrets(work: Work, *, after: str, limit: int) -> dict[str, bytes]:
    """Sealed signing keys by subscription, those after an id in the order of ids. Locks their rows."""
    # unscoped: the operator's command acts for all organisations
    rows = await work.connection.fetch(
        "SELECT subscription_id::text, secret FROM subscriptions WHERE subscription_id > $1"
        " ORDER BY subscription_id LIMIT $2 FOR NO KEY UPDATE",
        after,
        limit,
    )
    return {row["subscription_id"]: bytes(row["secret"]) for row in rows}


async def replace_sealed_secrets(work: Work, sealed: Mapping[str, bytes]) -> None:
    """Put these in the place of the sealed signing keys of locked subscriptions."""
    await work.connection.execute(
        "UPDATE subscriptions s SET secret = n.secret FROM unnest($1::uuid[], $2::bytea[]) AS n (id, secret)"
        " WHERE s.subscription_id = n.id",
        list(sealed),
        list(sealed.values()),
    )


async def find_sealed_secret(work: Work, subscription_id: str) -> bytes:
    """The sealed signing key of a subscription that the caller has found or locked within its scope."""
    secret: bytes = await work.connection.fetchval(
        "SELECT secret FROM subscriptions WHERE subscription_id = $1", subscription_id
    )
    return secret


OVERVIEW = f"""
    SELECT {COLUMNS}, {HEALTH}, coalesce(d.waiting, 0) AS waiting,
        coalesce(d.delivered_today, 0) AS delivered_today, coalesce(d.failed_today, 0) AS failed_today
    FROM subscriptions s JOIN circuits c USING (subscription_id)
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE d.status IN ('queued', 'sending', 'retry_wait')) AS waiting,
            count(*) FILTER (WHERE d.status = 'delivered' AND d.ended_at >= $2) AS delivered_today,
            count(*) FILTER (WHERE d.status = 'dead_lettered' AND d.ended_at >= $2) AS failed_today
        FROM deliveries d
        WHERE d.subscription_id = s.subscription_id AND NOT d.test
            AND (d.ended_at IS NULL OR d.ended_at >= $2)
    ) d ON TRUE
    WHERE ($1::text IS NULL OR s.organisation = $1)"""  # noqa: S608 - constant lists of columns


async def list_overviews(work: Work, *, scope: str | None, since: datetime, limit: int = 200) -> list[Overview]:
    """Subscriptions that are not ended with their health, oldest first; within `scope` (None: all)."""
    rows = await work.connection.fetch(
        f"{OVERVIEW} AND s.status <> 'ended' ORDER BY s.organisation, s.created_at LIMIT $3", scope, since, limit
    )
    return [_overview(row) for row in rows]


async def list_ended(
    work: Work, *, scope: str | None, since: datetime, before: str | None = None, limit: int
) -> list[Overview]:
    """Subscriptions that are ended, last made first, made before `before`; within `scope` (None: all)."""
    rows = await work.connection.fetch(
        f"""{OVERVIEW} AND s.status = 'ended' AND ($3::uuid IS NULL OR s.subscription_id < $3)
        ORDER BY s.subscription_id DESC LIMIT $4""",
        scope,
        since,
        before,
        limit,
    )
    return [_overview(row) for row in rows]


async def find_overview(work: Work, subscription_id: str, *, scope: str | None, since: datetime) -> Overview | None:
    """One subscription, ended or not, with its health; None when there is none within `scope` (None: all)."""
    row = await work.connection.fetchrow(f"{OVERVIEW} AND s.subscription_id = $3", scope, since, subscription_id)
    return _overview(row) if row else None


async def list_listeners(work: Work) -> list[tuple[Any, ...]]:
    """Who listens to what: (subscription id, organisation, events, provinces, needs) of all that are not ended."""
    # unscoped: matching is for all organisations
    rows = await work.connection.fetch(
        """
        SELECT subscription_id::text, organisation, events, provinces, needs FROM subscriptions
        WHERE status <> 'ended' ORDER BY subscription_id
        """
    )
    return [tuple(row) for row in rows]


async def list_addresses(work: Work, subscription_ids: Sequence[str]) -> dict[str, str]:
    """Where notices go now, by subscription: of those of these that are active and have access."""
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        SELECT s.subscription_id::text, s.url FROM subscriptions s
        WHERE s.subscription_id = ANY($1::uuid[]) AND s.status = 'active' AND NOT {IS_KEPT_OUT}
        """,  # noqa: S608 - a constant piece
        subscription_ids,
    )
    return {row["subscription_id"]: row["url"] for row in rows}


async def list_organisations(work: Work) -> list[str]:
    """The organisations that have subscribed, whatever has become of it."""
    # unscoped: as above
    rows = await work.connection.fetch("SELECT DISTINCT organisation FROM subscriptions")
    return [row["organisation"] for row in rows]


def listener(row: tuple[Any, ...]) -> Listener:
    """One row of `list_listeners`."""
    subscription_id, organisation, events, provinces, needs = row
    return Listener(subscription_id, organisation, Filter(frozenset(events), frozenset(provinces), frozenset(needs)))


async def lock_circuits(work: Work, subscription_ids: Sequence[str]) -> dict[str, Circuit]:
    """The circuits of these subscriptions, locked in one order, by subscription id."""
    # unscoped: the clock acts for all organisations
    rows = await work.connection.fetch(
        f"""
        SELECT c.subscription_id::text, {HEALTH} FROM circuits c
        WHERE c.subscription_id = ANY($1::uuid[]) ORDER BY c.subscription_id FOR UPDATE
        """,  # noqa: S608 - a constant list of columns
        subscription_ids,
    )
    return {row["subscription_id"]: _circuit(row) for row in rows}


async def mark_circuits(work: Work, circuits: Sequence[Circuit]) -> None:
    """Write locked circuits back."""
    await work.connection.execute(
        """
        UPDATE circuits c SET trusted = n.trusted, claim_window = n.claim_window,
            consecutive_failures = n.failures, open_until = n.open_until, mean_ms = n.mean_ms,
            delivered = n.delivered, failed = n.failed, last_delivered_at = n.last_delivered_at,
            last_failed_at = n.last_failed_at, last_trouble = n.last_trouble, last_status = n.last_status
        FROM unnest($1::uuid[], $2::boolean[], $3::smallint[], $4::integer[], $5::timestamptz[], $6::real[],
                $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::smallint[])
            AS n (subscription_id, trusted, claim_window, failures, open_until, mean_ms, delivered, failed,
                last_delivered_at, last_failed_at, last_trouble, last_status)
        WHERE c.subscription_id = n.subscription_id
        """,
        [c.subscription_id for c in circuits],
        [c.trusted for c in circuits],
        [c.claim_window for c in circuits],
        [c.consecutive_failures for c in circuits],
        [c.open_until for c in circuits],
        [c.mean_ms for c in circuits],
        [c.delivered for c in circuits],
        [c.failed for c in circuits],
        [c.last_delivered_at for c in circuits],
        [c.last_failed_at for c in circuits],
        [c.last_trouble for c in circuits],
        [c.last_status for c in circuits],
    )


async def reset_circuit(work: Work, subscription_id: str) -> None:
    """Forget failures: somebody says that the server is well again."""
    await work.connection.execute(
        "UPDATE circuits SET consecutive_failures = 0, open_until = NULL, claim_window = 4, trusted = FALSE"
        " WHERE subscription_id = $1",
        subscription_id,
    )


def _overview(row: Any) -> Overview:
    return Overview(_subscription(row), _circuit(row), row["waiting"], row["delivered_today"], row["failed_today"])


def _subscription(row: Any) -> Subscription:
    return Subscription(
        subscription_id=row["subscription_id"],
        organisation=row["organisation"],
        name=row["name"],
        channel=row["channel"],
        url=row["url"],
        filter=Filter(frozenset(row["events"]), frozenset(row["provinces"]), frozenset(row["needs"])),
        status=row["status"],
        paused_because=row["paused_because"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        ended_at=row["ended_at"],
    )


def _circuit(row: Any) -> Circuit:
    return Circuit(
        subscription_id=row["subscription_id"],
        trusted=row["trusted"],
        claim_window=row["claim_window"],
        consecutive_failures=row["consecutive_failures"],
        open_until=row["open_until"],
        mean_ms=row["mean_ms"],
        delivered=row["delivered"],
        failed=row["failed"],
        last_delivered_at=row["last_delivered_at"],
        last_failed_at=row["last_failed_at"],
        last_trouble=row["last_trouble"],
        last_status=row["last_status"],
    )
