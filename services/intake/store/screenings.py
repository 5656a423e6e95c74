"""Screenings; each read only the port's own, or for the person itself by the officer for the protection of data."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncpg import Record

from services.intake.domain.screening import Circumstances, Screening
from shared.kit.work import Work

SELECT = (
    "SELECT screening_id, case_id, questionnaire, screened_by, screened_at, place, language, interpreter, alone,"
    " proposed, added, level, score, decision, reason, person_id, sealed FROM screenings"
)

PLAIN = ("questionnaire", "screened_by", "screened_at", "level", "score", "decision", "reason")


class Kept(NamedTuple):
    """A screening and its sealed answers, empty once the person was erased."""

    screening: Screening
    person_id: str
    sealed: bytes


async def add(work: Work, screening: Screening, *, person_id: str, port: str, sealed: bytes) -> None:
    """Keep a screening of a case that is locked."""
    told = screening.circumstances
    await work.connection.execute(
        "INSERT INTO screenings (screening_id, case_id, person_id, port, questionnaire, sealed, proposed, added, level,"
        " score, decision, reason, place, language, interpreter, alone, screened_by, screened_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        *(screening.screening_id, screening.case_id, person_id, port, screening.questionnaire, sealed),
        *(list(screening.proposed), list(screening.added), screening.level, screening.score, screening.decision),
        *(screening.reason, told.place, told.language, told.interpreter, told.alone),
        *(screening.screened_by, screening.screened_at),
    )


async def find(work: Work, screening_id: str) -> Kept | None:
    """One screening of the actor's port."""
    row = await work.connection.fetchrow(
        f"{SELECT} WHERE screening_id = $1 AND port = $2", screening_id, work.actor.port
    )
    return None if row is None else _kept(row)


async def of_case(work: Work, case_id: str) -> list[Kept]:
    """Screenings of a case of the actor's port, the latest first."""
    rows = await work.connection.fetch(
        f"{SELECT} WHERE case_id = $1 AND port = $2 ORDER BY screening_id DESC", case_id, work.actor.port
    )
    return [_kept(row) for row in rows]


async def of_people(work: Work, person_ids: Sequence[str]) -> list[Kept]:
    """All screenings of these people, in order.

    # unscoped: an officer for the protection of data sees every port; policy says who that is.
    """
    rows = await work.connection.fetch(f"{SELECT} WHERE person_id = ANY($1::uuid[]) ORDER BY screening_id", person_ids)
    return [_kept(row) for row in rows]


async def list_further(work: Work, *, after: str | None, limit: int) -> list[Screening]:
    """The last screenings of cases of the actor's port that are to be assessed further, the earliest first.

    Not of whom nobody can ask any more: of the dead, who was erased, and an arrival that was none.
    """
    rows = await work.connection.fetch(
        f"{SELECT} s WHERE s.port = $1 AND s.decision = 'assess_further'"  # noqa: S608 - a constant
        " AND ($2::uuid IS NULL OR s.screening_id > $2) AND octet_length(s.sealed) > 0"
        " AND NOT EXISTS (SELECT FROM screenings l WHERE l.case_id = s.case_id AND l.screening_id > s.screening_id)"
        " AND EXISTS (SELECT FROM arrivals a WHERE a.case_id = s.case_id AND a.ended_as IS NULL)"
        " ORDER BY s.screening_id LIMIT $3",
        work.actor.port,
        after,
        limit,
    )
    return [_kept(row).screening for row in rows]


def _kept(row: Record) -> Kept:
    told = Circumstances(row["place"], row["language"], row["interpreter"], row["alone"])
    plain = {name: row[name] for name in PLAIN}
    texts: dict[str, Any] = {name: str(row[name]) for name in ("screening_id", "case_id")}
    lists: dict[str, Any] = {name: tuple(row[name]) for name in ("proposed", "added")}
    screening = Screening(**{**plain, **texts, **lists}, circumstances=told)
    return Kept(screening, str(row["person_id"]), bytes(row["sealed"]))
