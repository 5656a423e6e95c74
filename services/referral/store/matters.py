"""Who has been asked for which need of a case, where needs of one person are to be kept apart."""

from collections.abc import Sequence

from shared.kit.work import Work


async def list_asked(work: Work, case_ids: Sequence[str], needs: Sequence[str]) -> list[tuple[str, str, str]]:
    """Case, need and agency of each attempt at one of these needs of these cases. # unscoped: for the service alone"""
    rows = await work.connection.fetch(
        "SELECT DISTINCT r.case_id, r.need, a.agency_id FROM referrals r JOIN assignments a USING (referral_id)"
        " WHERE r.case_id = ANY($1::uuid[]) AND r.need = ANY($2::text[])",
        case_ids,
        needs,
    )
    return [(str(row["case_id"]), row["need"], row["agency_id"]) for row in rows]
