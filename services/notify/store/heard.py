"""Statements on `heard_counts`: how many facts of each kind were heard, hour by hour."""

from collections.abc import Mapping
from datetime import datetime

from services.notify.domain.subscriptions import Filter, Kind
from shared.kit.work import Work


async def count_heard(work: Work, counts: Mapping[tuple[datetime, Kind], int]) -> None:
    """Add these counts. The rows are taken in one order, so that two consumers cannot block each other."""
    keys = sorted(counts)
    await work.connection.execute(
        """
        INSERT INTO heard_counts AS h (hour, event_type, province, need, heard)
        SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::integer[])
        ON CONFLICT (hour, event_type, province, need) DO UPDATE SET heard = h.heard + excluded.heard
        """,
        [hour for hour, _ in keys],
        [kind[0] for _, kind in keys],
        [kind[1] for _, kind in keys],
        [kind[2] for _, kind in keys],
        [counts[key] for key in keys],
    )


async def count_matching(work: Work, wants: Filter, *, since: datetime) -> int:
    """How many facts heard since then a filter lets through."""
    # unscoped: counts without cases
    counted: int = await work.connection.fetchval(
        """
        SELECT coalesce(sum(heard), 0) FROM heard_counts
        WHERE hour >= $1 AND (cardinality($2::text[]) = 0 OR event_type = ANY($2))
            AND (cardinality($3::text[]) = 0 OR province = ANY($3))
            AND (cardinality($4::text[]) = 0 OR need = ANY($4))
        """,
        since,
        sorted(wants.events),
        sorted(wants.provinces),
        sorted(wants.needs),
    )
    return counted


async def forget_counts(work: Work, *, before: datetime) -> None:
    """Remove counts that no question asks for any more."""
    await work.connection.execute("DELETE FROM heard_counts WHERE hour < $1", before)
