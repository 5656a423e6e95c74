"""Minutes of handovers: written once, read with the attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.handovers import Handover
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Handover))
PLAIN = tuple(name for name in NAMES if name != "documents")


async def add_handovers(work: Work, minutes: Sequence[Handover]) -> None:
    """Write these down; of a group each person's own."""
    await work.connection.execute(
        f"INSERT INTO handovers ({', '.join(PLAIN)}, documents, recorded_at)"  # noqa: S608 - field names
        f" SELECT {', '.join(PLAIN)}, string_to_array(documents, ' '), $15 FROM unnest($1::uuid[], $2::text[],"
        " $3::uuid[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],"
        " $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[])"
        f" AS n ({', '.join(PLAIN)}, documents)",
        *zip(*map(attrgetter(*PLAIN), minutes), strict=True),
        [" ".join(one.documents) for one in minutes],
        work.now,
    )


async def find_handovers(work: Work, assignment_ids: Sequence[str]) -> dict[str, list[Handover]]:
    """The minutes of these attempts, first to last. # unscoped: the caller has found the attempts as its own"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(NAMES)} FROM handovers WHERE assignment_id = ANY($1::uuid[])"  # noqa: S608 - field names
        " ORDER BY recorded_at, number",
        assignment_ids,
    )
    found: dict[str, list[Handover]] = {}
    for row in rows:
        minutes = _handover(row)
        found.setdefault(minutes.assignment_id, []).append(minutes)
    return found


def _handover(row: Mapping[str, Any]) -> Handover:
    ids = {name: str(row[name]) for name in ("assignment_id", "case_id")}
    return Handover(**{**row, **ids, "documents": tuple(row["documents"])})
