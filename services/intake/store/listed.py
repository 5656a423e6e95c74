"""Who stands on lists that are done with, in codes: recorded by them, or called as not there."""

from collections.abc import Iterator
from typing import NamedTuple

from asyncpg import Record

from services.intake.domain.roll_calls import Call
from services.intake.store.roll_calls import ABSENT_RECORDED, SAID, call_of
from shared.contracts.codes import AbsenceReason
from shared.kit.work import Work

CALL = f"row_number, version, {SAID}, called_by, called_at"


class Listed(NamedTuple):
    """A row of a list without its words; 0 of who was erased. `was_not_there`: why, of whom the list had recorded."""

    draft_id: str
    row: int
    sex: str | None
    age_band: str | None
    call: Call | None
    case_id: str | None = None
    was_not_there: AbsenceReason | None = None


RECORDED = f"""
SELECT m.draft_id AS list_id, coalesce(a.manifest_row, 0) AS manifest_row, a.case_id, a.sex AS recorded_sex,
    a.age_band AS recorded_band, {ABSENT_RECORDED} AS is_absent, s.reason AS said_reason,
    s.next_voyage_id AS said_next, s.said_by, s.said_at, c.*
FROM arrivals a JOIN manifests m USING (manifest_id) LEFT JOIN absent_arrivals s USING (case_id)
LEFT JOIN LATERAL (
    SELECT {CALL} FROM roll_calls r WHERE r.draft_id = m.draft_id AND r.upload = m.upload
    AND r.row_number = a.manifest_row ORDER BY r.version DESC LIMIT 1
) c ON TRUE
WHERE a.voyage_id = $1 AND (a.ended_as IS DISTINCT FROM 'entered_in_error' OR {ABSENT_RECORDED})
ORDER BY m.manifest_id, manifest_row
"""  # noqa: S608 - constants
CALLED = f"""
SELECT draft_id AS list_id, {CALL} FROM (
    SELECT DISTINCT ON (r.draft_id, r.row_number) r.*, d.state FROM roll_calls r JOIN drafts d USING (draft_id, upload)
    WHERE r.voyage_id = $1 AND d.ended_at IS NOT NULL ORDER BY r.draft_id, r.row_number, r.version DESC
) r WHERE (mark = 'absent' OR state <> 'sent') AND NOT EXISTS (
    SELECT FROM manifests m WHERE m.draft_id = r.draft_id AND m.upload = r.upload AND m.received_at >= r.called_at
    AND NOT EXISTS (SELECT FROM held_rows h WHERE h.manifest_id = m.manifest_id AND h.row_number = r.row_number)
) ORDER BY draft_id, row_number
"""  # noqa: S608 - constants
"""Of a list that was sent whole, who was called as here is recorded; of one that was sent in part, whoever was called
before that and is not held back."""


async def without_words(work: Work, voyage_id: str) -> list[Listed]:
    """Everybody whom a list of a voyage has recorded, and who was called of a list that is done with.

    # unscoped: asked for only after the voyage was found in the actor's own scope.
    """
    recorded = await work.connection.fetch(RECORDED, voyage_id)
    called = await work.connection.fetch(CALLED, voyage_id)
    return [*_recorded(recorded), *_called(called)]


def _recorded(rows: list[Record]) -> Iterator[Listed]:
    for row in rows:
        call = call_of(row) if row["version"] else None
        reason: AbsenceReason | None = (row["said_reason"] or "unknown") if row["is_absent"] else None
        if row["said_at"]:
            following = str(row["said_next"]) if row["said_next"] else None
            call = Call(row["manifest_row"], 0, "absent", reason, following, by=row["said_by"], at=row["said_at"])
        who = (row["recorded_sex"], row["recorded_band"])
        yield Listed(str(row["list_id"] or ""), row["manifest_row"], *who, call, str(row["case_id"]), reason)


def _called(rows: list[Record]) -> Iterator[Listed]:
    for row in rows:
        yield Listed(str(row["list_id"]), row["row_number"], row["sex"], row["age_band"], call_of(row))
