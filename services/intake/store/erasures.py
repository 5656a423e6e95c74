"""Receipts of erasures, and what was heard of those who had been shown an identity."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record

from services.intake.domain.erasures import Reason, Receipt, Recipient
from shared.kit.work import Work

SELECT = """
SELECT e.person_id, e.reason, e.reference, e.erased_by, e.erased_at, e.confirm_by,
    ARRAY(SELECT a.case_id::text FROM arrivals a WHERE a.person_id = e.person_id ORDER BY 1) AS case_ids,
    ARRAY(
        SELECT (r.case_id, r.agency_id, r.confirmed_at, r.overdue_at)
        FROM erasure_recipients r JOIN arrivals a USING (case_id)
        WHERE a.person_id = e.person_id ORDER BY r.case_id, r.agency_id
    ) AS recipients
FROM erasures e
"""


async def add(
    work: Work, person_ids: Sequence[str], *, reason: Reason, references: Sequence[str], confirm_by: datetime
) -> None:
    """Keep the receipts of people who are erased now."""
    await work.connection.execute(
        "INSERT INTO erasures (person_id, reason, reference, erased_by, erased_at, confirm_by)"
        " SELECT p.person_id, $2, p.reference, $4, $5, $6 FROM unnest($1::uuid[], $3::text[])"
        " AS p (person_id, reference)",
        person_ids,
        reason,
        references,
        work.actor.id,
        work.now,
        confirm_by,
    )


async def add_recipients(work: Work, recipients: Sequence[tuple[str, str]]) -> None:
    """Keep which agency (second) had been shown which case (first)."""
    await work.connection.execute(
        "INSERT INTO erasure_recipients (case_id, agency_id)"
        " SELECT r.case_id, r.agency_id FROM unnest($1::uuid[], $2::text[]) AS r (case_id, agency_id)",
        [case_id for case_id, _ in recipients],
        [agency_id for _, agency_id in recipients],
    )


async def find(work: Work, person_id: str) -> Receipt | None:
    """The receipt of one person's erasure.

    # unscoped: read for officers for the protection of data, who see every port.
    """
    row = await work.connection.fetchrow(f"{SELECT} WHERE e.person_id = $1", person_id)
    return None if row is None else _receipt(row)


async def list_latest(work: Work, *, after: str | None, limit: int) -> list[Receipt]:
    """Receipts, the latest first, `limit` of them after the receipt of a person.

    # unscoped: read for officers for the protection of data, who see every port.
    """
    rows = await work.connection.fetch(
        f"{SELECT} WHERE $1::uuid IS NULL OR (e.erased_at, e.person_id) <"  # noqa: S608 - a constant
        " (SELECT l.erased_at, l.person_id FROM erasures l WHERE l.person_id = $1::uuid)"
        " ORDER BY e.erased_at DESC, e.person_id DESC LIMIT $2",
        after,
        limit,
    )
    return [_receipt(row) for row in rows]


class Said(NamedTuple):
    """What was heard of one agency's copy of one case."""

    case_id: str
    agency_id: str
    confirmed_at: datetime | None
    overdue_at: datetime | None


async def note(work: Work, said: Sequence[Said]) -> None:
    """Keep confirmations and reminders; the first of each counts, and for strangers nothing is kept."""
    await work.connection.execute(
        "UPDATE erasure_recipients r SET confirmed_at = coalesce(r.confirmed_at, s.confirmed_at),"
        " overdue_at = coalesce(r.overdue_at, s.overdue_at) FROM ("
        " SELECT case_id, agency_id, min(confirmed_at) AS confirmed_at, min(overdue_at) AS overdue_at"
        " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])"
        " AS h (case_id, agency_id, confirmed_at, overdue_at) GROUP BY case_id, agency_id) s"
        " WHERE r.case_id = s.case_id AND r.agency_id = s.agency_id",
        *zip(*said, strict=True),
    )


def _receipt(row: Record) -> Receipt:
    return Receipt(
        person_id=str(row["person_id"]),
        case_ids=tuple(row["case_ids"]),
        reason=row["reason"],
        reference=row["reference"],
        erased_by=row["erased_by"],
        erased_at=row["erased_at"],
        confirm_by=row["confirm_by"],
        recipients=tuple(Recipient(str(case_id), *said) for case_id, *said in row["recipients"]),
    )
