"""What was corrected of voyages; each read only the port's own."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from services.intake.domain.voyages import Voyage, VoyageStep
from services.intake.store.voyages import VOYAGE, voyage_of
from shared.kit.work import Work

STEPS = (
    f"SELECT {', '.join(f'c.{field.name}' for field in fields(VoyageStep))}"  # noqa: S608 - constants
    " FROM voyage_corrections c JOIN voyages v USING (voyage_id) WHERE c.voyage_id = $1 AND v.port = $2"
)


async def lock(work: Work, voyage_id: str) -> Voyage | None:
    """A voyage of the actor's port. Locks its row."""
    row = await work.connection.fetchrow(
        f"SELECT {VOYAGE} FROM voyages v WHERE v.voyage_id = $1 AND v.port = $2 FOR NO KEY UPDATE",  # noqa: S608
        voyage_id,
        work.actor.port,
    )
    return None if row is None else voyage_of(row)


async def has_list(work: Work, voyage_id: str) -> bool:
    """Whether a list of a voyage that the caller has locked was taken in, or begun."""
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM manifests WHERE voyage_id = $1)", voyage_id
    )
    return found


async def save(work: Work, after: Voyage, step: VoyageStep) -> None:
    """Put a corrected voyage, locked before, in the place of the one that was, and the step that led there."""
    values: list[Any] = [getattr(step, field.name) for field in fields(VoyageStep)]
    await work.connection.execute(
        "WITH changed AS (UPDATE voyages SET version = $2, expected_at = $4, vessel = $6, modality = $8, told_on = $12"
        " WHERE voyage_id = $1)"
        " INSERT INTO voyage_corrections (voyage_id, version, was_expected_at, expected_at, was_vessel, vessel,"
        " was_modality, modality, reason, corrected_by, corrected_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        after.voyage_id,
        *values,
        after.told_on,
    )


async def list_steps(work: Work, voyage_id: str) -> Sequence[VoyageStep]:
    """The history of a voyage of the actor's port, first to last."""
    rows = await work.connection.fetch(f"{STEPS} ORDER BY c.version", voyage_id, work.actor.port)
    return [VoyageStep(**row) for row in rows]


async def last_step(work: Work, voyage_id: str) -> VoyageStep | None:
    """What was corrected last of a voyage of the actor's port."""
    row = await work.connection.fetchrow(f"{STEPS} ORDER BY c.version DESC LIMIT 1", voyage_id, work.actor.port)
    return None if row is None else VoyageStep(**row)
