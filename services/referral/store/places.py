"""The table of places that offices publish."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.referral.domain.capacity import Place
from shared.kit.work import Work

COLUMNS = "agency_id, sex, age_band, accessible, offered, taken, expires_at"


async def list_publishing(work: Work) -> list[str]:
    """The offices that have published places that are not too old. # unscoped: the service alone asks"""
    rows = await work.connection.fetch("SELECT DISTINCT agency_id FROM places WHERE expires_at > $1", work.now)
    return [row["agency_id"] for row in rows]


async def list_places(work: Work, agency_id: str, *, everywhere: bool = False) -> list[Place]:
    """What the actor's own office has published, if it is this one.

    `everywhere`: of whichever office instead. # unscoped: for those who keep the directory
    """
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM places WHERE agency_id = $1 AND ($2 OR agency_id = $3) ORDER BY place",  # noqa: S608
        agency_id,
        everywhere,
        work.actor.organisation,
    )
    return [_place(row) for row in rows]


async def lock_places(work: Work, agency_ids: Sequence[str]) -> list[Place]:
    """All places of these offices, for this work alone to take. In one order, so that two works cannot deadlock."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM places WHERE agency_id = ANY($1::text[]) ORDER BY agency_id, place FOR UPDATE",  # noqa: S608
        agency_ids,
    )
    return [_place(row) for row in rows]


async def find_beds(work: Work, agency_ids: Sequence[str], case_ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """What these people have at these offices, by office and case. # unscoped: the service alone asks"""
    rows = await work.connection.fetch(
        "SELECT agency_id, case_id, place FROM beds WHERE agency_id = ANY($1::text[]) AND case_id = ANY($2::uuid[])",
        agency_ids,
        case_ids,
    )
    return {(row["agency_id"], str(row["case_id"])): row["place"] for row in rows}


async def save_places(work: Work, places: Sequence[Place]) -> None:
    """Publish these anew; what is taken is not touched."""
    await work.connection.execute(
        "INSERT INTO places (agency_id, sex, age_band, accessible, offered, expires_at, published_at)"
        " SELECT *, $7 FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::integer[], $6::timestamptz[])"
        " ON CONFLICT (agency_id, place) DO UPDATE SET offered = excluded.offered, expires_at = excluded.expires_at,"
        " published_at = excluded.published_at",
        [p.agency_id for p in places],
        [p.sex for p in places],
        [p.age_band for p in places],
        [p.accessible for p in places],
        [p.offered for p in places],
        [p.expires_at for p in places],
        work.now,
    )


async def take_places(work: Work, leases: Mapping[str, str]) -> None:
    """These attempts (by id) take these places; the one too many is refused by the database."""
    await work.connection.execute(
        "UPDATE assignments a SET place = n.place FROM unnest($1::uuid[], $2::text[]) AS n (assignment_id, place)"
        " WHERE a.assignment_id = n.assignment_id",
        list(leases),
        list(leases.values()),
    )


def _place(row: Mapping[str, Any]) -> Place:
    return Place(**row)
