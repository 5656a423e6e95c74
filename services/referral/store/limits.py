"""Needs whose limit in law has passed."""

from services.referral.domain.limits import LIMITS
from shared.kit.work import Work


async def list_breached(work: Work, limit: int) -> list[tuple[str, str, str]]:
    """Live needs past a limit that is not met and was not told yet: referral, case and limit, the oldest first.

    Nothing is stored for it with a need: the whole table is gone through, some times an hour.
    # unscoped: the clock works for everybody
    """
    rows = await work.connection.fetch(
        "SELECT r.referral_id, r.case_id, l.code FROM referrals r"
        " JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])"
        "  AS l (code, need, since, until, before) ON (l.need IS NULL OR l.need = r.need)"
        "  AND l.before >= CASE l.since WHEN 'opened' THEN r.opened_at ELSE r.arrived_at END"
        " WHERE r.ended_at IS NULL"
        " AND NOT EXISTS (SELECT FROM assignments a WHERE a.referral_id = r.referral_id AND CASE l.until"
        "  WHEN 'accepted' THEN a.service_due_at IS NOT NULL WHEN 'started' THEN a.started_at IS NOT NULL"
        "  ELSE false END)"
        " AND NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.limit_code = l.code)"
        " ORDER BY r.opened_at LIMIT $6",
        [one.code for one in LIMITS],
        [one.need for one in LIMITS],
        [one.since for one in LIMITS],
        [one.until for one in LIMITS],
        [work.now - one.within for one in LIMITS],
        limit,
    )
    return [(str(row["referral_id"]), str(row["case_id"]), row["code"]) for row in rows]
