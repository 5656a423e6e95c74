"""How rows of lists were called on the quay, in codes; and why recorded people were not there."""

from collections import Counter
from collections.abc import Mapping, Sequence

from asyncpg import Record

from services.intake.domain.drafts import Draft
from services.intake.domain.roll_calls import MOST_CALLS, Call, Roll
from shared.contracts.codes import AbsenceReason
from shared.kit.work import Work

SAID = "mark, reason, next_voyage_id, next_draft_id, next_row, sex, age_band, origin_regency"
LATEST = (
    f"SELECT DISTINCT ON (row_number) row_number, version, {SAID},"  # noqa: S608 - a constant
    " called_by, called_at FROM roll_calls WHERE draft_id = $1 AND upload = $2"
    " AND ($3::integer[] IS NULL OR row_number = ANY($3::integer[])) ORDER BY row_number, version DESC"
)


async def roll_of(work: Work, draft: Draft) -> Roll:
    """What was called of a draft, as its rows are numbered now; it has begun once anybody of the voyage was called.

    # unscoped: asked for only after the draft was found in the actor's own scope.
    """
    begun = await has_begun(work, draft.voyage_id)
    rows = await work.connection.fetch(LATEST, draft.draft_id, draft.upload, None) if begun else []
    return Roll(begun, {row["row_number"]: call_of(row) for row in rows})


async def has_begun(work: Work, voyage_id: str) -> bool:
    """Whether anybody of a voyage was called.

    # unscoped: asked for only after the voyage was found in the actor's own scope.
    """
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM roll_calls WHERE voyage_id = $1)", voyage_id
    )
    return found


async def calls_of(work: Work, draft: Draft, rows: Sequence[int]) -> dict[int, Call]:
    """How these rows of a draft were called last.

    # unscoped: asked for only after the draft was found in the actor's own scope.
    """
    found = await work.connection.fetch(LATEST, draft.draft_id, draft.upload, list(rows))
    return {row["row_number"]: call_of(row) for row in found}


async def add(work: Work, draft: Draft, calls: Sequence[Call]) -> bool:
    """Keep how rows were called, in one statement; False where somebody else has called one of them meanwhile.

    # unscoped: the draft was found in the actor's own scope.
    """
    done = await work.connection.execute(
        f"INSERT INTO roll_calls (draft_id, upload, row_number, version, voyage_id, called_by, called_at, {SAID})"  # noqa: S608
        f" SELECT $1, $2, row_number, version, $3, $4, $5, {SAID}"
        " FROM unnest($6::integer[], $7::integer[], $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::integer[],"
        f" $13::text[], $14::text[], $15::text[]) AS c (row_number, version, {SAID})"
        " ON CONFLICT DO NOTHING",
        draft.draft_id,
        draft.upload,
        draft.voyage_id,
        work.actor.id,
        work.now,
        [call.row for call in calls],
        [call.version for call in calls],
        [call.mark for call in calls],
        [call.reason for call in calls],
        [call.next_voyage_id for call in calls],
        [call.next_draft_id for call in calls],
        [call.next_row for call in calls],
        [call.sex for call in calls],
        [call.age_band for call in calls],
        [call.origin_regency for call in calls],
    )
    return bool(done == f"INSERT 0 {len(calls)}")


async def take_over(work: Work, draft: Draft, numbers: Mapping[int, int]) -> None:
    """Let the next upload of a draft have what was called of these rows of it (new number → old); who is recorded has
    no call any more.

    # unscoped: the draft was found in the actor's own scope.
    """
    await work.connection.execute(
        f"INSERT INTO roll_calls (draft_id, upload, row_number, version, voyage_id, called_by, called_at, {SAID})"  # noqa: S608
        f" SELECT draft_id, upload + 1, n.now, version + $5, voyage_id, called_by, called_at, {SAID}"
        " FROM unnest($3::integer[], $4::integer[]) AS n (now, was)"
        " JOIN roll_calls r ON r.draft_id = $1 AND r.upload = $2 AND r.row_number = n.was",
        draft.draft_id,
        draft.upload,
        list(numbers),
        list(numbers.values()),
        MOST_CALLS,
    )


async def voyage_that_listed(work: Work, case_id: str) -> str | None:
    """The voyage on whose list somebody was recorded; None for who was logged one by one.

    # unscoped: the arrival was found in the actor's own scope.
    """
    found: str | None = await work.connection.fetchval(
        "SELECT voyage_id::text FROM arrivals WHERE case_id = $1 AND manifest_id IS NOT NULL", case_id
    )
    return found


async def add_absent_arrival(
    work: Work, case_id: str, *, voyage_id: str, reason: AbsenceReason, next_voyage_id: str | None
) -> None:
    """Keep why somebody whom a list had recorded was not there.

    # unscoped: the arrival was found in the actor's own scope.
    """
    await work.connection.execute(
        "INSERT INTO absent_arrivals (case_id, voyage_id, reason, next_voyage_id, said_by, said_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        case_id,
        voyage_id,
        reason,
        next_voyage_id,
        work.actor.id,
        work.now,
    )


CALLED_LAST = (
    "SELECT r.mark, r.reason, r.next_voyage_id, r.next_draft_id FROM roll_calls r WHERE r.draft_id = m.draft_id"
    " AND r.upload = m.upload AND r.row_number = h.row_number ORDER BY r.version DESC LIMIT 1"
)
"""How the person of a held row `h` of a list `m` was called last."""
HELD_BACK = (
    "h.settled_by IS NULL AND (h.settled_at IS NULL OR EXISTS (SELECT FROM arrivals l WHERE l.case_id = h.logged_as"
    " AND l.ended_as = 'entered_in_error'))"
)
"""A row `h` of a list that is held back: not settled, or by somebody logged for it whose arrival was none after all."""
ABSENT_RECORDED = (
    "a.ended_as = 'entered_in_error' AND a.manifest_id IS NOT NULL AND EXISTS (SELECT FROM arrival_corrections c"
    " WHERE c.case_id = a.case_id AND c.kind = 'entered_in_error' AND c.reason = 'never_arrived')"
)
"""Whom a list had recorded and who was not there."""


async def absent_recorded(work: Work, voyage_id: str) -> dict[str, AbsenceReason]:
    """Who was recorded by a list of a voyage and was not there, by case: why, as far as it was said.

    # unscoped: asked for only after the voyage was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT a.case_id, coalesce(s.reason, 'unknown') AS reason FROM arrivals a"  # noqa: S608 - a constant
        f" LEFT JOIN absent_arrivals s USING (case_id) WHERE a.voyage_id = $1 AND {ABSENT_RECORDED}",
        voyage_id,
    )
    return {str(row["case_id"]): row["reason"] for row in rows}


async def absent_by_reason(work: Work, voyage_id: str) -> dict[AbsenceReason, int]:
    """Who is listed on a voyage of the actor's port and absent: heads by reason.

    # unscoped: asked for only after the voyage was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT called.reason, count(*) AS heads FROM held_rows h JOIN manifests m USING (manifest_id)"  # noqa: S608
        f" CROSS JOIN LATERAL ({CALLED_LAST}) called"
        f" WHERE h.voyage_id = $1 AND {HELD_BACK} AND called.mark = 'absent' GROUP BY called.reason"
        " UNION ALL SELECT coalesce(s.reason, 'unknown'), count(*) FROM arrivals a"
        " LEFT JOIN absent_arrivals s USING (case_id)"
        f" WHERE a.voyage_id = $1 AND {ABSENT_RECORDED} GROUP BY 1",
        voyage_id,
    )
    found: Counter[AbsenceReason] = Counter()
    for row in rows:
        found[row["reason"]] += row["heads"]
    return dict(found)


async def absent_over(work: Work, voyage_id: str) -> dict[str, int]:
    """Of who is listed on a voyage and absent, who was carried over by name: heads by the voyage they come with now.

    # unscoped: asked for only after the voyage was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT called.next_voyage_id, count(*) AS heads FROM held_rows h JOIN manifests m USING (manifest_id)"  # noqa: S608
        f" CROSS JOIN LATERAL ({CALLED_LAST}) called WHERE h.voyage_id = $1 AND {HELD_BACK}"
        " AND called.mark = 'absent' AND called.next_draft_id IS NOT NULL GROUP BY called.next_voyage_id",
        voyage_id,
    )
    return {str(row["next_voyage_id"]): row["heads"] for row in rows}


def call_of(row: Record) -> Call:
    """A call from what was said in it, and when and by whom."""
    return Call(
        row["row_number"],
        row["version"],
        row["mark"],
        row["reason"],
        str(row["next_voyage_id"]) if row["next_voyage_id"] else None,
        str(row["next_draft_id"]) if row["next_draft_id"] else None,
        row["next_row"],
        row["sex"],
        row["age_band"],
        row["origin_regency"],
        row["called_by"],
        row["called_at"],
    )
