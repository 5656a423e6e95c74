"""Lists of people who roll over to a voyage, whatever port it is of: where they were put, and what holds them there."""

from asyncpg import Record

from services.intake.domain.drafts import Draft
from services.intake.store.drafts import FIELDS, Sealed, draft_of
from shared.kit.work import Work

CARRIED = (
    f"SELECT {FIELDS}, header, (SELECT wrapped_key FROM draft_keys k WHERE k.draft_id = d.draft_id) AS wrapped_key"  # noqa: S608
    " FROM drafts d WHERE form = 'carried'"
)


async def find_open(work: Work, voyage_id: str, file_digest: bytes) -> Sealed | None:
    """The list under way of those who roll over to a voyage from one list.

    # unscoped: whoever rolls over goes into it, whatever port it is of; nothing of it is shown.
    """
    await work.as_service()
    row = await work.connection.fetchrow(
        f"{CARRIED} AND voyage_id = $1 AND file_digest = $2 AND ended_at IS NULL", voyage_id, file_digest
    )
    return None if row is None else _sealed(row)


async def find(work: Work, draft_id: str) -> Sealed | None:
    """The list that somebody was carried over to.

    # unscoped: the call that names it was found in the actor's own scope; only the row that it carried is taken back.
    """
    await work.as_service()
    row = await work.connection.fetchrow(f"{CARRIED} AND draft_id = $1", draft_id)
    return None if row is None else _sealed(row)


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


async def came_over(work: Work, draft: Draft, row: int) -> bool:
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


def _sealed(row: Record) -> Sealed:
    said = {name: value for name, value in row.items() if name not in ("header", "wrapped_key")}
    key = row["wrapped_key"]
    return Sealed(draft_of(said), bytes(row["header"]), bytes(key) if key else None)
