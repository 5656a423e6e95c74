"""Drafts: codes and counts in the clear, what they say sealed in blocks of rows; each read only the port's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from asyncpg import Record

from services.intake.domain.drafts import Before, Differences, Draft, Edit, Finding, Header, Line, Standing, State
from services.intake.domain.grids import Typed, kind_of
from services.intake.store.vault.drafting import DraftKey
from shared.kit.work import Work

BLOCK = 500
"""Rows in a block: a list of any length is opened and written piece by piece."""
MOST_OPEN = 200
LETTERS: dict[Standing, str] = {
    "ready": "r",
    "mend": "m",
    "twice": "t",
    "known": "k",
    "empty": "e",
    "left_out": "o",
    "absent": "a",
}
HEADER_LISTS = ("heading", "others", "hidden_rows", "hidden_columns", "asks", "undecided")
MEANT = {letter: standing for standing, letter in LETTERS.items()}
FIELDS = (
    "draft_id, voyage_id, port, state, form, upload, version, lines, ready, mend, twice, known, empty, left_out,"
    " absent, owner, created_at, changed_by, changed_at, ended_at, asks"
)


class Block(NamedTuple):
    """Some rows of a draft, sealed; a letter of `standings` for each."""

    block: int
    standings: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to keep. `counts` has a number for each standing; `sender` is a keyed digest."""

    draft_id: str
    voyage_id: str
    port: str
    form: str
    file_digest: bytes
    sender: bytes | None
    counts: Mapping[Standing, int]
    header: bytes
    wrapped_key: bytes
    asks: Sequence[str] = ()


ADD = """
WITH kept AS (
    INSERT INTO drafts (draft_id, voyage_id, port, state, form, file_digest, sender, upload, version, lines, ready,
        mend, twice, known, empty, left_out, header, owner, created_at, changed_by, changed_at, asks, absent)
    VALUES ($1, $2, $3, 'open', $4, $5, $6, 1, 1, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $15, $16, $21, $22)
    ON CONFLICT (voyage_id, file_digest) WHERE ended_at IS NULL DO NOTHING RETURNING draft_id
), rows AS (
    INSERT INTO draft_blocks (draft_id, block, standings, sealed)
    SELECT kept.draft_id, b.block, b.standings, b.sealed
    FROM kept, unnest($17::integer[], $18::text[], $19::bytea[]) AS b (block, standings, sealed)
), key AS (INSERT INTO draft_keys (draft_id, wrapped_key) SELECT draft_id, $20 FROM kept)
SELECT count(*) FROM kept
"""


async def add(work: Work, draft: NewDraft, blocks: Sequence[Block]) -> None:
    """Keep a draft, in one statement; nothing where the same file is a draft of the voyage already.

    # unscoped: the voyage was found in the actor's own scope; keys are written by the service itself.
    """
    await work.as_service()
    await work.connection.execute(
        ADD,
        draft.draft_id,
        draft.voyage_id,
        draft.port,
        draft.form,
        draft.file_digest,
        draft.sender,
        sum(draft.counts.values()),
        *_counts(draft.counts),
        draft.header,
        work.actor.id,
        work.now,
        *_columns(blocks),
        draft.wrapped_key,
        list(draft.asks),
        draft.counts["absent"],
    )


async def find(work: Work, draft_id: str) -> Draft | None:
    """A draft of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {FIELDS} FROM drafts WHERE draft_id = $1 AND port = $2",  # noqa: S608 - a constant
        draft_id,
        work.actor.port,
    )
    return None if row is None else draft_of(row)


async def find_by_file(work: Work, voyage_id: str, file_digest: bytes) -> Draft | None:
    """The draft under way of a voyage of the actor's port that came as this very file."""
    row = await work.connection.fetchrow(
        f"SELECT {FIELDS} FROM drafts"  # noqa: S608 - a constant
        " WHERE voyage_id = $1 AND file_digest = $2 AND port = $3 AND ended_at IS NULL",
        voyage_id,
        file_digest,
        work.actor.port,
    )
    return None if row is None else draft_of(row)


async def list_under_way(work: Work, *, voyage_id: str | None = None) -> list[Draft]:
    """Drafts of the actor's port that are not done with, the latest touched first; with a voyage, of that alone."""
    rows = await work.connection.fetch(
        f"SELECT {FIELDS} FROM drafts"  # noqa: S608 - a constant
        " WHERE port = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR voyage_id = $2::uuid)"
        " ORDER BY changed_at DESC, draft_id DESC LIMIT $3",
        work.actor.port,
        voyage_id,
        MOST_OPEN,
    )
    return [draft_of(row) for row in rows]


class Sealed(NamedTuple):
    """A draft as it is kept. `wrapped_key` is None once it has ended."""

    draft: Draft
    header: bytes
    wrapped_key: bytes | None


async def find_sealed(work: Work, draft_id: str) -> Sealed | None:
    """A draft of the actor's port with its key, which the service itself reads for whom it was found."""
    draft = await find(work, draft_id)
    if draft is None:
        return None
    return await sealed(work, draft)


async def sealed(work: Work, draft: Draft) -> Sealed:
    """A draft with its key. Until this work ends nobody puts it under another one: all that is read of it opens.

    # unscoped: the draft was found in the actor's own scope, or is one of people who are carried over.
    """
    await work.as_service()
    key = await work.connection.fetchval(
        "SELECT wrapped_key FROM draft_keys WHERE draft_id = $1 FOR SHARE", draft.draft_id
    )
    header = await work.connection.fetchval("SELECT header FROM drafts WHERE draft_id = $1", draft.draft_id)
    return Sealed(draft, bytes(header), bytes(key) if key else None)


async def standings_of(work: Work, draft_id: str) -> list[tuple[int, str]]:
    """Each block's number and standings, in order.

    # unscoped: asked for only after the draft was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT block, standings FROM draft_blocks WHERE draft_id = $1 ORDER BY block", draft_id
    )
    return [(row["block"], row["standings"]) for row in rows]


async def blocks_of(work: Work, draft_id: str, numbers: Sequence[int] | None = None) -> list[Block]:
    """The blocks of a draft in order, all or those of these numbers.

    # unscoped: asked for only after the draft was found in the actor's own scope.
    """
    rows = await work.connection.fetch(
        "SELECT block, standings, sealed FROM draft_blocks"
        " WHERE draft_id = $1 AND ($2::integer[] IS NULL OR block = ANY($2::integer[])) ORDER BY block",
        draft_id,
        numbers,
    )
    return [Block(row["block"], row["standings"], bytes(row["sealed"])) for row in rows]


CHANGE = """
WITH changed AS (
    UPDATE drafts SET version = version + 1, upload = upload + $3, state = $4, lines = $5, ready = $6, mend = $7,
        twice = $8, known = $9, empty = $10, left_out = $11, header = $12, changed_by = $13, changed_at = $14,
        file_digest = coalesce($18, file_digest), asks = $21, absent = $22
    WHERE draft_id = $1 AND version = $2 AND state = $20 RETURNING draft_id
), fewer AS (
    DELETE FROM draft_blocks b USING changed WHERE b.draft_id = changed.draft_id AND b.block >= $19
), others AS (
    INSERT INTO draft_blocks (draft_id, block, standings, sealed)
    SELECT changed.draft_id, b.block, b.standings, b.sealed
    FROM changed, unnest($15::integer[], $16::text[], $17::bytea[]) AS b (block, standings, sealed)
    ON CONFLICT (draft_id, block) DO UPDATE SET standings = excluded.standings, sealed = excluded.sealed
) SELECT count(*) FROM changed
"""


async def change(
    work: Work,
    draft: Draft,
    blocks: Sequence[Block],
    *,
    counts: Mapping[Standing, int],
    header: bytes,
    in_all: int,
    was: State = "open",
    file_digest: bytes | None = None,
    asks: Sequence[str] = (),
) -> bool:
    """Write what is different of a draft that is still at the version which was read, and open from then on.

    False when it is not any more at that version, or not in the state that it `was` to be in.

    `in_all` is how many blocks it has from now on; with `file_digest` another file was uploaded into it.

    # unscoped: the draft was found in the actor's own scope.
    """
    done: int = await work.connection.fetchval(
        CHANGE,
        draft.draft_id,
        draft.version,
        int(file_digest is not None),
        "open",
        sum(counts.values()),
        *_counts(counts),
        header,
        work.actor.id,
        work.now,
        *_columns(blocks),
        file_digest,
        in_all,
        was,
        list(asks),
        counts["absent"],
    )
    return done == 1


async def hold(work: Work, draft_id: str, *, to_end_it: bool = False) -> Draft | None:
    """A draft of the actor's port, which nobody changes or begins to send until this work ends; nobody else holds what
    is held `to_end_it`.
    """
    row = await work.connection.fetchrow(
        f"SELECT {FIELDS} FROM drafts WHERE draft_id = $1 AND port = $2 FOR {'UPDATE' if to_end_it else 'SHARE'}",  # noqa: S608
        draft_id,
        work.actor.port,
    )
    return None if row is None else draft_of(row)


async def begin_sending(work: Work, draft: Draft) -> bool:
    """Let nobody change a draft from here on until it is sent; False when it has another version or has ended.

    # unscoped: the draft was found in the actor's own scope.
    """
    done = await work.connection.execute(
        "UPDATE drafts SET state = 'sending', changed_by = $3, changed_at = $4"
        " WHERE draft_id = $1 AND version = $2 AND ended_at IS NULL",
        draft.draft_id,
        draft.version,
        work.actor.id,
        work.now,
    )
    return bool(done == "UPDATE 1")


END = """
WITH ended AS (
    UPDATE drafts SET state = $2, header = '', ended_at = $3, changed_at = $3, changed_by = $4
    WHERE draft_id = ANY($1::uuid[]) AND ended_at IS NULL RETURNING draft_id
), rows AS (DELETE FROM draft_blocks b USING ended WHERE b.draft_id = ended.draft_id),
keys AS (DELETE FROM draft_keys k USING ended WHERE k.draft_id = ended.draft_id)
SELECT count(*) FROM ended
"""


async def end(work: Work, draft_ids: Sequence[str], state: State) -> int:
    """Destroy the keys of drafts and what they say; answers how many had not ended before.

    # unscoped: each was found in the actor's own scope, or is ended by the service itself.
    """
    await work.as_service()
    done: int = await work.connection.fetchval(END, draft_ids, state, work.now, work.actor.id)
    return done


async def remember_columns(work: Work, sender: bytes, columns: Mapping[bytes, str]) -> None:
    """Keep what a sender means by headings (keyed digest → field, "" for none), in place of what was kept before."""
    await work.connection.execute(
        "INSERT INTO sender_columns (port, sender, heading, field, said_by, said_at)"
        " SELECT $1, $2, c.heading, c.field, $5, $6 FROM unnest($3::bytea[], $4::text[]) AS c (heading, field)"
        " ON CONFLICT (port, sender, heading) DO UPDATE SET field = excluded.field, said_by = excluded.said_by,"
        " said_at = excluded.said_at",
        work.actor.port,
        sender,
        list(columns),
        list(columns.values()),
        work.actor.id,
        work.now,
    )


async def columns_of(work: Work, sender: bytes) -> dict[bytes, str]:
    """What a sender means by headings, as somebody of the actor's port once said."""
    rows = await work.connection.fetch(
        "SELECT heading, field FROM sender_columns WHERE port = $1 AND sender = $2", work.actor.port, sender
    )
    return {bytes(row["heading"]): row["field"] for row in rows}


def sealed_blocks(key: DraftKey, lines: Sequence[Line], before: Sequence[Line] = ()) -> list[Block]:
    """Lines as sealed blocks; with `before` only the blocks that are different from those."""
    blocks = []
    for n, start in enumerate(range(0, len(lines), BLOCK)):
        some = lines[start : start + BLOCK]
        if list(before[start : start + BLOCK]) != list(some):
            standings = "".join(LETTERS[line.standing] for line in some)
            blocks.append(Block(n, standings, key.seal(f"block {n}", _bytes(list(map(_plain, some))))))
    return blocks


def opened_lines(key: DraftKey, blocks: Sequence[Block]) -> list[Line]:
    """The lines in sealed blocks. Raises `Damaged`."""
    lines: list[Line] = []
    for block in blocks:
        rows = json.loads(key.open(f"block {block.block}", block.sealed))
        lines += [_line(row, MEANT[letter]) for row, letter in zip(rows, block.standings, strict=True)]
    return lines


def sealed_header(key: DraftKey, header: Header) -> bytes:
    above = [[*map(_plain_cell, row)] for row in header.above]
    return key.seal("header", _bytes({**asdict(header), "above": above}))


def opened_header(key: DraftKey, sealed: bytes) -> Header:
    """Raises `Damaged`."""
    said = json.loads(key.open("header", sealed))
    told = said["differences"]
    differences = told and Differences(
        told["same"], **{name: tuple(rows) for name, rows in told.items() if name != "same"}
    )
    lists = {name: tuple(said[name]) for name in HEADER_LISTS if name in said}
    above = tuple(tuple(map(_cell, row)) for row in said.get("above", ()))
    return Header(**{**said, **lists, "differences": differences, "above": above})


def blocks_in(lines: int) -> int:
    """How many blocks so many lines are."""
    return -(-lines // BLOCK)


WHOLE = 7
"""So much is kept of a line; the last two are left out of one that came with the first upload."""


def _plain(line: Line) -> list[object]:
    cells = [*map(_plain_cell, line.cells)]
    before = line.recorded and [line.recorded.said, line.recorded.person.hex()]
    more = [line.since, before] if line.since or before else []
    return [line.number, cells, line.findings, line.warnings, line.edits, *more]


def _line(row: list[Any], standing: Standing) -> Line:
    number, cells, findings, warnings, edits, since, before = row if len(row) == WHOLE else (*row, 0, None)
    return Line(
        number,
        tuple(map(_cell, cells)),
        standing,
        tuple(Finding(*one) for one in findings),
        tuple(Finding(*one) for one in warnings),
        tuple(Edit(*one) for one in edits),
        since,
        Before(before[0], bytes.fromhex(before[1])) if before else None,
    )


def _plain_cell(cell: str) -> str | list[str]:
    kind = kind_of(cell)
    return cell if kind is None else [cell, kind]


def _cell(plain: Any) -> str:
    return plain if isinstance(plain, str) else Typed(*plain)


def _bytes(value: object) -> bytes:
    """As JSON in ASCII: a cell may hold half a character, which UTF-8 has no bytes for."""
    return json.dumps(value, separators=(",", ":")).encode()


def _counts(counts: Mapping[Standing, int]) -> list[int]:
    return [counts[standing] for standing in LETTERS if standing != "absent"]


def _columns(blocks: Sequence[Block]) -> tuple[list[int], list[str], list[bytes]]:
    return [b.block for b in blocks], [b.standings for b in blocks], [b.sealed for b in blocks]


def draft_of(row: Record | Mapping[str, Any]) -> Draft:
    """A draft from its `FIELDS`."""
    told = {"draft_id": str(row["draft_id"]), "voyage_id": str(row["voyage_id"]), "asks": tuple(row["asks"])}
    return Draft(**{**row, **told})
