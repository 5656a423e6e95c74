"""Lists of people who roll over to a voyage, whatever port it is of: where they were put, and what holds them there."""

from services.intake.domain.drafts import Draft
from services.intake.domain.reconciliation import Rolled
from services.intake.store.drafts import FIELDS, Sealed, draft_of, sealed
from services.intake.store.roll_calls import ABSENT_RECORDED
from services.intake.store.voyages import VOYAGE, voyage_of
from shared.kit.work import Work

CARRIED = f"SELECT {FIELDS} FROM drafts WHERE form = 'carried'"  # noqa: S608 - a constant


async def find_open(work: Work, voyage_id: str, file_digest: bytes) -> Sealed | None:
    """The list under way of those who roll over to a voyage from one list.

    # unscoped: whoever rolls over goes into it, whatever port it is of; nothing of it is shown.
    """
    await work.as_service()
    row = await work.connection.fetchrow(
        f"{CARRIED} AND voyage_id = $1 AND file_digest = $2 AND ended_at IS NULL", voyage_id, file_digest
    )
    return None if row is None else await sealed(work, draft_of(row))


async def find(work: Work, draft_id: str) -> Sealed | None:
    """The list that somebody was carried over to.

    # unscoped: the call that names it was found in the actor's own scope; only the row that it carried is taken back.
    """
    await work.as_service()
    row = await work.connection.fetchrow(f"{CARRIED} AND draft_id = $1", draft_id)
    return None if row is None else await sealed(work, draft_of(row))


async def is_held_back(work: Work, draft_id: str, row: int) -> bool:
    """Whether a list was sent with this row held back, and it is so still.

    # unscoped: as `find`.
    """
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM held_rows h JOIN manifests m USING (manifest_id)"
        " WHERE m.draft_id = $1 AND h.row_number = $2 AND h.settled_at IS NULL)",
        draft_id,
        row,
    )
    return found


async def is_from_elsewhere(work: Work, draft: Draft, row: int) -> bool:
    """Whether this row of a list is somebody who was carried over to it, now or once.

    # unscoped: the draft was found in the actor's own scope; nothing is said of where the person came from.
    """
    await work.as_service()
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM roll_calls WHERE next_voyage_id = $1 AND next_draft_id = $2 AND next_row = $3)",
        draft.voyage_id,
        draft.draft_id,
        row,
    )
    return found


async def came_from(work: Work, draft: Draft, row: int, voyage_id: str) -> bool:
    """Whether this row of a list is somebody who was carried over from a voyage, by whatever others.

    # unscoped: as `is_from_elsewhere`.
    """
    await work.as_service()
    found: bool = await work.connection.fetchval(
        "WITH RECURSIVE came AS ("
        " SELECT voyage_id, draft_id, row_number FROM roll_calls"
        " WHERE next_voyage_id = $1 AND next_draft_id = $2 AND next_row = $3"
        " UNION SELECT r.voyage_id, r.draft_id, r.row_number FROM roll_calls r JOIN came c"
        " ON r.next_voyage_id = c.voyage_id AND r.next_draft_id = c.draft_id AND r.next_row = c.row_number"
        ") SELECT EXISTS (SELECT FROM came WHERE voyage_id = $4)",
        draft.voyage_id,
        draft.draft_id,
        row,
        voyage_id,
    )
    return found


STANDING = """
SELECT r.voyage_id, r.next_voyage_id, r.next_draft_id, r.next_row FROM (
    SELECT DISTINCT ON (next_draft_id, next_row) * FROM roll_calls
    WHERE {those} AND next_draft_id IS NOT NULL ORDER BY next_draft_id, next_row, upload DESC
) r WHERE NOT EXISTS (
    SELECT FROM roll_calls l WHERE l.draft_id = r.draft_id AND l.upload = r.upload AND l.row_number = r.row_number
    AND l.version > r.version
)
"""
"""Who was carried over and not taken back, each person once, however often a corrected file took the call over."""
LANDED = "a.ended_as IS DISTINCT FROM 'entered_in_error'"
BY_ITS_LIST = (
    "FROM arrivals a JOIN manifests m USING (manifest_id)"
    " WHERE m.draft_id = c.next_draft_id AND a.manifest_row = c.next_row AND a.voyage_id = c.next_voyage_id"
)
"""Whom the list that people were carried to has recorded."""
LOGGED = (
    "FROM held_rows h JOIN manifests m USING (manifest_id) JOIN arrivals a ON a.case_id = h.logged_as"
    " WHERE m.draft_id = c.next_draft_id AND h.row_number = c.next_row AND h.settled_by IS NULL AND " + LANDED
)
"""Whom it held back, and who was logged one by one there."""
ERASED = (
    "FROM (SELECT DISTINCT voyage_id, next_voyage_id, next_draft_id FROM carried) c"
    " JOIN manifests m ON m.draft_id = c.next_draft_id"
    " JOIN arrivals a ON a.manifest_id = m.manifest_id AND a.voyage_id = c.next_voyage_id AND a.manifest_row IS NULL"
)
"""Whom it has recorded and who were erased since: which row was theirs is not kept."""
ROLLED = (
    f"WITH carried AS ({STANDING}), erased AS (SELECT c.{{other}} AS voyage_id,"  # noqa: S608 - constants
    f" count(*) FILTER (WHERE {LANDED} OR {ABSENT_RECORDED}) AS listed, count(*) FILTER (WHERE {LANDED}) AS arrived"
    f" {ERASED} GROUP BY 1), counted AS (SELECT c.{{other}} AS voyage_id, count(*) AS carried,"
    f" count(*) FILTER (WHERE EXISTS (SELECT {BY_ITS_LIST} AND ({LANDED} OR {ABSENT_RECORDED})) OR EXISTS ("
    " SELECT FROM held_rows h JOIN manifests m USING (manifest_id) WHERE m.draft_id = c.next_draft_id"
    " AND h.row_number = c.next_row AND h.settled_by IS NULL)) AS listed,"
    f" count(*) FILTER (WHERE EXISTS (SELECT {BY_ITS_LIST} AND {LANDED}) OR EXISTS (SELECT {LOGGED})) AS arrived"
    " FROM carried c GROUP BY 1)"
    f" SELECT {VOYAGE}, counted.carried, counted.listed + coalesce(erased.listed, 0) AS listed,"
    " counted.arrived + coalesce(erased.arrived, 0) AS arrived"
    " FROM counted LEFT JOIN erased USING (voyage_id) JOIN voyages v USING (voyage_id)"
    " ORDER BY v.expected_at, v.voyage_id"
)


async def came_over(work: Work, voyage_id: str) -> list[Rolled]:
    """Who was carried over to a voyage, by the voyage that they were to come with.

    # unscoped: asked for only after the voyage was found in the actor's own scope; of others, ships and heads alone.
    """
    return await _rolled(work, ROLLED.format(those="next_voyage_id = $1", other="voyage_id"), voyage_id)


async def went_over(work: Work, voyage_id: str) -> list[Rolled]:
    """Who was carried over from a voyage, by the voyage that they come with now.

    # unscoped: as `came_over`.
    """
    return await _rolled(work, ROLLED.format(those="voyage_id = $1", other="next_voyage_id"), voyage_id)


async def recorded_of(work: Work, voyage_id: str) -> frozenset[str]:
    """The cases of those who were carried over to a voyage and recorded there as landed.

    # unscoped: as `came_over`.
    """
    await work.as_service()
    rows = await work.connection.fetch(
        f"WITH carried AS ({STANDING.format(those='next_voyage_id = $1')})"  # noqa: S608 - constants
        " SELECT l.case_id FROM carried c CROSS JOIN LATERAL"
        f" (SELECT a.case_id {BY_ITS_LIST} AND {LANDED} UNION SELECT a.case_id {LOGGED}) l"
        f" UNION SELECT a.case_id {ERASED} WHERE {LANDED}",
        voyage_id,
    )
    return frozenset(str(row["case_id"]) for row in rows)


async def awaited_at(work: Work, voyage_id: str) -> dict[str, int]:
    """Who is to come with a voyage and stands on no list of it, by the voyage that had recorded them.

    # unscoped: as `came_over`.
    """
    await work.as_service()
    rows = await work.connection.fetch(
        "SELECT voyage_id, count(*) AS heads FROM absent_arrivals WHERE next_voyage_id = $1 GROUP BY voyage_id",
        voyage_id,
    )
    return {str(row["voyage_id"]): row["heads"] for row in rows}


async def _rolled(work: Work, statement: str, voyage_id: str) -> list[Rolled]:
    await work.as_service()
    rows = await work.connection.fetch(statement, voyage_id)
    return [Rolled(voyage_of(row), row["carried"], row["listed"], row["arrived"]) for row in rows]
