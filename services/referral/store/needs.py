"""Referrals and their attempts, read and written as whole needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from services.referral.domain.assignments import Assignment
from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral
from services.referral.domain.routing import Decision
from shared.contracts import codes
from shared.contracts.codes import GapReason
from shared.kit.work import Work

REFERRAL = tuple(field.name for field in fields(Referral))
ASSIGNMENT = tuple(field.name for field in fields(Assignment))


TYPES = {
    **dict.fromkeys(
        (
            "referral_id",
            "case_id",
            "assignment_id",
            "gap_id",
            "transfer_of",
            "question_id",
        ),
        "uuid",
    ),
    **dict.fromkeys(("version", "attempt", "service_hours"), "integer"),
    "explanation": "bytea",
    **dict.fromkeys(("restricted", "is_struck"), "boolean"),
    "urgency": "smallint",
    "answer_left": "interval",
    "held_until": "timestamptz",
}


def _arrays(first: int, columns: Sequence[str]) -> str:
    """`$1::uuid[], $2::text[], …` for these columns."""
    types = ("timestamptz" if column.endswith("_at") else TYPES.get(column, "text") for column in columns)
    return ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(types, first))


def _by_column(row: Callable[[Any], tuple[Any, ...]], things: Sequence[Any], width: int) -> list[Sequence[Any]]:
    """The things' values, column by column, as `unnest` takes them."""
    return list(zip(*map(row, things), strict=True)) if things else [()] * width


@dataclass(frozen=True, slots=True)
class Gap:
    gap_id: str
    referral_id: str
    reason: GapReason | None
    """Why nobody may be asked."""


# Only what differs from row to row: each array costs its length in Python on the busiest path of the service.
OPENED = (
    "referral_id", "case_id", "need", "state", "restricted", "regency", "port", "sex", "age_band", "onward_wish",
    "arrived_at", "explanation", "urgency",
)  # fmt: skip
FIRST = ("assignment_id", "referral_id", "agency_id", "service_hours", "answer_due_at", "remind_at")
_O, _F = len(OPENED), len(FIRST)
ADD_OPENED = f"""
WITH explained AS (
    INSERT INTO explanations (digest, rules_version, body)
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING
), referred AS (
    INSERT INTO referrals ({", ".join(OPENED)}, version, opened_at)
    SELECT *, 1, ${6 + _O + _F}::timestamptz FROM unnest({_arrays(4, OPENED)})
), gapped AS (
    INSERT INTO gaps (gap_id, referral_id, reason, opened_at, directory_at)
    SELECT *, ${6 + _O + _F}::timestamptz, ${7 + _O + _F}::timestamptz
    FROM unnest(${4 + _O + _F}::uuid[], ${5 + _O + _F}::uuid[], ${8 + _O + _F}::text[])
), housed AS (
    INSERT INTO households (case_id, household_id, is_unsettled)
    SELECT * FROM unnest(${9 + _O + _F}::uuid[], ${10 + _O + _F}::uuid[], ${11 + _O + _F}::boolean[])
    ON CONFLICT (case_id) DO UPDATE SET household_id = excluded.household_id, is_unsettled = excluded.is_unsettled
)
INSERT INTO assignments ({", ".join(FIRST)}, attempt, state, version, sent_at)
SELECT *, 1, 'sent', 1, ${6 + _O + _F}::timestamptz FROM unnest({_arrays(4 + _O, FIRST)})
"""  # noqa: S608 - column names of our own dataclasses


async def add_opened(
    work: Work,
    needs: Sequence[Need],
    decisions: Iterable[Decision],
    gaps: Sequence[Gap],
    *,
    directory_at: datetime,
    homes: Mapping[str, str] | None = None,
    unsettled: AbstractSet[str] = frozenset(),
) -> None:
    """Write new needs, their first attempts, the explanations and the gaps, all in one statement.

    A new need is at version 1 and was opened now; its first attempt is sent, at version 1.
    `directory_at` is the last change of the directory and the rules that the gaps were found in, `homes` the household
    of each case that is in one; the clock brings together those that are `unsettled`.
    """
    explained = sorted({d.digest: d for d in decisions}.values(), key=lambda d: d.digest)
    await work.connection.execute(
        ADD_OPENED,
        # Sorted, so that two consumers that bring the same new explanations wait for each other in one order.
        [d.digest for d in explained],
        [d.rules_version for d in explained],
        [d.body for d in explained],
        *_by_column(attrgetter(*OPENED), [need.referral for need in needs], _O),
        *_by_column(attrgetter(*FIRST), [need.attempts[0] for need in needs if need.attempts], _F),
        [gap.gap_id for gap in gaps],
        [gap.referral_id for gap in gaps],
        work.now,
        directory_at,
        [gap.reason for gap in gaps],
        list(homes or {}),
        list((homes or {}).values()),
        [household_id in unsettled for household_id in (homes or {}).values()],
    )


async def find_owned(work: Work, assignment_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Of these assignments the actor's own agency's: referral and case of each."""
    rows = await work.connection.fetch(
        "SELECT a.assignment_id, r.referral_id, r.case_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE a.assignment_id = ANY($1::uuid[]) AND a.agency_id = $2",
        assignment_ids,
        work.actor.organisation,
    )
    return {str(row["assignment_id"]): (str(row["referral_id"]), str(row["case_id"])) for row in rows}


async def find_cases_of(work: Work, assignment_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Referral and case of each of these assignments. # unscoped: found through something of the actor's own"""
    rows = await work.connection.fetch(
        "SELECT a.assignment_id, r.referral_id, r.case_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE a.assignment_id = ANY($1::uuid[])",
        assignment_ids,
    )
    return {str(row["assignment_id"]): (str(row["referral_id"]), str(row["case_id"])) for row in rows}


async def find_of_cases(work: Work, case_ids: Sequence[str]) -> dict[str, str]:
    """The needs of these cases, each with its case. # unscoped: what the service itself has heard"""
    rows = await work.connection.fetch(
        "SELECT referral_id, case_id FROM referrals WHERE case_id = ANY($1::uuid[])", case_ids
    )
    return {str(row["referral_id"]): str(row["case_id"]) for row in rows}


COUNTS_AS_DEAD = """EXISTS (
    SELECT FROM referrals d WHERE d.case_id = {case} AND d.need = 'REMAINS' AND d.state <> 'entered_in_error'
        AND NOT d.is_struck
)"""
"""As `corrections.is_death` says it of one need."""


async def list_dead(work: Work, case_ids: Sequence[str]) -> set[str]:
    """The cases of these whose person counts as dead. # unscoped: found through something that the actor may see"""
    rows = await work.connection.fetch(
        f"SELECT c.id FROM unnest($1::uuid[]) AS c (id) WHERE {COUNTS_AS_DEAD.format(case='c.id')}",  # noqa: S608
        case_ids,
    )
    return {str(row["id"]) for row in rows}


async def find_referrals(work: Work, referral_ids: Sequence[str]) -> dict[str, Referral]:
    """Referrals by id. # unscoped: the caller has found them through something it may see"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(REFERRAL)} FROM referrals WHERE referral_id = ANY($1::uuid[])",  # noqa: S608
        referral_ids,
    )
    return {str(row["referral_id"]): _referral(row) for row in rows}


async def list_attempts(work: Work, referral_ids: Sequence[str]) -> dict[str, list[Assignment]]:
    """All attempts of these referrals, first to last. # unscoped: as above"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(ASSIGNMENT)} FROM assignments WHERE referral_id = ANY($1::uuid[])"  # noqa: S608
        " ORDER BY referral_id, attempt",
        referral_ids,
    )
    found: dict[str, list[Assignment]] = {}
    for row in rows:
        found.setdefault(str(row["referral_id"]), []).append(_assignment(row))
    return found


async def find_needs(work: Work, referral_ids: Sequence[str]) -> dict[str, Need]:
    """These referrals with all their attempts; the caller holds the locks of their cases."""
    referrals = await find_referrals(work, referral_ids)
    attempts = await list_attempts(work, list(referrals))
    return {id_: Need(referral, tuple(attempts.get(id_, ()))) for id_, referral in referrals.items()}


async def list_needs_of_case(work: Work, case_id: str) -> list[Need]:
    """All needs of a case with their attempts. # unscoped: for who has broken the glass of this case"""
    rows = await work.connection.fetch(
        "SELECT referral_id FROM referrals WHERE case_id = $1 ORDER BY referral_id", case_id
    )
    found = await find_needs(work, [str(row["referral_id"]) for row in rows])
    return [found[str(row["referral_id"])] for row in rows]


async def update_referrals(work: Work, referrals: Sequence[Referral]) -> None:
    """Write what can change of these referrals."""
    columns = (
        "referral_id", "state", "version", "outcome", "ended_at", "closed_by", "held_until", "statement", "is_struck",
    )  # fmt: skip
    await work.connection.execute(
        "UPDATE referrals r SET state = n.state, version = n.version, outcome = n.outcome, ended_at = n.ended_at,"  # noqa: S608
        f" closed_by = n.closed_by, held_until = n.held_until, statement = n.statement, is_struck = n.is_struck"
        f" FROM unnest({_arrays(1, columns)}) AS n ({', '.join(columns)})"
        " WHERE r.referral_id = n.referral_id AND r.version < n.version",
        *_by_column(attrgetter(*columns), referrals, len(columns)),
    )


CHANGING = (
    "assignment_id", "state", "version", "acknowledged_at", "answered_at", "answered_by", "service_due_at",
    "started_at", "ended_at", "decline_reason", "decline_side", "outcome", "handover_ref", "overdue_told_at",
    "answer_due_at", "question_id", "answer_left", "remind_at", "reminded_at", "end_reason",
)  # fmt: skip


async def update_assignments(work: Work, changed: Sequence[Assignment]) -> None:
    """Write what can change of these assignments."""
    sets = ", ".join(f"{column} = n.{column}" for column in CHANGING[1:])
    await work.connection.execute(
        f"UPDATE assignments a SET {sets} FROM unnest({_arrays(1, CHANGING)}) AS n ({', '.join(CHANGING)})"  # noqa: S608
        " WHERE a.assignment_id = n.assignment_id AND a.version < n.version",
        *_by_column(attrgetter(*CHANGING), changed, len(CHANGING)),
    )


async def add_assignments(work: Work, added: Sequence[Assignment]) -> None:
    """Write further attempts."""
    await work.connection.execute(
        f"INSERT INTO assignments ({', '.join(ASSIGNMENT)}) SELECT * FROM unnest({_arrays(1, ASSIGNMENT)})",  # noqa: S608
        *_by_column(attrgetter(*ASSIGNMENT), added, len(ASSIGNMENT)),
    )


async def find_explanations(work: Work, digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """Stored decisions by digest. # unscoped: they hold no person, only codes of needs and regions"""
    rows = await work.connection.fetch("SELECT digest, body FROM explanations WHERE digest = ANY($1::bytea[])", digests)
    return {bytes(row["digest"]): bytes(row["body"]) for row in rows}


async def list_due(work: Work, limit: int, apart_from: Sequence[str]) -> list[tuple[str, str, str]]:
    """Assignments whose deadline or reminder has passed: assignment, referral and case, the longest ago first.

    # unscoped: the clock works for everybody
    """
    rows = await work.connection.fetch(
        "SELECT a.assignment_id, a.referral_id, r.case_id FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE least(a.remind_at, a.due_at) <= $1 AND a.due_at IS NOT NULL AND a.overdue_told_at IS NULL"
        " AND a.assignment_id <> ALL($3::uuid[]) ORDER BY least(a.remind_at, a.due_at) LIMIT $2",
        work.now,
        limit,
        apart_from,
    )
    return [(str(row["assignment_id"]), str(row["referral_id"]), str(row["case_id"])) for row in rows]


async def mark_reminded(work: Work, reminded: Sequence[Assignment]) -> None:
    """Write what was done about reminders of these, whose version stays; the caller holds the locks of their cases."""
    columns = ("assignment_id", "remind_at", "reminded_at")
    await work.connection.execute(
        "UPDATE assignments a SET remind_at = n.remind_at, reminded_at = n.reminded_at"  # noqa: S608
        f" FROM unnest({_arrays(1, columns)}) AS n ({', '.join(columns)}) WHERE a.assignment_id = n.assignment_id",
        *_by_column(attrgetter(*columns), reminded, len(columns)),
    )


async def list_held(work: Work, limit: int, apart_from: Sequence[str]) -> list[tuple[str, str]]:
    """Needs that have waited until their day: referral and case, the longest first. # unscoped: the clock's"""
    rows = await work.connection.fetch(
        "SELECT referral_id, case_id FROM referrals WHERE held_until <= $1 AND referral_id <> ALL($3::uuid[])"
        " ORDER BY held_until LIMIT $2",
        work.now,
        limit,
        apart_from,
    )
    return [(str(row["referral_id"]), str(row["case_id"])) for row in rows]


async def mark_disclosed(work: Work, assignment_id: str) -> None:
    """The identity is read; an acceptance that it was read on stands."""
    await work.connection.execute(
        "UPDATE assignments SET disclosed_at = $2 WHERE assignment_id = $1 AND disclosed_at IS NULL",
        assignment_id,
        work.now,
    )


async def list_gaps_before(
    work: Work, directory_at: datetime, limit: int, apart_from: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Open gaps of an older directory than this: gap, referral and case; the most urgent and of those the oldest first.

    # unscoped: the clock's
    """
    rows = await work.connection.fetch(
        "SELECT g.gap_id, g.referral_id, r.case_id FROM gaps g JOIN referrals r USING (referral_id)"
        " LEFT JOIN unnest($3::text[], $4::integer[]) AS u (need, urgency) USING (need)"
        " WHERE g.closed_at IS NULL AND g.directory_at < $1 AND g.gap_id <> ALL($5::uuid[])"
        " ORDER BY coalesce(r.urgency, u.urgency), g.opened_at, g.gap_id LIMIT $2",
        directory_at,
        limit,
        list(codes.needs()),
        [need.priority for need in codes.needs().values()],
        apart_from,
    )
    return [(str(row["gap_id"]), str(row["referral_id"]), str(row["case_id"])) for row in rows]


async def find_open_gaps(work: Work, referral_ids: Sequence[str]) -> dict[str, str]:
    """The open gap of each of these needs. # unscoped: what the service itself has heard"""
    rows = await work.connection.fetch(
        "SELECT referral_id, gap_id FROM gaps WHERE referral_id = ANY($1::uuid[]) AND closed_at IS NULL", referral_ids
    )
    return {str(row["referral_id"]): str(row["gap_id"]) for row in rows}


async def mark_gaps_closed(work: Work, gap_ids: Sequence[str]) -> None:
    """Somebody serves these now."""
    await work.connection.execute("UPDATE gaps SET closed_at = $2 WHERE gap_id = ANY($1::uuid[])", gap_ids, work.now)


async def add_gaps(work: Work, gaps: Sequence[Gap], *, directory_at: datetime) -> None:
    """Nobody serves these any more, as `add_opened` has it of new needs."""
    await work.connection.execute(
        "INSERT INTO gaps (gap_id, referral_id, reason, opened_at, directory_at)"
        " SELECT *, $4::timestamptz, $5::timestamptz FROM unnest($1::uuid[], $2::uuid[], $3::text[])",
        [gap.gap_id for gap in gaps],
        [gap.referral_id for gap in gaps],
        [gap.reason for gap in gaps],
        work.now,
        directory_at,
    )


async def close_gaps(work: Work, referral_ids: Sequence[str]) -> None:
    """These needs are nobody's to serve any more: they have ended."""
    await work.connection.execute(
        "UPDATE gaps SET closed_at = $2 WHERE referral_id = ANY($1::uuid[]) AND closed_at IS NULL",
        referral_ids,
        work.now,
    )


async def mark_gaps_tried(work: Work, reasons: Mapping[str, str | None], *, directory_at: datetime) -> None:
    """Nobody serves these in this directory and by these rules either; why not, by gap."""
    await work.connection.execute(
        "UPDATE gaps g SET directory_at = $3, reason = coalesce(t.reason, g.reason)"
        " FROM unnest($1::uuid[], $2::text[]) AS t (gap_id, reason) WHERE g.gap_id = t.gap_id",
        list(reasons),
        list(reasons.values()),
        directory_at,
    )


async def update_explanations(work: Work, decisions: Mapping[str, Decision]) -> None:
    """Give these referrals the decision that routes them now; the earlier explanation stays stored."""
    found = sorted(decisions.items(), key=lambda item: item[1].digest)
    await work.connection.execute(
        "WITH n AS (SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[], $5::smallint[])"
        " AS n (referral_id, digest, rules_version, body, urgency)), explained AS ("
        " INSERT INTO explanations (digest, rules_version, body) SELECT DISTINCT digest, rules_version, body FROM n"
        " ORDER BY digest"
        " ON CONFLICT DO NOTHING)"
        " UPDATE referrals r SET explanation = n.digest, urgency = n.urgency FROM n"
        " WHERE r.referral_id = n.referral_id",
        [referral_id for referral_id, _ in found],
        [d.digest for _, d in found],
        [d.rules_version for _, d in found],
        [d.body for _, d in found],
        [None if d.terms is None else d.terms.urgency for _, d in found],
    )


def _referral(row: Mapping[str, Any]) -> Referral:
    ids = {"referral_id": str(row["referral_id"]), "case_id": str(row["case_id"])}
    return Referral(**{**row, **ids, "explanation": bytes(row["explanation"])})


def _assignment(row: Mapping[str, Any]) -> Assignment:
    ids = ("assignment_id", "referral_id", "transfer_of", "question_id")
    return Assignment(**{**row, **{name: row[name] and str(row[name]) for name in ids}})
