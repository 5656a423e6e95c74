"""Who was shown which identity: written with the trail, read when somebody asks or has to be told."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.kit.work import Work


class Disclosure(NamedTuple):
    """One showing; `disclosure_id` is that of its entry on the trail."""

    disclosure_id: str
    case_id: str
    assignment_id: str
    agency_id: str
    reader: str
    purpose: str
    fields: tuple[str, ...]
    disclosed_at: datetime


async def add(
    work: Work,
    disclosure_id: str,
    *,
    case_id: str,
    assignment_id: str,
    agency_id: str,
    reader: str,
    fields: Sequence[str],
) -> None:
    """Keep that an identity was shown."""
    await work.connection.execute(
        "INSERT INTO disclosures"
        " (disclosure_id, case_id, assignment_id, agency_id, reader, purpose, fields, disclosed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        disclosure_id,
        case_id,
        assignment_id,
        agency_id,
        reader,
        work.purpose,
        list(fields),
        work.now,
    )


async def recipients(work: Work, case_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each case the agencies that were shown its identity, by code; nothing for a case nobody was shown.

    # unscoped: told to nobody but those agencies themselves, and to the data-protection officer.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in await work.connection.fetch(
        "SELECT DISTINCT case_id, agency_id FROM disclosures WHERE case_id = ANY($1::uuid[])"
        " ORDER BY case_id, agency_id",
        case_ids,
    ):
        found[str(row["case_id"])].append(row["agency_id"])
    return {case_id: tuple(agencies) for case_id, agencies in found.items()}
