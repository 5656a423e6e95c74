"""What is with whom in a region or the whole country: the requests that are live, and what nobody serves there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.referral.domain import assignments
from services.referral.domain.deadlines import Clock, running
from services.referral.store.desk import OVERSEEN, place_at, place_of
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests to list; what is left open restricts nothing."""

    need: str | None = None
    state: assignments.State | None = None
    regency: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One live attempt: which agency has it, and until when. Codes only; of restricted needs there is none."""

    assignment_id: str
    referral_id: str
    case_id: str
    attempt: int
    need: str
    regency: str
    agency_id: str
    state: assignments.State
    sent_at: datetime
    due_at: datetime
    is_paused: bool
    reminded_at: datetime | None

    @property
    def clock(self) -> Clock | None:
        """What the time until `due_at` is for."""
        return running(self.state, is_paused=self.is_paused)

    @property
    def place(self) -> str:
        """What `after` takes to go on behind this one."""
        return place_at(self.due_at, self.assignment_id)


async def list_live(
    work: Work, wanted: Wanted, *, everywhere: bool = False, after: str = "", limit: int
) -> list[Request]:
    """The live attempts at needs of the actor's region, the soonest due first.

    `everywhere`: those of the whole country instead. # unscoped: for those who answer for it

    What is restricted is left out: its deadline alone would say how urgent it is, and so what it may be.
    """
    rows = await work.connection.fetch(
        "SELECT a.assignment_id, r.referral_id, r.case_id, a.attempt, r.need, r.regency, a.agency_id, a.state,"  # noqa: S608
        " a.sent_at, a.due_at, a.answer_left IS NOT NULL AS is_paused, a.reminded_at"
        " FROM referrals r JOIN assignments a USING (referral_id)"
        f" WHERE ($8 OR {OVERSEEN}) AND r.ended_at IS NULL AND NOT r.restricted AND a.due_at IS NOT NULL"
        " AND ($2::timestamptz IS NULL OR (a.due_at, a.assignment_id) > ($2, $3::uuid))"
        " AND ($5::text IS NULL OR r.need = $5) AND ($6::text IS NULL OR a.state = $6)"
        " AND ($7::text IS NULL OR r.regency = $7) ORDER BY a.due_at, a.assignment_id LIMIT $4",
        work.actor.region,
        *place_of(after),
        limit,
        wanted.need,
        wanted.state,
        wanted.regency,
        everywhere,
    )
    ids = ("assignment_id", "referral_id", "case_id")
    return [Request(**{**row, **{name: str(row[name]) for name in ids}}) for row in rows]


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many live restricted requests are past their deadline; `since` when the first is."""

    total: int
    since: datetime | None


async def count_restricted_overdue(work: Work, *, everywhere: bool = False) -> Overdue:
    """The restricted requests of the actor's region whose agency is late, in one line: which they are, it does not say.

    Exact, since each stands before the supervisor among the escalations too.

    `everywhere`: those of the whole country instead. # unscoped: for those who answer for it
    """
    row = await work.connection.fetchrow(
        "SELECT count(*) AS total, min(a.due_at) AS since FROM referrals r JOIN assignments a USING (referral_id)"  # noqa: S608
        f" WHERE ($2 OR {OVERSEEN}) AND r.restricted AND r.ended_at IS NULL AND a.due_at <= $3",
        work.actor.region,
        everywhere,
        work.now,
    )
    return Overdue(row["total"], row["since"])


async def list_gaps(work: Work, *, everywhere: bool = False) -> list[dict[str, Any]]:
    """What nobody serves in the actor's region, by regency, need and reason: how many, since when; the oldest first.

    Exact, since who looks sees each need that is not restricted by itself too. Restricted ones are counted in one
    line, without need, place or reason.

    `everywhere`: in the whole country instead. # unscoped: for those who answer for it
    """
    rows = await work.connection.fetch(
        "SELECT CASE WHEN NOT r.restricted THEN r.need END AS need,"  # noqa: S608 - a constant
        " CASE WHEN NOT r.restricted THEN r.regency END AS regency,"
        " CASE WHEN NOT r.restricted THEN g.reason END AS reason, count(*) AS total, min(g.opened_at) AS since"
        " FROM gaps g JOIN referrals r USING (referral_id)"
        f" WHERE ($2 OR {OVERSEEN}) AND g.closed_at IS NULL GROUP BY 1, 2, 3 ORDER BY min(g.opened_at), 1, 2, 3",
        work.actor.region,
        everywhere,
    )
    return [dict(row) for row in rows]
