"""What people look at: an agency's inbox, a supervisor's list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from services.referral.domain import assignments
from services.referral.domain.assignments import UNDO_WITHIN, Assignment
from services.referral.domain.deadlines import Clock, running
from services.referral.domain.referrals import State
from services.referral.store.needs import COUNTS_AS_DEAD
from shared.kit.database import Database
from shared.kit.work import Work

PLACE = r"^([0-9]{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"
"""Where a list goes on, as it is handed out and comes back: microseconds and an id. Empty for the beginning."""


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One row of an inbox: codes only, no name. `due_at` is the deadline that runs; None once ended."""

    assignment_id: str
    referral_id: str
    case_id: str
    attempt: int
    state: assignments.State
    version: int
    need: str
    restricted: bool
    sex: str
    age_band: str
    port: str
    province: str
    regency: str
    arrived_at: datetime
    sent_at: datetime
    answer_due_at: datetime
    service_due_at: datetime | None
    due_at: datetime | None
    ended_at: datetime | None
    is_paused: bool
    """The time to answer stands still, since the port is asked; `due_at` is when that ends."""
    answered_at: datetime | None
    reminded_at: datetime | None
    """When the agency was reminded of the deadline that runs."""

    @property
    def clock(self) -> Clock | None:
        """What the time until `due_at` is for."""
        return running(self.state, is_paused=self.is_paused)

    def may_undo(self, now: datetime) -> bool:
        """True for the seconds in which an acceptance can be undone, unless somebody has read who it is."""
        return self.state == "accepted" and self.answered_at is not None and now <= self.answered_at + UNDO_WITHIN

    @property
    def place(self) -> str:
        """What `after` takes to go on behind this item."""
        at = self.due_at or self.ended_at
        assert at is not None
        return place_at(at, self.assignment_id)


ITEM = (
    "a.assignment_id, a.referral_id, r.case_id, a.attempt, a.state, a.version, r.need, r.restricted, r.sex, r.age_band,"
    " r.port, r.province, r.regency, r.arrived_at,"
    " a.sent_at, a.answer_due_at, a.service_due_at, a.due_at, a.ended_at,"
    " a.answer_left IS NOT NULL AS is_paused, a.answered_at, a.reminded_at"
)


async def list_inbox(work: Work, states: Sequence[str], *, after: str = "", limit: int) -> list[InboxItem]:
    """The own agency's live assignments in these states, soonest deadline first."""
    rows = await work.connection.fetch(
        f"SELECT {ITEM} FROM (SELECT * FROM assignments"  # noqa: S608
        "  WHERE agency_id = $1 AND due_at IS NOT NULL AND state = ANY($2::text[])"
        "  AND ($3::timestamptz IS NULL OR (due_at, assignment_id) > ($3, $4::uuid))"
        "  ORDER BY due_at, assignment_id LIMIT $5) a"
        " JOIN referrals r USING (referral_id) ORDER BY a.due_at, a.assignment_id",
        work.actor.organisation,
        states,
        *place_of(after),
        limit,
    )
    return [_item(row) for row in rows]


async def list_ended(work: Work, states: Sequence[str], *, after: str = "", limit: int) -> list[InboxItem]:
    """The own agency's ended assignments in these states, latest first."""
    rows = await work.connection.fetch(
        f"SELECT {ITEM} FROM (SELECT * FROM assignments"  # noqa: S608
        "  WHERE agency_id = $1 AND ended_at IS NOT NULL AND state = ANY($2::text[])"
        "  AND ($3::timestamptz IS NULL OR (ended_at, assignment_id) < ($3, $4::uuid))"
        "  ORDER BY ended_at DESC, assignment_id DESC LIMIT $5) a"
        " JOIN referrals r USING (referral_id) ORDER BY a.ended_at DESC, a.assignment_id DESC",
        work.actor.organisation,
        states,
        *place_of(after),
        limit,
    )
    return [_item(row) for row in rows]


async def count_inbox(work: Work) -> dict[str, int]:
    """How many live assignments the own agency has, by state."""
    rows = await work.connection.fetch(
        "SELECT state, count(*) AS n FROM assignments WHERE agency_id = $1 AND due_at IS NOT NULL GROUP BY state",
        work.actor.organisation,
    )
    return {row["state"]: row["n"] for row in rows}


@dataclass(frozen=True, slots=True)
class Task:
    """A need before a supervisor: escalated, a gap, or closed. What is restricted shows neither need nor agency.

    `kind` is why it is there, of a closed one its state; `at` is since when. `version` counts attempts too, once they
    are known.
    """

    referral_id: str
    case_id: str
    kind: str
    at: datetime
    state: State
    version: int
    restricted: bool
    need: str | None
    regency: str
    port: str
    outcome: str | None
    explanation: bytes | None
    attempts: int = 0
    last_agency: str | None = None
    is_live: bool = False
    rung: str | None = None
    """How far it has climbed; None for what is not escalated."""
    due_at: datetime | None = None
    """When it climbs, or comes back from who has taken it."""
    taken_by: str | None = None
    gap_reason: str | None = None
    """Of a gap, why nobody may be asked."""

    @property
    def place(self) -> str:
        """What `after` takes to go on behind this one."""
        return place_at(self.at, self.referral_id)

    def with_attempts(self, attempts: Sequence[Assignment]) -> "Task":
        """This one with what its attempts, first to last, have come to."""
        if not attempts:
            return self
        return replace(
            self,
            version=self.version + sum(attempt.version for attempt in attempts),
            attempts=attempts[-1].attempt,
            last_agency=None if self.restricted else attempts[-1].agency_id,
            is_live=any(attempt.ended_at is None for attempt in attempts),
        )


TASK = (
    "r.referral_id, r.case_id, r.state, r.version, r.restricted,"
    " CASE WHEN NOT r.restricted THEN r.need END AS need, r.regency, r.port,"
    " CASE WHEN NOT r.restricted OR r.state <> 'fulfilled' THEN r.outcome END AS outcome,"
    " CASE WHEN NOT r.restricted THEN r.explanation END AS explanation"
)
OVERSEEN = "r.province = left($1, 2) AND $1 IN (r.regency, r.province)"
"""Help is due where the actor oversees: `$1` is the actor's region, a province or a regency; nothing without one."""
REOPENABLE = (
    "r.ended_at IS NOT NULL AND r.state IN ('fulfilled', 'unfulfilled') AND NOT r.is_struck"
    f" AND (r.need = 'REMAINS' OR NOT {COUNTS_AS_DEAD.format(case='r.case_id')})"
)


View = Literal["waiting", "mine", "overdue"]
"""All that is before the actor; what the actor has taken; what has climbed since nobody has."""
VIEWS: tuple[View, ...] = get_args(View)


async def list_tasks(
    work: Work, *, view: View = "waiting", everywhere: bool = False, after: str = "", limit: int
) -> list[Task]:
    """Open escalations and gaps of the actor's region; oldest first.

    `everywhere`: those that have climbed to the whole country instead. # unscoped: for those who answer for it
    """
    rows = await work.connection.fetch(
        f"SELECT {TASK}, t.at, t.rung, t.due_at, t.taken_by,"  # noqa: S608 - constants
        " CASE WHEN NOT r.restricted THEN t.gap_reason END AS gap_reason, CASE"
        # Which limit in law there is, and that it is a child's, would say what a restricted need is.
        "  WHEN r.restricted AND r.state = 'unroutable' THEN 'gap'"
        "  WHEN r.restricted AND t.kind = 'legal_limit' THEN 'service_overdue' ELSE t.kind END AS kind"
        " FROM (SELECT referral_id, reason AS kind, opened_at AS at, rung, due_at, taken_by,"
        "   rung_since > opened_at AS is_overdue, NULL AS gap_reason FROM escalations WHERE closed_at IS NULL"
        "  UNION ALL SELECT g.referral_id, 'gap', g.opened_at, NULL, NULL, NULL, false, g.reason FROM gaps g"
        "  WHERE g.closed_at IS NULL"
        "  AND NOT EXISTS (SELECT FROM escalations e WHERE e.referral_id = g.referral_id AND e.closed_at IS NULL)) t"
        " JOIN referrals r USING (referral_id)"
        f" WHERE CASE WHEN $5 THEN t.rung = 'national' ELSE {OVERSEEN} END"
        # When it has passed would say which one: below the country it stands in no list.
        " AND ($5 OR NOT r.restricted OR t.kind <> 'legal_limit')"
        " AND ($2::timestamptz IS NULL OR (t.at, t.referral_id) > ($2, $3::uuid))"
        " AND CASE $6 WHEN 'mine' THEN t.taken_by = $7 WHEN 'overdue' THEN t.is_overdue AND t.taken_by IS NULL"
        "  ELSE true END"
        " ORDER BY t.at, t.referral_id LIMIT $4",
        work.actor.region,
        *place_of(after),
        limit,
        everywhere,
        view,
        work.actor.id,
    )
    return [_task(row) for row in rows]


async def list_closed(work: Work, *, after: str = "", limit: int) -> list[Task]:
    """The needs of the actor's region that may be reopened, the latest first."""
    rows = await work.connection.fetch(
        f"SELECT {TASK}, r.state AS kind, r.ended_at AS at FROM referrals r"  # noqa: S608 - constants
        f" WHERE {OVERSEEN} AND {REOPENABLE}"
        " AND ($2::timestamptz IS NULL OR (r.ended_at, r.referral_id) < ($2, $3::uuid))"
        " ORDER BY r.ended_at DESC, r.referral_id DESC LIMIT $4",
        work.actor.region,
        *place_of(after),
        limit,
    )
    return [_task(row) for row in rows]


async def list_held(work: Work, limit: int) -> list[Task]:
    """The needs of the actor's region that wait, the first to go on first; `at` is when."""
    rows = await work.connection.fetch(
        f"SELECT {TASK}, r.state AS kind, r.held_until AS at FROM referrals r"  # noqa: S608 - constants
        f" WHERE {OVERSEEN} AND r.held_until IS NOT NULL ORDER BY r.held_until, r.referral_id LIMIT $2",
        work.actor.region,
        limit,
    )
    return [_task(row) for row in rows]


async def find_task(work: Work, referral_id: str, *, everywhere: bool = False) -> Task | None:
    """One need of the actor's region as a supervisor sees it, in whatever state.

    `everywhere`: of the whole country. # unscoped: for those who answer for it
    """
    row = await work.connection.fetchrow(
        f"SELECT {TASK}, r.state AS kind, coalesce(r.ended_at, r.opened_at) AS at"  # noqa: S608 - constants
        f" FROM referrals r WHERE ($3 OR {OVERSEEN}) AND r.referral_id = $2",
        work.actor.region,
        referral_id,
        everywhere,
    )
    return None if row is None else _task(row)


async def is_reopenable(work: Work, referral_id: str) -> bool:
    """True for a need that was met or given up, unless the port has struck it or the person counts as dead.

    # unscoped: the caller has found it through something that the actor may see
    """
    found = await work.connection.fetchrow(
        f"SELECT FROM referrals r WHERE r.referral_id = $1 AND {REOPENABLE}",
        referral_id,
    )
    return found is not None


async def find_overseen(work: Work, referral_ids: Sequence[str], *, everywhere: bool = False) -> dict[str, str]:
    """Of these referrals those of the actor's region: the case of each.

    `everywhere`: those of the whole country. # unscoped: for those who answer for it
    """
    rows = await work.connection.fetch(
        "SELECT r.referral_id, r.case_id FROM referrals r"  # noqa: S608 - a constant
        f" WHERE r.referral_id = ANY($2::uuid[]) AND ($3 OR {OVERSEEN})",
        work.actor.region,
        referral_ids,
        everywhere,
    )
    return {str(row["referral_id"]): str(row["case_id"]) for row in rows}


def place_at(at: datetime, id_: str) -> str:
    """A place in a list, as it is handed out."""
    return f"{int(at.timestamp() * 1_000_000)}.{id_}"


def place_of(after: str) -> tuple[datetime | None, str | None]:
    """Time and id of a place."""
    if not after:
        return None, None
    at, _, id_ = after.partition(".")
    micros = int(at)
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000), id_


def _item(row: Any) -> InboxItem:
    ids = ("assignment_id", "referral_id", "case_id")
    return InboxItem(**{**row, **{name: str(row[name]) for name in ids}})


def _task(row: Any) -> Task:
    ids = ("referral_id", "case_id")
    return Task(**{**row, **{name: str(row[name]) for name in ids}})


async def count_overdue(database: Database) -> float:
    """Assignments whose deadline has passed while they wait for an answer or for help. # unscoped: a number only"""
    [row] = await database.fetch("SELECT count(*) AS overdue FROM assignments WHERE due_at <= $1", database.clock.now())
    return float(row["overdue"])
