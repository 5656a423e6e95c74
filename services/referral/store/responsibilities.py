"""Who answers for children, step by step."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from services.referral.domain.responsibilities import Responsibility
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Responsibility))


async def add_responsibilities(work: Work, steps: Sequence[Responsibility]) -> None:
    """Write these steps; the callers hold the locks of their cases, or write the case's first ones.

    Who answers already goes on when another need of the same child is opened.
    """
    await work.connection.execute(
        f"INSERT INTO responsibilities ({', '.join(NAMES)}) SELECT * FROM unnest($1::uuid[], $2::integer[],"  # noqa: S608
        " $3::text[], $4::text[], $5::timestamptz[], $6::text[]) ON CONFLICT (case_id, seq) DO NOTHING",
        *zip(*map(attrgetter(*NAMES), steps), strict=True),
    )


async def find_responsibilities(work: Work, case_ids: Sequence[str]) -> dict[str, list[Responsibility]]:
    """The steps of these cases, first to last. # unscoped: for the case team, which has found the case as its own"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(NAMES)} FROM responsibilities WHERE case_id = ANY($1::uuid[]) ORDER BY case_id, seq",  # noqa: S608
        case_ids,
    )
    found: dict[str, list[Responsibility]] = {}
    for row in rows:
        step = Responsibility(**{**row, "case_id": str(row["case_id"])})
        found.setdefault(step.case_id, []).append(step)
    return found
