"""Lists that are not done with and the people who are erased: which rows are theirs, and the rest under another key."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.intake.domain.drafts import Draft, Standing
from services.intake.domain.voyages import Voyage
from services.intake.store.drafts import FIELDS, LETTERS, Block, Sealed, draft_of
from services.intake.store.voyages import VOYAGE, voyage_of
from shared.contracts.codes import Sex
from shared.kit.work import Work

CODES = tuple(FIELDS.split(", "))


async def keys_of(work: Work, case_ids: Sequence[str]) -> dict[str, set[bytes]]:
    """What rows of lists these cases are recorded under, by voyage.

    # unscoped: an officer for the protection of data, or the clock, erases people of every port.
    """
    rows = await work.connection.fetch(
        "SELECT r.scope::text, r.key FROM requests r JOIN arrivals a ON a.case_id = r.case_id AND a.voyage_id = r.scope"
        " WHERE r.case_id = ANY($1::uuid[])",
        case_ids,
    )
    found: dict[str, set[bytes]] = {}
    for row in rows:
        found.setdefault(row["scope"], set()).add(bytes(row["key"]))
    return found


class Landed(NamedTuple):
    """A case of a voyage of which a list is not done with, and the sealed identity."""

    case_id: str
    person_id: str
    voyage_id: str
    sex: Sex
    origin_regency: str | None
    sealed: bytes
    wrapped_key: bytes
    is_logged: bool
    """Logged one by one, by no list."""


async def list_landed(work: Work, case_ids: Sequence[str]) -> list[Landed]:
    """Those of these cases of whose voyage a list is not done with.

    # unscoped: as `keys_of`.
    """
    rows = await work.connection.fetch(
        "SELECT a.case_id::text, a.person_id::text, a.voyage_id::text, a.sex, a.origin_regency, a.sealed,"
        " k.wrapped_key, a.manifest_id IS NULL AS is_logged"
        " FROM arrivals a JOIN person_keys k USING (person_id) WHERE a.case_id = ANY($1::uuid[])"
        " AND EXISTS (SELECT FROM drafts d WHERE d.voyage_id = a.voyage_id AND d.ended_at IS NULL)",
        case_ids,
    )
    return [Landed(**row) for row in rows]


class OfVoyage(NamedTuple):
    """A list that is not done with, and the voyage that it is of."""

    sealed: Sealed
    voyage: Voyage


async def lock_lists(work: Work, voyage_ids: Sequence[str]) -> list[OfVoyage]:
    """The lists of these voyages that are not done with; nobody changes them until this work ends.

    # unscoped: as `keys_of`.
    """
    rows = await work.connection.fetch(
        f"SELECT {', '.join(f'd.{name}' for name in CODES)}, d.header, k.wrapped_key, {VOYAGE}"  # noqa: S608 - constants
        " FROM drafts d JOIN draft_keys k USING (draft_id) JOIN voyages v ON v.voyage_id = d.voyage_id"
        " WHERE d.voyage_id = ANY($1::uuid[]) AND d.ended_at IS NULL ORDER BY d.draft_id FOR UPDATE OF d",
        voyage_ids,
    )
    return [
        OfVoyage(
            Sealed(draft_of({name: row[name] for name in CODES}), bytes(row["header"]), bytes(row["wrapped_key"])),
            voyage_of(row),
        )
        for row in rows
    ]


async def reseal(
    work: Work,
    draft: Draft,
    blocks: Sequence[Block],
    *,
    counts: Mapping[Standing, int],
    header: bytes,
    wrapped_key: bytes,
) -> None:
    """Put a list that is locked under another key, with everything that it says now; its state stays.

    # unscoped: as `keys_of`.
    """
    standings = ", ".join(f"{name} = ${n}" for n, name in enumerate(LETTERS, 9))
    await work.connection.execute(
        "WITH key AS (UPDATE draft_keys SET wrapped_key = $3 WHERE draft_id = $1),"  # noqa: S608 - constants
        " rows AS (UPDATE draft_blocks b SET standings = n.standings, sealed = n.sealed"
        " FROM unnest($6::integer[], $7::text[], $8::bytea[]) AS n (block, standings, sealed)"
        " WHERE b.draft_id = $1 AND b.block = n.block)"
        f" UPDATE drafts SET version = version + 1, header = $2, changed_by = $4, changed_at = $5, {standings}"
        " WHERE draft_id = $1",
        draft.draft_id,
        header,
        wrapped_key,
        work.actor.id,
        work.now,
        [one.block for one in blocks],
        [one.standings for one in blocks],
        [one.sealed for one in blocks],
        *(counts[name] for name in LETTERS),
    )
