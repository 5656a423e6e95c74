"""Help that the sender ended, and whether the agency has said that it knows."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from services.referral.domain.cancellations import Cancellation
from shared.kit.work import Work

COLUMNS = ", ".join(field.name for field in fields(Cancellation))
OVERSEEN = "$1 IN (region, left(region, 2))"
"""As for needs: `$1` is the actor's region, a province or a regency; nothing without one."""


async def add_cancellations(
    work: Work,
    assignment_ids: Sequence[str],
    case_ids: Sequence[str],
    agency_ids: Sequence[str],
    *,
    confirm_by: datetime,
) -> None:
    """Ask these agencies to confirm. Each lies in the agency's region, or, if it has none, where help is due."""
    await work.connection.execute(
        "INSERT INTO cancellations (assignment_id, case_id, agency_id, region, cancelled_at, confirm_by)"
        " SELECT n.assignment_id, n.case_id, n.agency_id, coalesce((SELECT a.region FROM agencies a"
        "  WHERE a.agency_id = n.agency_id), (SELECT min(r.regency) FROM referrals r WHERE r.case_id = n.case_id)),"
        " $4, $5 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS n (assignment_id, case_id, agency_id)",
        assignment_ids,
        case_ids,
        agency_ids,
        work.now,
        confirm_by,
    )


async def list_open(work: Work, limit: int) -> list[Cancellation]:
    """What the own agency has still to confirm, the soonest first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM cancellations WHERE agency_id = $1 AND confirmed_at IS NULL"  # noqa: S608
        " ORDER BY confirm_by, assignment_id LIMIT $2",
        work.actor.organisation,
        limit,
    )
    return [_cancellation(row) for row in rows]


async def list_reasons(work: Work, assignment_ids: Sequence[str]) -> dict[str, str | None]:
    """Of these attempts of the own agency, why each need ended; None where it has not."""
    rows = await work.connection.fetch(
        "SELECT a.assignment_id, r.outcome FROM assignments a JOIN referrals r USING (referral_id)"
        " WHERE a.agency_id = $1 AND a.assignment_id = ANY($2::uuid[])",
        work.actor.organisation,
        assignment_ids,
    )
    return {str(row["assignment_id"]): row["outcome"] for row in rows}


async def lock_own(work: Work, assignment_ids: Sequence[str]) -> dict[str, Cancellation]:
    """Of these cancellations the own agency's, for this work alone to change."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM cancellations WHERE agency_id = $1 AND assignment_id = ANY($2::uuid[])"  # noqa: S608
        " ORDER BY assignment_id FOR UPDATE",
        work.actor.organisation,
        assignment_ids,
    )
    return {found.assignment_id: found for found in map(_cancellation, rows)}


async def list_overdue(work: Work, limit: int) -> list[Cancellation]:
    """What agencies of the actor's region have not confirmed in time, the longest overdue first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM cancellations WHERE {OVERSEEN} AND confirmed_at IS NULL AND confirm_by <= $2"  # noqa: S608
        " ORDER BY confirm_by, assignment_id LIMIT $3",
        work.actor.region,
        work.now,
        limit,
    )
    return [_cancellation(row) for row in rows]


async def lock_overdue(work: Work, assignment_id: str) -> Cancellation | None:
    """One of those, or one that was confirmed after all, for this work alone to change."""
    row = await work.connection.fetchrow(
        f"SELECT {COLUMNS} FROM cancellations WHERE {OVERSEEN} AND assignment_id = $3 AND confirm_by <= $2"  # noqa: S608
        " FOR UPDATE",
        work.actor.region,
        work.now,
        assignment_id,
    )
    return None if row is None else _cancellation(row)


async def lock_unreminded(work: Work, limit: int, apart_from: Sequence[str]) -> list[Cancellation]:
    """Overdue ones that nobody was told of yet. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM cancellations WHERE confirmed_at IS NULL AND overdue_told_at IS NULL"  # noqa: S608
        " AND confirm_by <= $1 AND assignment_id <> ALL($3::uuid[]) ORDER BY confirm_by LIMIT $2"
        " FOR UPDATE SKIP LOCKED",
        work.now,
        limit,
        apart_from,
    )
    return [_cancellation(row) for row in rows]


async def mark_cancellations_confirmed(work: Work, assignment_ids: Sequence[str]) -> None:
    """Who acts says that the agency knows of these."""
    await work.connection.execute(
        "UPDATE cancellations SET confirmed_at = $2, confirmed_by = $3 WHERE assignment_id = ANY($1::uuid[])",
        assignment_ids,
        work.now,
        work.actor.id,
    )


async def mark_cancellations_overdue_told(work: Work, assignment_ids: Sequence[str]) -> None:
    """A supervisor has been told of these."""
    await work.connection.execute(
        "UPDATE cancellations SET overdue_told_at = $2 WHERE assignment_id = ANY($1::uuid[])", assignment_ids, work.now
    )


def _cancellation(row: Mapping[str, Any]) -> Cancellation:
    return Cancellation(**{**row, "assignment_id": str(row["assignment_id"]), "case_id": str(row["case_id"])})
