"""Who belongs to which household, and who of it is to be brought together with the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from services.referral.domain.assignments import HELPING
from services.referral.domain.households import Reunification, Standing
from services.referral.domain.routing import Facts
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Reunification))
COLUMNS = ", ".join(f"t.{name}" for name in NAMES)
OVERSEEN = "$1 IN (t.regency, left(t.regency, 2))"
"""As for needs: `$1` is the actor's region, a province or a regency; nothing without one."""


async def find_households(work: Work, case_ids: Sequence[str]) -> dict[str, str]:
    """The household of each of these cases that is in one. # unscoped: what the service itself has heard"""
    rows = await work.connection.fetch(
        "SELECT case_id, household_id FROM households WHERE case_id = ANY($1::uuid[])", case_ids
    )
    return {str(row["case_id"]): str(row["household_id"]) for row in rows}


async def list_left_alone(work: Work, household_ids: Sequence[str]) -> set[str]:
    """The cases that are the last of these households, whose locks are held. # unscoped: as above"""
    rows = await work.connection.fetch(
        "SELECT min(case_id::text) AS case_id FROM households WHERE household_id = ANY($1::uuid[])"
        " GROUP BY household_id HAVING count(*) = 1",
        household_ids,
    )
    return {row["case_id"] for row in rows}


Read = Callable[[bytes], Facts]
"""From a stored decision to the facts that it was made on."""
HELPED = sorted(HELPING)
STANDING = """
SELECT h.household_id, r.case_id, r.referral_id, r.need, r.age_band, r.regency, e.body, a.agency_id,
    coalesce(a.helping, FALSE) AS helping, a.handed_on_at, a.last_state, a.last_ended_at
FROM households h CROSS JOIN LATERAL (SELECT * FROM referrals o WHERE o.case_id = h.case_id OFFSET 0) r
JOIN explanations e ON e.digest = r.explanation
CROSS JOIN LATERAL (
    SELECT (array_agg(agency_id ORDER BY attempt DESC) FILTER (WHERE ended_at IS NULL))[1] AS agency_id,
        bool_or(state = ANY($2::text[])) AS helping,
        max(sent_at) FILTER (WHERE ended_at IS NULL AND transfer_of IS NOT NULL) AS handed_on_at,
        (array_agg(state ORDER BY ended_at DESC, attempt DESC) FILTER (WHERE ended_at IS NOT NULL))[1] AS last_state,
        max(ended_at) AS last_ended_at
    FROM assignments WHERE referral_id = r.referral_id
) a
WHERE h.household_id = ANY($1::uuid[]) AND r.ended_at IS NULL AND NOT h.is_unsettled
"""
"""OFFSET 0: a plan that was made while the tables were empty would go through all that is open in the country."""


async def list_standing(work: Work, household_ids: Sequence[str], read: Read) -> dict[str, list[Standing]]:
    """How all open needs of these households stand, but for who has landed and is still to be settled by the clock.

    `read` reads what each was decided on; their locks are held.

    # unscoped: the service's own duty
    """
    return _standing(await work.connection.fetch(STANDING, household_ids, HELPED), read)


async def list_unsettled(work: Work, limit: int, apart_from: Sequence[str]) -> list[str]:
    """Households of whom somebody has landed who is still to be brought together. # unscoped: the clock's"""
    rows = await work.connection.fetch(
        "SELECT DISTINCT household_id FROM households WHERE is_unsettled AND household_id <> ALL($2::uuid[])"
        " ORDER BY household_id LIMIT $1",
        limit,
        apart_from,
    )
    return [str(row["household_id"]) for row in rows]


async def take_unsettled(work: Work, household_ids: Sequence[str]) -> list[str]:
    """Those of these households, whose locks are held, that are settled in this work. # unscoped: as above

    Locks before rows: who joins or parts holds the lock when it writes the row.
    """
    rows = await work.connection.fetch(
        "UPDATE households SET is_unsettled = FALSE WHERE household_id = ANY($1::uuid[]) AND is_unsettled"
        " RETURNING household_id",
        household_ids,
    )
    return sorted({str(row["household_id"]) for row in rows})


async def put_members(work: Work, members: Mapping[str, str]) -> None:
    """Let these cases belong to these households (case → household)."""
    await work.connection.execute(
        "INSERT INTO households (case_id, household_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])"
        " ON CONFLICT (case_id) DO UPDATE SET household_id = excluded.household_id",
        list(members),
        list(members.values()),
    )


async def remove_members(work: Work, case_ids: Sequence[str]) -> None:
    """These cases belong to no household any more."""
    await work.connection.execute("DELETE FROM households WHERE case_id = ANY($1::uuid[])", case_ids)


async def list_latest(work: Work, household_ids: Sequence[str]) -> dict[str, Reunification]:
    """The latest task of each case of these households; their locks are held. # unscoped: the service's own duty"""
    rows = await work.connection.fetch(
        f"SELECT DISTINCT ON (t.case_id) {COLUMNS} FROM reunifications t"  # noqa: S608 - a constant
        " WHERE t.household_id = ANY($1::uuid[]) ORDER BY t.case_id, t.opened_at DESC, t.task_id DESC",
        household_ids,
    )
    return {str(row["case_id"]): _task(row) for row in rows}


async def add_tasks(work: Work, tasks: Sequence[Reunification]) -> None:
    """Put these in front of a person."""
    kinds = (
        "uuid",
        "uuid",
        "uuid",
        *["text"] * 4,
        "timestamptz",
        "text",
        "timestamptz",
        *["text"] * 3,
        *["timestamptz"] * 3,
    )
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, 1))
    await work.connection.execute(
        f"INSERT INTO reunifications ({', '.join(NAMES)}) SELECT * FROM unnest({arrays})",  # noqa: S608 - constants
        *zip(*map(attrgetter(*NAMES), tasks), strict=True),
    )


async def save_task(work: Work, task: Reunification) -> None:
    """Write where a task stands; the lock of its household is held."""
    await work.connection.execute(
        "UPDATE reunifications SET rung = $2, due_at = $3, closed_as = $4, decision = $5, closed_by = $6,"
        " closed_at = $7, remind_at = $8, reminded_at = $9 WHERE task_id = $1 AND closed_at IS NULL",
        *attrgetter(
            *("task_id", "rung", "due_at", "closed_as", "decision", "closed_by", "closed_at"),
            "remind_at",
            "reminded_at",
        )(task),
    )


async def list_due(work: Work, limit: int, apart_from: Sequence[str]) -> list[Reunification]:
    """What nobody has settled in time, the longest due first. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM reunifications t WHERE t.closed_at IS NULL AND t.due_at <= $1"  # noqa: S608
        " AND t.task_id <> ALL($3::uuid[]) ORDER BY t.due_at LIMIT $2",
        work.now,
        limit,
        apart_from,
    )
    return [_task(row) for row in rows]


async def list_to_remind(work: Work, limit: int, apart_from: Sequence[str]) -> list[Reunification]:
    """What nobody has settled after three quarters of the time. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM reunifications t WHERE t.closed_at IS NULL AND t.remind_at <= $1"  # noqa: S608
        " AND t.task_id <> ALL($3::uuid[]) ORDER BY t.remind_at LIMIT $2",
        work.now,
        limit,
        apart_from,
    )
    return [_task(row) for row in rows]


async def list_open(work: Work, *, everywhere: bool, limit: int) -> list[Reunification]:
    """Who is to be brought together in the actor's region, the soonest due first.

    `everywhere`: what has climbed to the whole country instead. # unscoped: for those who answer for it
    """
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM reunifications t WHERE t.closed_at IS NULL"  # noqa: S608 - constants
        f" AND CASE WHEN $2 THEN t.rung = 'national' ELSE {OVERSEEN} END ORDER BY t.due_at, t.task_id LIMIT $3",
        work.actor.region,
        everywhere,
        limit,
    )
    return [_task(row) for row in rows]


async def find_tasks(work: Work, task_ids: Sequence[str], *, everywhere: bool) -> dict[str, Reunification]:
    """Of these tasks those of the actor's region, also ones that have ended; `everywhere` as above."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM reunifications t WHERE t.task_id = ANY($3::uuid[])"  # noqa: S608 - constants
        f" AND CASE WHEN $2 THEN t.rung = 'national' ELSE {OVERSEEN} END",
        work.actor.region,
        everywhere,
        task_ids,
    )
    return {str(row["task_id"]): _task(row) for row in rows}


class Companion(NamedTuple):
    """Somebody of the same household whom the actor's agency has before it too."""

    case_id: str
    assignment_id: str
    sex: str
    age_band: str


async def list_companions(work: Work, case_id: str) -> list[Companion]:
    """Others of the household of a case in the inbox of the actor's own agency, and nobody else of it.

    # unscoped: as the service, since households are nobody's; the statement has the actor's organisation
    """
    rows = await work.connection.fetch(
        "SELECT DISTINCT ON (r.case_id) r.case_id, a.assignment_id, r.sex, r.age_band FROM households own"
        " JOIN households h ON h.household_id = own.household_id AND h.case_id <> own.case_id"
        " JOIN referrals r ON r.case_id = h.case_id JOIN assignments a USING (referral_id)"
        " WHERE own.case_id = $1 AND a.agency_id = $2 AND a.due_at IS NOT NULL ORDER BY r.case_id, a.due_at",
        case_id,
        work.actor.organisation,
    )
    return [Companion(str(r["case_id"]), str(r["assignment_id"]), r["sex"], r["age_band"]) for r in rows]


def _task(row: Mapping[str, Any]) -> Reunification:
    return Reunification(**{**row, **{name: str(row[name]) for name in ("task_id", "household_id", "case_id")}})


def _standing(rows: Sequence[Mapping[str, Any]], read: Read) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for row in rows:
        said = {name: value for name, value in row.items() if name != "body"}
        said |= {name: str(row[name]) for name in ("household_id", "case_id", "referral_id")}
        one = Standing(**said, facts=read(bytes(row["body"])))
        found.setdefault(one.household_id, []).append(one)
    return found
