"""Pairs of cases that may be of one person, what was decided of them, and who is one person by that."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from asyncpg import Record

from services.intake.domain.matches import EndReason, Match, State, Step, Taken, UndoReason
from shared.kit.work import Work

COLUMNS = (
    "p.match_id, p.case_id, p.person_id, p.earlier_case_id, p.earlier_person_id, p.port, p.voyage_id, p.strength,"
    " p.bits, p.levels, p.state, p.owner, p.version, p.proposed_at, p.decided_by, p.decided_at"
)


class Proposed(NamedTuple):
    """A pair that is proposed now, in the order of `propose`."""

    match_id: str
    case_id: str
    person_id: str
    earlier_case_id: str
    earlier_person_id: str
    port: str
    voyage_id: str | None
    strength: str
    bits: float
    levels: str
    """With spaces between them."""


async def propose(work: Work, pairs: Sequence[Proposed]) -> None:
    """Keep pairs to be decided. One that was decided stays as it is; one that was not says what agrees by now.

    Where that is something else, it has another version: nobody decides unseen on what was corrected.
    """
    if not pairs:
        return
    await work.connection.execute(
        "INSERT INTO possible_matches (match_id, case_id, person_id, earlier_case_id, earlier_person_id, port,"
        " voyage_id, strength, bits, levels, state, version, proposed_at)"
        " SELECT n.match_id, n.case_id, n.person_id, n.earlier_case_id, n.earlier_person_id, n.port, n.voyage_id,"
        " n.strength, n.bits, string_to_array(n.levels, ' '), 'open', 1, $11"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::text[],"
        " $9::real[], $10::text[]) AS n (match_id, case_id, person_id, earlier_case_id, earlier_person_id, port,"
        " voyage_id, strength, bits, levels)"
        # A version before took the ids for the order of landing: what it has asked is not asked again the other way.
        " WHERE NOT EXISTS (SELECT FROM possible_matches p"
        " WHERE p.case_id = n.earlier_case_id AND p.earlier_case_id = n.case_id)"
        " ON CONFLICT (case_id, earlier_case_id) DO UPDATE"
        " SET strength = excluded.strength, bits = excluded.bits, levels = excluded.levels,"
        " version = possible_matches.version + (possible_matches.levels <> excluded.levels)::integer"
        " WHERE possible_matches.state IN ('open', 'later')",
        *zip(*pairs, strict=True),
        work.now,
    )


async def list_waiting(work: Work, case_ids: Collection[str]) -> dict[str, list[str]]:
    """With which others each of these cases waits to be decided on; those that do not wait are left out.

    # unscoped: the service compares cases of every port.
    """
    rows = await work.connection.fetch(
        # Case by case: of many at once, all that is undecided would be gone through by a plan that was made early.
        "SELECT c.case_id AS one, p.other FROM unnest($1::uuid[]) AS c (case_id) CROSS JOIN LATERAL ("
        " SELECT other FROM (SELECT earlier_case_id AS other, state FROM possible_matches"
        "  WHERE case_id = c.case_id OFFSET 0) l WHERE state IN ('open', 'later') UNION ALL"
        " SELECT case_id FROM possible_matches WHERE earlier_case_id = c.case_id AND state IN ('open', 'later')) p",
        list(case_ids),
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row["one"]), []).append(str(row["other"]))
    return found


DECIDING = 7_318
"""An advisory lock: two decisions may contradict each other by way of cases that neither of them names."""


async def be_alone(work: Work) -> None:
    """Be the only one that decides until this work ends."""
    await work.connection.execute("SELECT pg_advisory_xact_lock($1)", DECIDING)


async def find(work: Work, match_id: str) -> Match | None:
    """One pair of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM possible_matches p WHERE p.match_id = $1 AND p.port = $2",  # noqa: S608 - a constant
        match_id,
        work.actor.port,
    )
    return None if row is None else _match(row)


async def list_undecided(work: Work, *, voyage_id: str | None, after: str | None, limit: int) -> list[Match]:
    """What is to be decided at the actor's port, or of one voyage, the latest landings first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM possible_matches p"  # noqa: S608 - a constant
        " WHERE p.port = $1 AND p.state IN ('open', 'later') AND ($2::uuid IS NULL OR p.voyage_id = $2::uuid)"
        " AND ($3::uuid IS NULL OR p.match_id < $3::uuid) ORDER BY p.match_id DESC LIMIT $4",
        work.actor.port,
        voyage_id,
        after,
        limit,
    )
    return [_match(row) for row in rows]


async def count_undecided(work: Work, voyage_id: str) -> int:
    """How many people of a voyage of the actor's port may have come before, and nobody has decided."""
    count: int = await work.connection.fetchval(
        "SELECT count(DISTINCT p.case_id) FROM possible_matches p"
        " WHERE p.port = $1 AND p.state IN ('open', 'later') AND p.voyage_id = $2",
        work.actor.port,
        voyage_id,
    )
    return count


async def history(work: Work, match_id: str) -> list[Step]:
    """What was decided of a pair that was found in the actor's scope, in order."""
    rows = await work.connection.fetch(
        "SELECT version, decision, reason, decided_by, decided_at FROM match_decisions WHERE match_id = $1"
        " ORDER BY version",
        match_id,
    )
    return [Step(**row) for row in rows]


async def decide(work: Work, match: Match, taken: Taken, *, state: State, reason: UndoReason | None = None) -> Match:
    """Keep a decision of a pair whose cases are locked."""
    owner = work.actor.id if state == "later" else None
    row = await work.connection.fetchrow(
        "WITH step AS (INSERT INTO match_decisions (match_id, version, decision, reason, decided_by, decided_at)"  # noqa: S608
        " VALUES ($1, $2, $3, $4, $5, $6))"
        " UPDATE possible_matches p SET state = $7, owner = $8, version = $2, decided_by = $5, decided_at = $6"
        f" WHERE p.match_id = $1 RETURNING {COLUMNS}",
        match.match_id,
        match.version + 1,
        taken,
        reason,
        work.actor.id,
        work.now,
        state,
        owner,
    )
    return _match(row)


async def end_undecided(work: Work, case_id: str, reason: EndReason) -> list[tuple[str, str]]:
    """End the pairs of a case on which nobody has decided; answers each with the other case.

    # unscoped: a pair is the later one's port's; that this case is none any more was said at its own
    """
    rows = await work.connection.fetch(
        "WITH ended AS ("
        " UPDATE possible_matches SET state = 'ended', owner = NULL, version = version + 1, decided_by = $3,"
        " decided_at = $4 WHERE state IN ('open', 'later') AND $1 IN (case_id, earlier_case_id)"
        " RETURNING match_id, version, case_id, earlier_case_id"
        "), steps AS (INSERT INTO match_decisions (match_id, version, decision, reason, decided_by, decided_at)"
        " SELECT match_id, version, 'ended', $2, $3, $4 FROM ended)"
        " SELECT match_id, CASE WHEN case_id = $1 THEN earlier_case_id ELSE case_id END AS other FROM ended"
        " ORDER BY match_id",
        case_id,
        reason,
        work.actor.id,
        work.now,
    )
    return [(str(row["match_id"]), str(row["other"])) for row in rows]


async def is_in_error(work: Work, match: Match) -> bool:
    """True when one of the two arrivals was none.

    # unscoped: asked of a pair that was found in the actor's scope.
    """
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM arrivals WHERE case_id = ANY($1::uuid[]) AND ended_as = 'entered_in_error')",
        [match.case_id, match.earlier_case_id],
    )
    return found


ONE_PERSON = """
WITH RECURSIVE one (person_id) AS (
    SELECT unnest($1::uuid[])
    UNION
    SELECT other.person_id FROM one CROSS JOIN LATERAL (
        SELECT p.earlier_person_id AS person_id FROM possible_matches p
        WHERE p.person_id = one.person_id AND p.state = 'same'
        UNION ALL
        SELECT p.person_id FROM possible_matches p
        WHERE p.earlier_person_id = one.person_id AND p.state = 'same'
    ) AS other
)
"""
"""All that are one person with these by the decisions that stand; the persons of `$1` among them."""


async def one_person_with(work: Work, person_ids: Collection[str]) -> list[str]:
    """The ids under which the cases of one person are sealed, by what was decided, in order.

    # unscoped: who is one person does not end at a port; who may ask is for the caller to say.
    """
    rows = await work.connection.fetch(
        f"{ONE_PERSON} SELECT person_id FROM one ORDER BY 1",  # noqa: S608 - a constant
        list(person_ids),
    )
    return [str(row["person_id"]) for row in rows]


async def contradiction(work: Work, match: Match) -> tuple[str, str] | None:
    """Two cases that were decided to be of different people and would become one by joining this pair.

    # unscoped: what stands in the way may have been decided at another port.
    """
    row = await work.connection.fetchrow(
        f"{ONE_PERSON} SELECT p.case_id, p.earlier_case_id FROM possible_matches p"  # noqa: S608 - a constant
        " WHERE p.state = 'different' AND p.match_id <> $2"
        " AND p.person_id IN (SELECT person_id FROM one) AND p.earlier_person_id IN (SELECT person_id FROM one)"
        " ORDER BY p.match_id LIMIT 1",
        [match.person_id, match.earlier_person_id],
        match.match_id,
    )
    return None if row is None else (str(row["case_id"]), str(row["earlier_case_id"]))


def _match(row: Record) -> Match:
    ids = {
        name: str(row[name]) for name in ("match_id", "case_id", "person_id", "earlier_case_id", "earlier_person_id")
    }
    voyage_id = str(row["voyage_id"]) if row["voyage_id"] else None
    return Match(**{**row, **ids, "voyage_id": voyage_id, "levels": tuple(row["levels"])})
