"""People as the data-protection officer sees them: by case, wherever they landed, in codes."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.kit.work import Work


class Person(NamedTuple):
    """One person and all cases of theirs that share the person's key."""

    person_id: str
    case_ids: tuple[str, ...]


async def find(work: Work, case_id: str) -> Person | None:
    """The person of a case.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    row = await work.connection.fetchrow(
        "SELECT a.person_id, array_agg(a.case_id ORDER BY a.case_id) AS case_ids FROM arrivals a"
        " WHERE a.person_id = (SELECT person_id FROM arrivals WHERE case_id = $1) GROUP BY a.person_id",
        case_id,
    )
    return None if row is None else Person(str(row["person_id"]), tuple(map(str, row["case_ids"])))


async def destroy(work: Work, people: Sequence[Person]) -> None:
    """Destroy the keys of these people and blank whatever else in intake leads to who they were.

    With a key go its blind indexes (a trigger). What is left of an arrival are codes.
    """
    case_ids = [case_id for person in people for case_id in person.case_ids]
    await work.connection.execute(
        "WITH keys AS (DELETE FROM person_keys WHERE person_id = ANY($1::uuid[])),"
        " identities AS (UPDATE arrivals SET sealed = '', manifest_row = NULL WHERE case_id = ANY($2::uuid[])),"
        " said AS (UPDATE requests SET content = '' WHERE case_id = ANY($2::uuid[]))"
        " UPDATE disclosure_grants SET ended_at = coalesce(ended_at, $3), completed = FALSE"
        " WHERE case_id = ANY($2::uuid[]) AND (ended_at IS NULL OR completed)",
        [person.person_id for person in people],
        case_ids,
        work.now,
    )
