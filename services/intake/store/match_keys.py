"""Keys under which a case is found again as that of somebody who came before, and which cases have been compared.

# unscoped: earlier returns are looked for wherever somebody landed, by the service itself and in memory; what may come
of it is proposed to the port where the later one landed, and to no other.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from asyncpg import Record

from services.intake.domain.matching.scoring import ALONE
from shared.kit.work import Work

COMPARING = 7_317
"""An advisory lock: of two that compare at the same time each might miss what the other has just seen."""


class Comparable(NamedTuple):
    """A case with its sealed identity, and what is kept in codes beside it."""

    case_id: str
    person_id: str
    port: str
    voyage_id: str | None
    origin_regency: str | None
    sex: str
    arrived_at: datetime
    sealed: bytes
    wrapped_key: bytes


SELECT = (
    "SELECT a.case_id, a.person_id, a.port, a.voyage_id, a.origin_regency, a.sex, a.arrived_at, a.sealed,"
    " k.wrapped_key"
    " FROM arrivals a JOIN person_keys k USING (person_id)"
)


async def be_alone(work: Work) -> None:
    """Wait until nobody else compares, and be the only one until this work ends."""
    await work.connection.execute("SELECT pg_advisory_xact_lock($1)", COMPARING)


async def list_uncompared(work: Work, *, after: str, limit: int) -> list[Comparable]:
    """Cases after this one for which nobody has looked for earlier returns, in the order of landing."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE a.case_id = ANY(ARRAY("  # noqa: S608 - a constant
        " SELECT n.case_id FROM arrivals n WHERE n.case_id > $1 AND n.ended_as IS DISTINCT FROM 'entered_in_error'"
        # OFFSET 0: looked up one by one, or all that was ever compared would be read beside it.
        " AND NOT EXISTS (SELECT FROM compared_cases c WHERE c.case_id = n.case_id OFFSET 0)"
        " AND EXISTS (SELECT FROM person_keys p WHERE p.person_id = n.person_id OFFSET 0)"
        " ORDER BY n.case_id LIMIT $2)) ORDER BY a.case_id",
        after,
        limit,
    )
    return [_comparable(row) for row in rows]


async def find_sealed(work: Work, case_ids: Collection[str]) -> dict[str, Comparable]:
    """These cases by id; who was erased or entered in error is not among them."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE a.case_id = ANY($1::uuid[]) AND a.ended_as IS DISTINCT FROM 'entered_in_error'",
        list(case_ids),
    )
    return {str(row["case_id"]): _comparable(row) for row in rows}


async def add(work: Work, keys: Mapping[str, Collection[int]]) -> None:
    """Keep the keys of cases, and that these cases are compared."""
    await work.connection.execute(
        "WITH compared AS (INSERT INTO compared_cases (case_id) SELECT unnest($3::uuid[]) ON CONFLICT DO NOTHING)"
        " INSERT INTO match_keys (key, case_id)"
        " SELECT k.key, k.case_id FROM unnest($1::bigint[], $2::uuid[]) AS k (key, case_id) ON CONFLICT DO NOTHING",
        [key for found in keys.values() for key in found],
        [case_id for case_id, found in keys.items() for _ in found],
        list(keys),
    )


async def forget(work: Work, case_ids: Collection[str]) -> None:
    """Have cases compared anew: something by which they are found was corrected. Not those entered in error."""
    await work.connection.execute(
        "WITH keys AS (DELETE FROM match_keys WHERE case_id = ANY($1::uuid[]))"
        " DELETE FROM compared_cases WHERE case_id = ANY($1::uuid[])",
        list(case_ids),
    )


async def forget_next(work: Work, *, after: str, limit: int) -> list[str]:
    """Have the cases after this one compared anew; answers which, in order."""
    rows = await work.connection.fetch(
        "WITH batch AS (DELETE FROM compared_cases WHERE case_id = ANY(ARRAY("
        " SELECT case_id FROM compared_cases WHERE case_id > $1 ORDER BY case_id LIMIT $2)) RETURNING case_id),"
        " keys AS (DELETE FROM match_keys USING batch WHERE match_keys.case_id = batch.case_id)"
        " SELECT case_id FROM batch ORDER BY case_id",
        after,
        limit,
    )
    return [str(row["case_id"]) for row in rows]


async def find_sharing(work: Work, asked: Mapping[str, Collection[int]], *, most: int) -> dict[str, list[str]]:
    """Of each case `most` that share a key with it: first those by which fewest are found, then the latest.

    The more hold a key, the less it tells: `scoring.told_by`. How many do is counted here, of those that are found.
    """
    cases = list(asked)
    rows = await work.connection.fetch(
        "SELECT n, case_id FROM ("
        " SELECT n, case_id, row_number() OVER (PARTITION BY n ORDER BY sum(told) DESC, case_id DESC) AS place FROM ("
        " SELECT a.n, unnest(held.by) AS case_id, held.told FROM unnest($1::integer[], $2::bigint[]) AS a (n, key)"
        " CROSS JOIN LATERAL (SELECT array_agg(m.case_id) AS by, $4 - ln(count(*)) AS told FROM match_keys m"
        " WHERE m.key = a.key HAVING count(*) > 0) AS held"
        " ) AS found GROUP BY n, case_id) AS shared WHERE place <= $3 ORDER BY n, place",
        [n for n, case_id in enumerate(cases) for _ in asked[case_id]],
        [key for case_id in cases for key in asked[case_id]],
        most + 1,
        ALONE,
    )
    found: dict[str, list[str]] = {case_id: [] for case_id in cases}
    for row in rows:
        case_id, other = cases[row["n"]], str(row["case_id"])
        if other != case_id:
            found[case_id].append(other)
    return {case_id: others[:most] for case_id, others in found.items()}


def _comparable(row: Record) -> Comparable:
    ids = {name: str(row[name]) for name in ("case_id", "person_id")}
    return Comparable(**{**row, **ids, "voyage_id": str(row["voyage_id"]) if row["voyage_id"] else None})


def ordered(one: Comparable, other: Comparable) -> Sequence[Comparable]:
    """The later landing of two, then the earlier. A tablet with a wrong clock makes ids in another order."""
    return sorted((one, other), key=attrgetter("arrived_at", "case_id"), reverse=True)
