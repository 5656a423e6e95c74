"""What was corrected of persons after their needs were sent, and the offices that have to know where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from services.referral.domain.corrections import Correction
from services.referral.domain.referrals import Referral
from shared.kit.work import Work

COLUMNS = ", ".join(field.name for field in fields(Correction))


class Notice(NamedTuple):
    """An origin that was corrected, as an office sees it. `attempts`: how many the office has, or had, of the case."""

    case_id: str
    version: int
    port: str
    was: str | None
    became: str | None
    reason: str
    corrected_at: datetime
    assignment_id: str | None
    """The office's latest attempt at a need of the case."""


async def add_correction(work: Work, correction: Correction) -> None:
    """Keep what was corrected."""
    await work.connection.execute(
        f"INSERT INTO corrections ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)",  # noqa: S608 - a constant
        correction.case_id,
        correction.version,
        correction.kind,
        correction.was,
        correction.became,
        correction.reason,
        correction.corrected_at,
    )


async def list_corrections(work: Work, case_id: str) -> list[Correction]:
    """What was corrected of a case, first to last. # unscoped: the caller has found the case as its own"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM corrections WHERE case_id = $1 ORDER BY version",  # noqa: S608 - a constant
        case_id,
    )
    return [_correction(row) for row in rows]


async def add_notices(work: Work, correction: Correction, port: str, agency_ids: Sequence[str]) -> None:
    """Let these offices know that an origin was corrected; of the offices of the directory only."""
    await work.connection.execute(
        "INSERT INTO origin_notices (agency_id, case_id, version, port, was, became, reason, corrected_at)"
        " SELECT a.agency_id, $2, $3, $4, $5, $6, $7, $8 FROM agencies a WHERE a.agency_id = ANY($1::text[])",
        agency_ids,
        correction.case_id,
        correction.version,
        port,
        correction.was,
        correction.became,
        correction.reason,
        correction.corrected_at,
    )


async def list_notices(work: Work, limit: int) -> list[Notice]:
    """The origins that were corrected, as far as the own office has to know, the latest first."""
    rows = await work.connection.fetch(
        "SELECT n.case_id, n.version, n.port, n.was, n.became, n.reason, n.corrected_at,"
        " (SELECT a.assignment_id FROM assignments a JOIN referrals r USING (referral_id)"
        "  WHERE r.case_id = n.case_id AND a.agency_id = $1 ORDER BY a.sent_at DESC LIMIT 1) AS assignment_id"
        " FROM origin_notices n WHERE n.agency_id = $1 ORDER BY n.corrected_at DESC, n.case_id LIMIT $2",
        work.actor.organisation,
        limit,
    )
    return [
        Notice(
            **{
                **row,
                "case_id": str(row["case_id"]),
                "assignment_id": row["assignment_id"] and str(row["assignment_id"]),
            }
        )
        for row in rows
    ]


async def update_facts(work: Work, referrals: Sequence[Referral]) -> None:
    """Write what these needs keep of the person. # unscoped: what the service itself has heard"""
    await work.connection.execute(
        "UPDATE referrals r SET sex = n.sex, age_band = n.age_band, regency = n.regency, restricted = n.restricted"
        " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])"
        " AS n (referral_id, sex, age_band, regency, restricted) WHERE r.referral_id = n.referral_id",
        [r.referral_id for r in referrals],
        [r.sex for r in referrals],
        [r.age_band for r in referrals],
        [r.regency for r in referrals],
        [r.restricted for r in referrals],
    )


def _correction(row: Mapping[str, Any]) -> Correction:
    return Correction(**{**row, "case_id": str(row["case_id"])})
