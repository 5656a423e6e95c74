"""Every SQL statement of the ledger. Trails are not scoped by row: `policy` lets in auditors only, and whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.audit.domain.leaves import Leaf
from services.audit.domain.tiles import Tile
from shared.kit.work import Work

SEQUENCER_LOCK = (7_210, 0)
SEALER_LOCK = (7_210, 1)


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A leaf before it has a place in the tree."""

    event_id: str
    source: str
    type: str
    case_id: str
    case_seq: int
    occurred_at: datetime
    commitment: bytes
    hash: bytes
    salt: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint as it was signed."""

    size: int
    root: bytes
    note: str
    verifier_key: str
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A case that a search met."""

    case_id: str
    entries: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """How far the ledger is: leaves that are stored, and when the oldest that no checkpoint covers came."""

    leaves: int
    waiting_since: datetime | None


async def lock_sequencer(work: Work) -> None:
    """Make this work the only one that gives places in the tree, until it ends."""
    await work.connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *SEQUENCER_LOCK)


async def add_leaves(work: Work, leaves: Sequence[NewLeaf]) -> None:
    """Append the leaves whose event has none yet, in this order; the caller holds the sequencer's lock."""
    await work.connection.execute(
        """
        INSERT INTO leaves (leaf_index, event_id, source, type, case_id, case_seq, occurred_at, commitment, leaf_hash,
            salt, payload, received_at)
        SELECT next.place + row_number() OVER (ORDER BY t.n), t.event_id, t.source, t.type, t.case_id, t.case_seq,
            t.occurred_at, t.commitment, t.leaf_hash, t.salt, t.payload, $11
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::integer[], $6::timestamptz[], $7::bytea[],
                $8::bytea[], $9::bytea[], $10::bytea[])
            WITH ORDINALITY AS t (event_id, source, type, case_id, case_seq, occurred_at, commitment, leaf_hash, salt,
                payload, n),
            (SELECT coalesce(max(leaf_index), -1) AS place FROM leaves) AS next
        WHERE NOT EXISTS (SELECT FROM leaves known WHERE known.event_id = t.event_id)
        ORDER BY t.n
        """,
        [leaf.event_id for leaf in leaves],
        [leaf.source for leaf in leaves],
        [leaf.type for leaf in leaves],
        [leaf.case_id for leaf in leaves],
        [leaf.case_seq for leaf in leaves],
        [leaf.occurred_at for leaf in leaves],
        [leaf.commitment for leaf in leaves],
        [leaf.hash for leaf in leaves],
        [leaf.salt for leaf in leaves],
        [leaf.payload for leaf in leaves],
        work.now,
    )


async def redact_leaves(work: Work, event_ids: Sequence[str]) -> int:
    """Take salt and payload away from these leaves; answers how many still had them."""
    done: str = await work.connection.execute(
        "UPDATE leaves SET salt = NULL, payload = NULL, redacted_at = $2"
        " WHERE event_id = ANY($1::uuid[]) AND redacted_at IS NULL",
        list(event_ids),
        work.now,
    )
    return int(done.rsplit(" ", 1)[-1])


async def lock_sealer(work: Work) -> bool:
    """Try to be the only one that seals, until the work ends.

    What is signed is seen by others, so this commit waits for the disk whatever the server's default is.
    """
    taken: bool = await work.connection.fetchval(
        "SELECT pg_try_advisory_xact_lock($1, $2) AND set_config('synchronous_commit', 'on', TRUE) IS NOT NULL",
        *SEALER_LOCK,
    )
    return taken


async def find_head(work: Work, sealed: int) -> Head:
    """How far the ledger is, given the size of its last checkpoint."""
    row = await work.connection.fetchrow(
        "SELECT (SELECT coalesce(max(leaf_index) + 1, 0) FROM leaves) AS leaves,"
        " (SELECT received_at FROM leaves WHERE leaf_index = $1) AS waiting_since",
        sealed,
    )
    return Head(row["leaves"], row["waiting_since"])


async def list_leaf_hashes(work: Work, first: int, limit: int) -> list[bytes]:
    """The leaf hashes from `first` on, in order, up to the first hole."""
    rows = await work.connection.fetch(
        "SELECT leaf_index, leaf_hash FROM leaves WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index",
        first,
        first + limit,
    )
    return [row["leaf_hash"] for place, row in enumerate(rows, start=first) if row["leaf_index"] == place]


async def find_tiles(work: Work, places: Iterable[Tile]) -> dict[Tile, bytes]:
    """Those of these tiles that exist."""
    wanted = list(places)
    rows = await work.connection.fetch(
        "SELECT t.level, t.tile_index, t.hashes FROM tiles t"
        " JOIN unnest($1::smallint[], $2::bigint[]) AS w (level, tile_index) USING (level, tile_index)",
        [level for level, _ in wanted],
        [index for _, index in wanted],
    )
    return {(row["level"], row["tile_index"]): row["hashes"] for row in rows}


async def list_tiles_from(work: Work, lowest: int) -> dict[Tile, bytes]:
    """All tiles from this level up."""
    rows = await work.connection.fetch("SELECT level, tile_index, hashes FROM tiles WHERE level >= $1", lowest)
    return {(row["level"], row["tile_index"]): row["hashes"] for row in rows}


async def save_tiles(work: Work, tiles: dict[Tile, bytes]) -> None:
    """Write new tiles and grow open ones."""
    await work.connection.execute(
        "INSERT INTO tiles (level, tile_index, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])"
        " ON CONFLICT ON CONSTRAINT tile_has_one_place DO UPDATE SET hashes = excluded.hashes",
        [level for level, _ in tiles],
        [index for _, index in tiles],
        list(tiles.values()),
    )


async def add_checkpoint(work: Work, sealed: Sealed) -> None:
    """Keep a signed checkpoint; a second one for the same size violates `size_has_one_root`."""
    await work.connection.execute(
        "INSERT INTO checkpoints (tree_size, root, note, verifier_key, sealed_at) VALUES ($1, $2, $3, $4, $5)",
        sealed.size,
        sealed.root,
        sealed.note,
        sealed.verifier_key,
        sealed.sealed_at,
    )


async def list_last_checkpoints(work: Work, limit: int) -> list[Sealed]:
    """The newest checkpoints, newest first."""
    rows = await work.connection.fetch(
        "SELECT tree_size, root, note, verifier_key, sealed_at FROM checkpoints ORDER BY tree_size DESC LIMIT $1", limit
    )
    return [_sealed(row) for row in rows]


async def list_checkpoints(work: Work, *, after: int, upto: int) -> list[Sealed]:
    """The checkpoints over more than `after` leaves and at most `upto`, smallest first."""
    rows = await work.connection.fetch(
        "SELECT tree_size, root, note, verifier_key, sealed_at FROM checkpoints"
        " WHERE tree_size > $1 AND tree_size <= $2 ORDER BY tree_size",
        after,
        upto,
    )
    return [_sealed(row) for row in rows]


async def list_leaves_of_case(work: Work, case_id: str) -> list[Leaf]:
    """Every leaf of a case, in the order of the ledger."""
    rows = await work.connection.fetch(
        "SELECT leaf_index, event_id, source, type, case_id, case_seq, occurred_at, commitment, leaf_hash, salt,"
        " payload FROM leaves WHERE case_id = $1 ORDER BY leaf_index",
        case_id,
    )
    return [_leaf(row) for row in rows]


async def list_leaves(work: Work, first: int, limit: int) -> list[Leaf]:
    """Up to `limit` leaves from `first` on, in the order of the ledger."""
    rows = await work.connection.fetch(
        "SELECT leaf_index, event_id, source, type, case_id, case_seq, occurred_at, commitment, leaf_hash, salt,"
        " payload FROM leaves WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2",
        first,
        limit,
    )
    return [_leaf(row) for row in rows]


async def find_cases(work: Work, lowest_id: str, highest_id: str, limit: int) -> list[Found]:
    """The cases whose id lies between two ids, those included."""
    rows = await work.connection.fetch(
        "SELECT case_id, count(*) AS entries, min(occurred_at) AS first_at, max(occurred_at) AS last_at FROM leaves"
        " WHERE case_id BETWEEN $1 AND $2 GROUP BY case_id ORDER BY case_id LIMIT $3",
        lowest_id,
        highest_id,
        limit,
    )
    return [Found(str(row["case_id"]), row["entries"], row["first_at"], row["last_at"]) for row in rows]


async def find_cases_by_tail(work: Work, tail: str, limit: int) -> list[Found]:
    """The cases whose id ends with these ten hexadecimal digits; their first row leads to them."""
    rows = await work.connection.fetch(
        "SELECT f.case_id, l.* FROM (SELECT DISTINCT case_id FROM leaves"
        "  WHERE case_seq = 1 AND right(case_id::text, 10) = $1 ORDER BY case_id LIMIT $2) f CROSS JOIN LATERAL ("
        "  SELECT count(*) AS entries, min(occurred_at) AS first_at, max(occurred_at) AS last_at FROM leaves"
        "  WHERE case_id = f.case_id) l ORDER BY f.case_id",
        tail,
        limit,
    )
    return [Found(str(row["case_id"]), row["entries"], row["first_at"], row["last_at"]) for row in rows]


def _leaf(row: Any) -> Leaf:
    return Leaf(
        index=row["leaf_index"],
        event_id=str(row["event_id"]),
        source=row["source"],
        type=row["type"],
        case_id=str(row["case_id"]),
        case_seq=row["case_seq"],
        occurred_at=row["occurred_at"],
        commitment=row["commitment"],
        hash=row["leaf_hash"],
        salt=row["salt"],
        payload=row["payload"],
    )


def _sealed(row: Any) -> Sealed:
    return Sealed(row["tree_size"], row["root"], row["note"], row["verifier_key"], row["sealed_at"])
