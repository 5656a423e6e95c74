"""Whom a list recorded, and what was done with each of them since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.wrong_voyages import UNTOUCHED, Listed
from services.intake.store.manifests import HELD
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A list as it was taken in: in one step, or as each sending of one draft (`manifest_ids`).

    `held`: rows that are still held back; `is_being_recorded`: not all of it is taken in yet.
    """

    manifest_ids: tuple[str, ...]
    voyage_id: str
    received_at: datetime
    held: int
    is_being_recorded: bool


async def find(work: Work, manifest_id: str) -> TakenIn | None:
    """A list of a voyage of the actor's port."""
    row = await work.connection.fetchrow(
        "SELECT n.voyage_id::text, n.received_at, array_agg(m.manifest_id::text) AS manifest_ids,"  # noqa: S608
        f" sum({HELD})::bigint AS held,"
        " bool_or(m.finished_at IS NULL AND m.superseded_by IS NULL) AS is_being_recorded"
        " FROM manifests n JOIN voyages v USING (voyage_id) JOIN manifests m ON m.voyage_id = n.voyage_id"
        " AND (m.manifest_id = n.manifest_id OR m.draft_id = n.draft_id)"
        " WHERE n.manifest_id = $1 AND v.port = $2 GROUP BY n.manifest_id",
        manifest_id,
        work.actor.port,
    )
    return None if row is None else TakenIn(**{**row, "manifest_ids": tuple(row["manifest_ids"])})


WORKED_ON = f"""CASE
    WHEN a.ended_as = 'died' THEN 'died'
    WHEN NOT EXISTS (SELECT FROM person_keys k WHERE k.person_id = a.person_id) THEN 'erased'
    WHEN a.version > {UNTOUCHED}
        OR EXISTS (SELECT FROM age_proposals p WHERE p.person_id = a.person_id)
        OR EXISTS (SELECT FROM corrections c WHERE c.person_id = a.person_id) THEN 'corrected'
    WHEN EXISTS (SELECT FROM screenings s WHERE s.case_id = a.case_id) THEN 'screened'
    WHEN EXISTS (SELECT FROM consents c WHERE c.case_id = a.case_id) THEN 'consented'
    WHEN EXISTS (SELECT FROM possible_matches p WHERE (p.person_id = a.person_id OR p.earlier_person_id = a.person_id)
        AND p.decided_at IS NOT NULL AND p.state <> 'ended') THEN 'compared'
    WHEN EXISTS (SELECT FROM household_members h WHERE h.case_id = a.case_id
            AND (h.joined_as <> 'listed' OR h.parted_at IS NOT NULL))
        OR EXISTS (SELECT FROM guardian_links l WHERE (l.child_case_id = a.case_id OR l.adult_case_id = a.case_id)
            AND (NOT l.is_listed OR l.relation <> 'not_stated' OR l.ended_for <> 'in_error')) THEN 'linked'
    WHEN EXISTS (SELECT FROM disclosures d WHERE d.case_id = a.case_id)
        OR EXISTS (SELECT FROM referred_needs r WHERE r.case_id = a.case_id AND r.ended_at IS NOT NULL) THEN 'helped'
END"""  # noqa: S608 - a constant
"""What was done with an arrival `a` since it was recorded, as `LeftFor`; NULL: nothing."""


async def list_recorded(work: Work, taken: TakenIn, *, among: Sequence[str] | None = None) -> list[Listed]:
    """Everybody whom a list of the actor's port recorded, or those of them that are `among` these cases.

    Asked as the service: the port learns that something was done, not what or with whom.
    """
    rows = await work.connection.fetch(
        f"SELECT a.case_id::text, a.ended_as IS NOT DISTINCT FROM 'entered_in_error' AS in_error, {WORKED_ON} AS worked_on,"  # noqa: S608, E501
        " ARRAY(SELECT l.child_case_id::text FROM guardian_links l WHERE l.adult_case_id = a.case_id"
        " AND l.ended_at IS NULL) AS children,"
        " ARRAY(SELECT l.adult_case_id::text FROM guardian_links l WHERE l.child_case_id = a.case_id"
        " AND l.ended_at IS NULL) AS adults"
        " FROM arrivals a WHERE a.voyage_id = $1 AND a.manifest_id = ANY($2::uuid[]) AND a.port = $3"
        " AND ($4::uuid[] IS NULL OR a.case_id = ANY($4::uuid[])) ORDER BY a.case_id",
        taken.voyage_id,
        taken.manifest_ids,
        work.actor.port,
        among,
    )
    return [Listed(**{**row, "children": tuple(row["children"]), "adults": tuple(row["adults"])}) for row in rows]
