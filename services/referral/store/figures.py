"""The counts behind the figures. With `apart`, needs of the case team stand in one line `restricted` of each table."""

from typing import Any

from shared.kit.work import Work


async def count_attempts_by_agency(work: Work, *, apart: bool) -> list[dict[str, Any]]:
    """Assignments by agency and state. # unscoped: counts, for those who may see figures"""
    rows = await work.connection.fetch(
        "SELECT a.agency_id, coalesce(d.name, a.agency_id) AS name, a.total, a.waiting, a.sent, a.acknowledged,"
        " a.accepted, a.completed, a.declined, a.expired, a.failed, a.overdue FROM (SELECT"
        "  CASE WHEN $2 AND r.restricted THEN 'restricted' ELSE a.agency_id END AS agency_id, count(*) AS total,"
        "  count(*) FILTER (WHERE a.state IN ('sent', 'delivered', 'acknowledged')) AS waiting,"
        "  count(*) FILTER (WHERE a.state IN ('sent', 'delivered')) AS sent,"
        "  count(*) FILTER (WHERE a.state = 'acknowledged') AS acknowledged,"
        "  count(*) FILTER (WHERE a.state IN ('accepted', 'in_progress')) AS accepted,"
        "  count(*) FILTER (WHERE a.state = 'completed') AS completed,"
        "  count(*) FILTER (WHERE a.state = 'declined') AS declined,"
        "  count(*) FILTER (WHERE a.state = 'expired') AS expired,"
        "  count(*) FILTER (WHERE a.state = 'failed') AS failed,"
        "  count(*) FILTER (WHERE a.due_at <= $1) AS overdue"
        "  FROM assignments a JOIN referrals r USING (referral_id) GROUP BY 1) a"
        " LEFT JOIN agencies d USING (agency_id) ORDER BY a.agency_id",
        work.now,
        apart,
    )
    return [dict(row) for row in rows]


async def count_referrals_by_province(work: Work, *, apart: bool) -> list[dict[str, Any]]:
    """Referrals by the province where help is due, and state. # unscoped: as above"""
    rows = await work.connection.fetch(
        "SELECT CASE WHEN $1 AND restricted THEN 'restricted' ELSE left(regency, 2) END AS province,"
        " count(*) AS total, count(*) FILTER (WHERE state = 'open') AS open,"
        " count(*) FILTER (WHERE state = 'fulfilled') AS fulfilled,"
        " count(*) FILTER (WHERE state = 'unroutable') AS unroutable,"
        " count(*) FILTER (WHERE state NOT IN ('open', 'fulfilled', 'unroutable')) AS other"
        " FROM referrals GROUP BY 1 ORDER BY 1",
        apart,
    )
    return [dict(row) for row in rows]


async def count_needs(work: Work, *, apart: bool) -> dict[str, int]:
    """Referrals by need. # unscoped: as above"""
    rows = await work.connection.fetch(
        "SELECT CASE WHEN $1 AND restricted THEN 'restricted' ELSE need END AS line, count(*) AS n"
        " FROM referrals GROUP BY 1 ORDER BY 1",
        apart,
    )
    return {row["line"]: row["n"] for row in rows}


async def count_totals(work: Work) -> dict[str, int]:
    """The sums. Accepted, declined, expired, rerouted count attempts. # unscoped: as above"""
    row = await work.connection.fetchrow(
        "SELECT (SELECT count(*) FROM referrals) AS referrals, count(*) AS assignments,"
        " (SELECT count(*) FROM referrals WHERE state = 'open') AS open,"
        " (SELECT count(*) FROM referrals WHERE state = 'fulfilled') AS fulfilled,"
        " count(*) FILTER (WHERE answered_at IS NOT NULL AND state <> 'declined') AS accepted,"
        " count(*) FILTER (WHERE state = 'declined') AS declined, count(*) FILTER (WHERE state = 'expired') AS expired,"
        " count(*) FILTER (WHERE attempt > 1) AS rerouted, count(*) FILTER (WHERE due_at <= $1) AS overdue,"
        " (SELECT count(*) FROM escalations) AS escalated,"
        " (SELECT count(*) FROM escalations WHERE closed_at IS NULL) AS escalations_open,"
        " (SELECT count(*) FROM gaps WHERE closed_at IS NULL) AS gaps,"
        " (SELECT count(*) FROM glasses WHERE reviewed_at IS NULL AND review_by <= $1) AS reviews_overdue"
        " FROM assignments",
        work.now,
    )
    assert row is not None
    return dict(row)


async def count_gaps(work: Work, *, apart: bool) -> list[dict[str, Any]]:
    """Needs that nobody serves, by the regency where help is due and the need: how many, since which day, when the
    directory in which somebody was last looked for was changed, and for most of them why. # unscoped: as above
    """
    rows = await work.connection.fetch(
        "SELECT CASE WHEN $1 AND r.restricted THEN 'restricted' ELSE r.need END AS need,"
        " CASE WHEN NOT ($1 AND r.restricted) THEN r.province END AS province,"
        " CASE WHEN NOT ($1 AND r.restricted) THEN r.regency END AS regency,"
        " count(*) AS total, min(g.opened_at)::date AS since, max(g.directory_at) AS tried_in,"
        " mode() WITHIN GROUP (ORDER BY g.reason) AS reason"
        " FROM gaps g JOIN referrals r USING (referral_id) WHERE g.closed_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        apart,
    )
    return [dict(row) for row in rows]
