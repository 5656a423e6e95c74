"""Which agencies are passed over for which needs, and until when."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.pauses import Pause
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Pause))
BEGUN = NAMES[: NAMES.index("lifted_at")]
COLUMNS = ", ".join(NAMES)
REGION = "(SELECT a.region FROM agencies a WHERE a.agency_id = n.agency_id)"
OVERSEEN = "$1 IN (region, left(region, 2))"
"""As for needs: `$1` is the actor's region, a province or a regency; nothing without one."""


async def add_pauses(work: Work, begun: Sequence[Pause]) -> None:
    """Pass these agencies over from now on; one that is passed over already is so until the later moment."""
    await work.connection.execute(
        f"INSERT INTO pauses ({', '.join(BEGUN)}) SELECT n.pause_id, n.agency_id, n.need, n.restricted, {REGION},"  # noqa: S608
        " n.reason, $6, n.until FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[],"
        " $7::timestamptz[]) AS n (pause_id, agency_id, need, restricted, reason, until)"
        " ON CONFLICT (agency_id, need) WHERE lifted_at IS NULL DO UPDATE SET since = excluded.since,"
        " until = greatest(pauses.until, excluded.until), reason = excluded.reason,"
        " restricted = pauses.restricted OR excluded.restricted",
        *zip(*map(attrgetter("pause_id", "agency_id", "need", "restricted", "reason"), begun), strict=True),
        work.now,
        [pause.until for pause in begun],
    )


async def list_in_force(work: Work) -> list[tuple[str, str]]:
    """Agency and need of each pause that is in force now. # unscoped: the service routes by them"""
    rows = await work.connection.fetch(
        "SELECT agency_id, need FROM pauses WHERE lifted_at IS NULL AND until > $1", work.now
    )
    return [(row["agency_id"], row["need"]) for row in rows]


async def list_own(work: Work) -> list[Pause]:
    """What the own agency is passed over for, the soonest end first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM pauses WHERE agency_id = $1 AND lifted_at IS NULL AND until > $2"  # noqa: S608
        " ORDER BY until, pause_id",
        work.actor.organisation,
        work.now,
    )
    return [_pause(row) for row in rows]


async def list_overseen(work: Work, limit: int) -> list[Pause]:
    """The pauses of agencies of the actor's region, the soonest end first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM pauses WHERE {OVERSEEN} AND lifted_at IS NULL AND until > $2"  # noqa: S608
        " ORDER BY until, pause_id LIMIT $3",
        work.actor.region,
        work.now,
        limit,
    )
    return [_pause(row) for row in rows]


async def find_overseen(work: Work, pause_ids: Sequence[str]) -> dict[str, Pause]:
    """Of these pauses those of agencies of the actor's region, and of the own agency."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM pauses WHERE ({OVERSEEN} OR agency_id = $2) AND pause_id = ANY($3::uuid[])",  # noqa: S608
        work.actor.region,
        work.actor.organisation,
        pause_ids,
    )
    return {pause.pause_id: pause for pause in map(_pause, rows)}


async def mark_pauses_lifted(work: Work, pause_ids: Sequence[str]) -> set[str]:
    """These agencies are asked again; answers the ids of those that were not lifted before."""
    rows = await work.connection.fetch(
        "UPDATE pauses SET lifted_at = $2, lifted_by = $3 WHERE pause_id = ANY($1::uuid[]) AND lifted_at IS NULL"
        " RETURNING pause_id",
        pause_ids,
        work.now,
        work.actor.id,
    )
    return {str(row["pause_id"]) for row in rows}


def _pause(row: Mapping[str, Any]) -> Pause:
    return Pause(**{**row, "pause_id": str(row["pause_id"])})
