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


async def count_totals(work: Work, *, restricted: bool | None = None) -> dict[str, int]:
    """The sums; of needs that are restricted, or are not, alone where that is said. Accepted, declined, expired,
    rerouted count attempts. Emergency openings are of no need, and stand among what is not. # unscoped: as above
    """
    of = "($2::boolean IS NULL OR restricted = $2)"
    row = await work.connection.fetchrow(
        f"SELECT (SELECT count(*) FROM referrals WHERE {of}) AS referrals, count(*) AS assignments,"  # noqa: S608
        f" (SELECT count(*) FROM referrals WHERE state = 'open' AND {of}) AS open,"
        f" (SELECT count(*) FROM referrals WHERE state = 'fulfilled' AND {of}) AS fulfilled,"
        " count(*) FILTER (WHERE a.answered_at IS NOT NULL AND a.state <> 'declined') AS accepted,"
        " count(*) FILTER (WHERE a.state = 'declined') AS declined,"
        " count(*) FILTER (WHERE a.state = 'expired') AS expired,"
        " count(*) FILTER (WHERE a.attempt > 1) AS rerouted, count(*) FILTER (WHERE a.due_at <= $1) AS overdue,"
        f" (SELECT count(*) FROM escalations JOIN referrals USING (referral_id) WHERE {of}) AS escalated,"
        " (SELECT count(*) FROM escalations e JOIN referrals USING (referral_id)"
        f"  WHERE e.closed_at IS NULL AND {of}) AS escalations_open,"
        f" (SELECT count(*) FROM gaps g JOIN referrals USING (referral_id) WHERE g.closed_at IS NULL AND {of}) AS gaps,"
        " (SELECT count(*) FROM glasses WHERE reviewed_at IS NULL AND review_by <= $1"
        "  AND $2 IS DISTINCT FROM TRUE) AS reviews_overdue"
        f" FROM assignments a JOIN referrals USING (referral_id) WHERE {of}",
        work.now,
        restricted,
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
