"""That people live who were noted as dead, until a second person has decided; of the actor's port or region."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from services.intake.domain.arrival_corrections import Doubt, DoubtEnd
from services.intake.store.arrival_corrections import SCOPE
from shared.kit.work import Work

DOUBT = ", ".join(field.name for field in fields(Doubt))


async def add(work: Work, new: Doubt) -> bool:
    """Keep a doubt; False when another one of the case waits already."""
    row = await work.connection.fetchrow(
        "INSERT INTO death_doubts (doubt_id, case_id, port, regency, reason, proposed_by, proposed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (case_id) WHERE ended_as IS NULL DO NOTHING"
        " RETURNING doubt_id",
        new.doubt_id,
        new.case_id,
        new.port,
        new.regency,
        new.reason,
        new.proposed_by,
        new.proposed_at,
    )
    return row is not None


async def find(work: Work, doubt_id: str, *, port: str | None, region: str | None) -> Doubt | None:
    """A doubt of the actor's port or region."""
    row = await work.connection.fetchrow(
        f"SELECT {DOUBT} FROM death_doubts WHERE {SCOPE} AND doubt_id = $3",  # noqa: S608 - constants
        port,
        region,
        doubt_id,
    )
    return None if row is None else _doubt(row)


async def list_open(work: Work, *, port: str | None, region: str | None, limit: int) -> list[Doubt]:
    """What waits for a second person, the longest first."""
    rows = await work.connection.fetch(
        f"SELECT {DOUBT} FROM death_doubts WHERE {SCOPE} AND ended_as IS NULL"  # noqa: S608 - constants
        " ORDER BY proposed_at, doubt_id LIMIT $3",
        port,
        region,
        limit,
    )
    return [_doubt(row) for row in rows]


async def end(work: Work, case_id: str, how: DoubtEnd) -> str | None:
    """The doubt that waits of this case, if there is one, is decided; answers its id."""
    ended = await work.connection.fetchval(
        "UPDATE death_doubts SET ended_as = $2, ended_by = $3, ended_at = $4"
        " WHERE case_id = $1 AND ended_as IS NULL RETURNING doubt_id",
        case_id,
        how,
        work.actor.id,
        work.now,
    )
    return None if ended is None else str(ended)


def _doubt(row: Mapping[str, Any]) -> Doubt:
    return Doubt(**{**row, "doubt_id": str(row["doubt_id"]), "case_id": str(row["case_id"])})
