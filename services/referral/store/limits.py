"""Needs whose limit in law has passed."""

from collections.abc import Sequence

from services.referral.domain.limits import LIMITS
from shared.contracts import codes
from shared.kit.work import Work

OF_A_NEED = [limit for limit in LIMITS if limit.need is not None]
"""These run since a need was opened; `live_needs_with_a_limit` holds the few needs they are about."""
OF_EVERY_NEED = [limit for limit in LIMITS if limit.need is None]
"""These run since the person arrived until the need ends; `live_referrals` leads to the oldest of each province."""
FEW = ", ".join(f"'{need}'" for need in sorted({limit.need for limit in OF_A_NEED if limit.need is not None}))
NOT_TOLD = "NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = r.referral_id AND e.limit_code = l.code)"


async def list_breached(work: Work, limit: int, apart_from: Sequence[str]) -> list[tuple[str, str, str]]:
    """Live needs past a limit that is not met and was not told yet: referral, limit and case, the oldest first.

    Nothing is stored for it with a need. Each part ends in a limit of its own, so that it walks along its index instead
    of the whole table. # unscoped: the clock works for everybody
    """
    rows = await work.connection.fetch(
        "SELECT n.referral_id, n.case_id, l.code, n.opened_at"  # noqa: S608 - codes of our own
        " FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS l (code, need, until, before),"
        " LATERAL (SELECT r.referral_id, r.case_id, r.opened_at FROM referrals r WHERE r.ended_at IS NULL"
        f"  AND r.need IN ({FEW}) AND r.need = l.need AND r.opened_at <= l.before AND {NOT_TOLD}"
        "  AND r.referral_id <> ALL($9::uuid[])"
        "  AND NOT EXISTS (SELECT FROM assignments a WHERE a.referral_id = r.referral_id AND CASE l.until"
        "   WHEN 'accepted' THEN a.service_due_at IS NOT NULL ELSE a.started_at IS NOT NULL END)"
        "  ORDER BY r.opened_at LIMIT $8) n"
        " UNION ALL SELECT n.referral_id, n.case_id, l.code, n.opened_at"
        " FROM unnest($5::text[], $6::timestamptz[]) AS l (code, before) CROSS JOIN unnest($7::text[]) AS p (province),"
        " LATERAL (SELECT r.referral_id, r.case_id, r.opened_at FROM referrals r WHERE r.ended_at IS NULL"
        f"  AND r.province = p.province AND r.arrived_at <= l.before AND {NOT_TOLD}"
        "  AND r.referral_id <> ALL($9::uuid[])"
        "  ORDER BY r.arrived_at LIMIT $8) n"
        " ORDER BY opened_at LIMIT $8",
        [one.code for one in OF_A_NEED],
        [one.need for one in OF_A_NEED],
        [one.until for one in OF_A_NEED],
        [work.now - one.within for one in OF_A_NEED],
        [one.code for one in OF_EVERY_NEED],
        [work.now - one.within for one in OF_EVERY_NEED],
        list(codes.provinces()),
        limit,
        apart_from,
    )
    return [(str(row["referral_id"]), row["code"], str(row["case_id"])) for row in rows]
