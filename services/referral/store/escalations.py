"""Needs before a person: the rungs they are on, who has taken them, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.escalations import Escalation
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Escalation))
COLUMNS = ", ".join(f"e.{name}" for name in NAMES)
OPEN = "e.closed_at IS NULL"


async def add_escalations(work: Work, escalations: Sequence[Escalation]) -> set[str]:
    """Put needs in front of a person; answers the ids of those that were not there for this reason already."""
    rows = await work.connection.fetch(
        f"INSERT INTO escalations ({', '.join(NAMES)}, opened_at) SELECT *, $12 FROM unnest($1::uuid[], $2::uuid[],"  # noqa: S608
        " $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[],"
        " $10::text[], $11::timestamptz[]) ON CONFLICT DO NOTHING RETURNING escalation_id",
        *zip(*map(attrgetter(*NAMES), escalations), strict=True),
        work.now,
    )
    return {str(row["escalation_id"]) for row in rows}


async def close_escalations(work: Work, referral_ids: Sequence[str], *, reason: str | None = None) -> None:
    """These needs are with somebody again, or have ended. That a limit of the law has passed stays until they end.

    `reason`: close only what was opened for it.
    """
    await work.connection.execute(
        "UPDATE escalations e SET closed_at = $2 FROM referrals r WHERE r.referral_id = e.referral_id"  # noqa: S608
        f" AND e.referral_id = ANY($1::uuid[]) AND {OPEN} AND (e.limit_code IS NULL OR r.ended_at IS NOT NULL)"
        " AND ($3::text IS NULL OR e.reason = $3)",
        referral_ids,
        work.now,
        reason,
    )


async def find_national(work: Work, referral_ids: Sequence[str]) -> dict[str, str]:
    """Of these needs those before the whole country: case of each. # unscoped: for those who answer for it"""
    rows = await work.connection.fetch(
        f"SELECT DISTINCT e.referral_id, r.case_id FROM escalations e JOIN referrals r USING (referral_id) WHERE {OPEN}"  # noqa: S608
        " AND e.rung = 'national' AND e.referral_id = ANY($1::uuid[])",
        referral_ids,
    )
    return {str(row["referral_id"]): str(row["case_id"]) for row in rows}


async def list_open(work: Work, referral_ids: Sequence[str]) -> list[Escalation]:
    """The open ones of these needs; the caller holds the locks of their cases."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM escalations e WHERE {OPEN} AND e.referral_id = ANY($1::uuid[])"  # noqa: S608
        " ORDER BY e.escalation_id",
        referral_ids,
    )
    return [_escalation(row) for row in rows]


async def list_due(work: Work, limit: int, apart_from: Sequence[str]) -> list[tuple[str, str]]:
    """Needs whose escalation climbs or comes back now: referral and case. # unscoped: the clock works for everybody"""
    rows = await work.connection.fetch(
        f"SELECT e.referral_id, r.case_id FROM escalations e JOIN referrals r USING (referral_id) WHERE {OPEN}"  # noqa: S608
        " AND e.due_at <= $1 AND e.referral_id <> ALL($3::uuid[]) ORDER BY e.due_at LIMIT $2",
        work.now,
        limit,
        apart_from,
    )
    return [(str(row["referral_id"]), str(row["case_id"])) for row in rows]


async def update_escalations(work: Work, changed: Sequence[Escalation]) -> None:
    """Write where these stand and who has them."""
    await work.connection.execute(
        "UPDATE escalations e SET supervisor = n.supervisor, rung = n.rung, due_at = n.due_at,"
        " rung_since = n.rung_since, taken_by = n.taken_by, taken_at = n.taken_at FROM unnest($1::uuid[], $2::text[],"
        " $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::timestamptz[]) AS n (escalation_id,"
        " supervisor, rung, due_at, rung_since, taken_by, taken_at) WHERE e.escalation_id = n.escalation_id",
        *zip(
            *map(
                attrgetter("escalation_id", "supervisor", "rung", "due_at", "rung_since", "taken_by", "taken_at"),
                changed,
            ),
            strict=True,
        ),
    )


def _escalation(row: Mapping[str, Any]) -> Escalation:
    ids = ("escalation_id", "referral_id", "assignment_id")
    return Escalation(**{**row, **{name: row[name] and str(row[name]) for name in ids}})
