"""Which cases are of one person, as was decided at ports. Shown of it is how many landings were earlier, no case."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.kit.work import Work


class Earlier(NamedTuple):
    """A decision at a port that two cases are of one person."""

    match_id: str
    case_id: str
    earlier_case_id: str


async def add(work: Work, found: Sequence[Earlier]) -> None:
    """Keep these decisions; none of a case whose person was erased."""
    await work.connection.execute(
        "INSERT INTO earlier_landings (match_id, case_id, earlier_case_id)"
        " SELECT n.match_id, n.case_id, n.earlier_case_id FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])"
        " AS n (match_id, case_id, earlier_case_id) WHERE NOT EXISTS ("
        " SELECT FROM erasures e WHERE e.case_id IN (n.case_id, n.earlier_case_id)) ON CONFLICT DO NOTHING",
        [one.match_id for one in found],
        [one.case_id for one in found],
        [one.earlier_case_id for one in found],
    )


async def remove(work: Work, match_ids: Sequence[str]) -> None:
    """These decisions were taken back."""
    await work.connection.execute("DELETE FROM earlier_landings WHERE match_id = ANY($1::uuid[])", match_ids)


async def forget(work: Work, case_ids: Sequence[str]) -> None:
    """Nothing leads from these cases to others any more: nobody is to know whose they were."""
    await work.connection.execute(
        "DELETE FROM earlier_landings WHERE case_id = ANY($1::uuid[]) OR earlier_case_id = ANY($1::uuid[])", case_ids
    )


async def add_in_error(work: Work, case_ids: Sequence[str]) -> None:
    """These landings were none."""
    await work.connection.execute(
        "INSERT INTO landings_in_error (case_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", case_ids
    )


async def count_earlier(work: Work, case_id: str) -> int:
    """How often the person of a case had landed before.

    Of whom no need was ever known here the time of landing is not either: there the ids tell, which are in that order
    unless the clock of a tablet was wrong.

    # unscoped: the caller has found the case through something of its own, and of the others it learns how many
    """
    count: int = await work.connection.fetchval(
        "WITH RECURSIVE one (case_id) AS (SELECT $1::uuid UNION SELECT other.case_id FROM one CROSS JOIN LATERAL ("
        " SELECT e.earlier_case_id AS case_id FROM earlier_landings e WHERE e.case_id = one.case_id"
        " UNION ALL SELECT e.case_id FROM earlier_landings e WHERE e.earlier_case_id = one.case_id) AS other)"
        ", landed AS (SELECT one.case_id,"
        " (SELECT min(r.arrived_at) FROM referrals r WHERE r.case_id = one.case_id) AS arrived_at FROM one)"
        " SELECT count(*) FROM landed own CROSS JOIN landed l WHERE own.case_id = $1::uuid AND l.case_id <> own.case_id"
        " AND coalesce((l.arrived_at, l.case_id) < (own.arrived_at, own.case_id), l.case_id < own.case_id)"
        " AND NOT EXISTS (SELECT FROM landings_in_error x WHERE x.case_id = l.case_id)",
        case_id,
    )
    return count
