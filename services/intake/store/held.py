"""Rows of lists that are held back: what is kept of them to know them again, and what has settled them."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from services.intake.domain.drafts import Draft
from services.intake.domain.held import Held, reference
from services.intake.store.arrivals import Fetches
from shared.contracts.codes import Sex
from shared.kit.work import Work


class NewHeld(NamedTuple):
    row: int
    said: tuple[str, ...]
    mark: bytes


async def add(work: Work, manifest_id: str, rows: Sequence[NewHeld], *, voyage_id: str) -> None:
    """Keep that rows of a list are held back; again changes nothing."""
    await work.connection.execute(
        "INSERT INTO held_rows (manifest_id, row_number, voyage_id, said, mark)"
        " SELECT $1, h.row_number, $2, string_to_array(h.said, ' '), h.mark"
        " FROM unnest($3::integer[], $4::text[], $5::bytea[]) AS h (row_number, said, mark) ON CONFLICT DO NOTHING",
        manifest_id,
        voyage_id,
        [row.row for row in rows],
        [" ".join(row.said) for row in rows],
        [row.mark for row in rows],
    )


async def list_open(work: Work, voyage_id: str, *, before: str | None = None) -> list[Held]:
    """The rows of a voyage that are still held back, of lists before this one when it is given.

    # unscoped: asked for only after policy has let the voyage pass.
    """
    rows = await work.connection.fetch(
        "SELECT h.manifest_id, h.row_number, h.said, h.mark, m.file_digest"
        " FROM held_rows h JOIN manifests m USING (manifest_id)"
        " WHERE h.voyage_id = $1 AND h.settled_at IS NULL AND ($2::uuid IS NULL OR h.manifest_id < $2::uuid)"
        " ORDER BY h.manifest_id, h.row_number",
        voyage_id,
        before,
    )
    return [
        Held(
            str(row["manifest_id"]),
            row["row_number"],
            tuple(row["said"]),
            bytes(row["mark"]),
            reference(bytes(row["file_digest"]), row["row_number"]),
        )
        for row in rows
    ]


async def holding(database: Fetches, voyage_ids: Collection[str]) -> set[str]:
    """Those of the voyages of which a row is held back.

    # unscoped: asked for only after policy has let the voyages pass.
    """
    rows = await database.fetch(
        "SELECT v.voyage_id FROM unnest($1::uuid[]) AS v (voyage_id) WHERE EXISTS ("
        "SELECT FROM held_rows h WHERE h.voyage_id = v.voyage_id AND h.settled_at IS NULL)",
        list(voyage_ids),
    )
    return {str(row["voyage_id"]) for row in rows}


NOTHING = "said = '{}', mark = decode(repeat('00', 16), 'hex')"
"""What is kept of a row that is held back no longer: nobody compares it with anything again."""


async def settle(work: Work, rows: Sequence[Held], *, by: str | None = None, logged_as: str | None = None) -> None:
    """Hold rows back no longer: their people stand in the list `by`, or were logged one by one as this case."""
    await work.connection.execute(
        f"UPDATE held_rows h SET settled_by = $1, settled_at = $2, logged_as = $5, {NOTHING}"  # noqa: S608 - a constant
        " FROM unnest($3::uuid[], $4::integer[]) AS s (manifest_id, row_number)"
        " WHERE h.manifest_id = s.manifest_id AND h.row_number = s.row_number AND h.settled_at IS NULL",
        by,
        work.now,
        [row.manifest_id for row in rows],
        [row.row for row in rows],
        logged_as,
    )


async def logged_for(work: Work, draft: Draft) -> dict[int, str]:
    """The rows of a draft, as they are numbered now, for which somebody was logged one by one, and the cases.

    # unscoped: asked for only after the draft was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT h.row_number, h.logged_as FROM held_rows h JOIN manifests m USING (manifest_id)"
        " JOIN arrivals a ON a.case_id = h.logged_as WHERE m.draft_id = $1 AND m.upload = $2 AND m.voyage_id = $3"
        " AND h.settled_by IS NULL AND a.ended_as IS DISTINCT FROM 'entered_in_error'",
        draft.draft_id,
        draft.upload,
        draft.voyage_id,
    )
    return {row["row_number"]: str(row["logged_as"]) for row in rows}


async def settle_logged_again(work: Work, manifest_id: str) -> None:
    """Whoever was logged one by one for a row of a draft stands in the list that it is sent as now, and in none before;
    of the same file nobody holds the row back again, unless that arrival was none.

    # unscoped: a list that the actor has just taken in.
    """
    await work.connection.execute(
        "WITH logged AS (SELECT h.manifest_id, h.row_number, h.logged_as, m.upload FROM manifests n"  # noqa: S608
        " JOIN manifests m ON m.voyage_id = n.voyage_id AND m.draft_id = n.draft_id AND m.manifest_id < n.manifest_id"
        " JOIN held_rows h ON h.manifest_id = m.manifest_id AND h.settled_at IS NOT NULL AND h.settled_by IS NULL"
        " WHERE n.manifest_id = $1), before AS (UPDATE held_rows h SET settled_by = $1 FROM logged"
        " WHERE h.manifest_id = logged.manifest_id AND h.row_number = logged.row_number)"
        f" UPDATE held_rows h SET settled_at = $2, logged_as = logged.logged_as, {NOTHING} FROM logged, manifests n"
        " WHERE h.manifest_id = $1 AND h.settled_at IS NULL AND n.manifest_id = $1 AND n.upload = logged.upload"
        " AND h.row_number = logged.row_number AND NOT EXISTS (SELECT FROM arrivals l"
        " WHERE l.case_id = logged.logged_as AND l.ended_as = 'entered_in_error')",
        manifest_id,
        work.now,
    )


async def settle_as_logged(work: Work, manifest_id: str, rows: Mapping[int, str]) -> None:
    """Hold rows of a list back no longer, the cases of whose people (by row) were logged one by one before it came.

    Of all lists that have them the latest alone counts them; the cases are locked.
    # unscoped: a list that the actor has just taken in.
    """
    await work.connection.execute(
        "WITH logged AS (SELECT * FROM unnest($3::integer[], $4::uuid[]) AS l (row_number, case_id)),"  # noqa: S608
        " before AS (UPDATE held_rows h SET settled_by = $1 FROM logged, manifests n WHERE n.manifest_id = $1"
        " AND h.voyage_id = n.voyage_id AND h.manifest_id < $1 AND h.logged_as = logged.case_id"
        " AND h.settled_by IS NULL)"
        f" UPDATE held_rows h SET settled_at = $2, logged_as = logged.case_id, settled_by = (SELECT o.manifest_id"
        " FROM held_rows o WHERE o.voyage_id = h.voyage_id AND o.manifest_id > $1 AND o.logged_as = logged.case_id"
        f" AND o.settled_by IS NULL LIMIT 1), {NOTHING} FROM logged"
        " WHERE h.manifest_id = $1 AND h.row_number = logged.row_number AND h.settled_at IS NULL",
        manifest_id,
        work.now,
        list(rows),
        list(rows.values()),
    )


class OneByOne(NamedTuple):
    """Somebody who was logged one by one for a voyage, with the sealed identity."""

    case_id: str
    person_id: str
    sex: Sex
    origin_regency: str | None
    sealed: bytes
    wrapped_key: bytes


async def list_one_by_one(
    database: Fetches, voyage_id: str, *, after: str | None, limit: int, by_list: bool = False
) -> list[OneByOne]:
    """Who was logged one by one for a voyage and landed, in order, `limit` of them after a case; nobody who was erased.

    `by_list`: those whom lists recorded instead.

    # unscoped: asked for only after policy has let the voyage pass.
    """
    rows = await database.fetch(
        "SELECT a.case_id::text, a.person_id::text, a.sex, a.origin_regency, a.sealed, k.wrapped_key"
        " FROM arrivals a JOIN person_keys k USING (person_id) WHERE a.voyage_id = $1"
        " AND (a.manifest_id IS NOT NULL) = $4"
        " AND a.ended_as IS DISTINCT FROM 'entered_in_error' AND ($2::uuid IS NULL OR a.case_id > $2::uuid)"
        " ORDER BY a.case_id LIMIT $3",
        voyage_id,
        after,
        limit,
        by_list,
    )
    return [OneByOne(**row) for row in rows]


async def settle_lists(work: Work, manifest_ids: Sequence[str], *, by: str) -> None:
    """Hold back nothing of lists that a later one has taken the place of."""
    await work.connection.execute(
        f"UPDATE held_rows SET settled_by = $1, settled_at = $2, {NOTHING}"  # noqa: S608 - a constant
        " WHERE manifest_id = ANY($3::uuid[]) AND settled_at IS NULL",
        by,
        work.now,
        manifest_ids,
    )
