"""What was said of consent, in order, and what was heard of those who had been shown an identity.

Read for who may record it: the port where somebody landed, and officers for the protection of data, who see every port.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, get_args

from asyncpg import Record

from services.intake.domain.consents import SPOKEN, Entry, Scope
from services.intake.domain.erasures import Recipient
from shared.contracts.codes import NeedCode, recipient_class
from shared.kit.work import Work

SELECT = """
SELECT c.entry_id, c.case_id, c.version, c.kind, c.purpose, c.recipient_class, c.needs, c.recorded_by, c.recorded_at,
    c.ends, c.spoken_by, c.how, c.language, c.expires_at, c.basis, c.reason, c.confirm_by, c.sealed,
    ARRAY(
        SELECT (r.agency_id, r.confirmed_at, r.overdue_at) FROM consent_recipients r
        WHERE r.entry_id = c.entry_id ORDER BY r.agency_id
    ) AS recipients
FROM consents c
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry with its sealed words (empty where there are none) and, where it stops something, who was told."""

    entry: Entry
    sealed: bytes
    recipients: tuple[Recipient, ...] = ()

    @property
    def outstanding(self) -> int:
        """How many have not confirmed."""
        return sum(one.confirmed_at is None for one in self.recipients)


async def add(work: Work, entry: Entry, *, person_id: str, port: str, sealed: bytes) -> None:
    """Keep what is recorded now. The case is locked, so that its entries are counted without a hole."""
    await work.connection.execute(
        "INSERT INTO consents (entry_id, case_id, person_id, port, version, kind, purpose, recipient_class, needs,"
        " ends, spoken_by, how, language, expires_at, basis, reason, sealed, confirm_by, recorded_by, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        *(entry.entry_id, entry.case_id, person_id, port, entry.version, entry.kind, entry.scope.purpose),
        *(entry.scope.recipient_class, list(entry.scope.needs), entry.ends, entry.spoken_by, entry.how, entry.language),
        *(entry.expires_at, entry.basis, entry.reason, sealed, entry.confirm_by, entry.recorded_by, entry.recorded_at),
    )


async def add_recipients(work: Work, entry_id: str, agency_ids: Sequence[str]) -> None:
    """Keep who has to end what it did on a consent that is gone."""
    await work.connection.execute(
        "INSERT INTO consent_recipients (entry_id, agency_id) SELECT $1, a.agency_id"
        " FROM unnest($2::text[]) AS a (agency_id)",
        entry_id,
        agency_ids,
    )


async def of_cases(work: Work, case_ids: Sequence[str]) -> list[Kept]:
    """All that was recorded for these cases, in order.

    # unscoped: see above.
    """
    rows = await work.connection.fetch(
        f"{SELECT} WHERE c.case_id = ANY($1::uuid[]) ORDER BY c.case_id, c.version",
        case_ids,
    )
    return [_kept(row) for row in rows]


async def find_case_of(work: Work, entry_id: str) -> str | None:
    """The case of an entry.

    # unscoped: see above.
    """
    case_id = await work.connection.fetchval("SELECT case_id FROM consents WHERE entry_id = $1", entry_id)
    return None if case_id is None else str(case_id)


LAST_WORD = """
c.kind = 'given' AND EXISTS (
    SELECT FROM unnest(CASE WHEN c.needs = '{}' THEN $1::text[] ELSE c.needs END) AS n (need)
    WHERE NOT EXISTS (
        SELECT FROM consents l WHERE l.case_id = c.case_id AND l.version > c.version AND l.purpose = c.purpose
            AND l.recipient_class = c.recipient_class AND l.kind = ANY($2::text[])
            AND (l.needs = '{}' OR n.need = ANY(l.needs))
    )
)
"""
"""A consent of which nothing else was said since for one of its needs at least; `$1` all needs, `$2` what counts."""
EVERY_NEED = list(get_args(NeedCode))


async def list_expired(work: Work, *, since: datetime, limit: int) -> list[tuple[str, str]]:
    """Consents that have reached their end since then, the first to end first, each with its case.

    Not of persons who were erased: whoever had been shown those has been told.
    # unscoped: the clock works for every port
    """
    rows = await work.connection.fetch(
        f"SELECT c.entry_id, c.case_id FROM consents c WHERE {LAST_WORD}"  # noqa: S608 - a constant
        " AND c.expires_at > $3 AND c.expires_at <= $4"
        " AND EXISTS (SELECT FROM person_keys k WHERE k.person_id = c.person_id) ORDER BY c.expires_at LIMIT $5",
        EVERY_NEED,
        list(SPOKEN),
        since,
        work.now,
        limit,
    )
    return [(str(row["entry_id"]), str(row["case_id"])) for row in rows]


async def list_ending(work: Work, *, until: datetime, limit: int) -> list[Entry]:
    """Consents of the actor's port that still count and end by then, the first to end first.

    Not of whom nobody can be asked any more: of the dead, who was erased, and an arrival that was none.
    """
    rows = await work.connection.fetch(
        f"{SELECT} JOIN arrivals a ON a.case_id = c.case_id AND a.ended_as IS NULL AND octet_length(a.sealed) > 0"
        f" WHERE {LAST_WORD} AND c.port = $3 AND c.expires_at > $4 AND c.expires_at <= $5"
        " ORDER BY c.expires_at, c.entry_id LIMIT $6",
        EVERY_NEED,
        list(SPOKEN),
        work.actor.port,
        work.now,
        until,
        limit,
    )
    return [_kept(row).entry for row in rows]


async def list_shown(work: Work, case_id: str, scope: Scope) -> list[tuple[str, str]]:
    """Agencies of the class that were shown the identity, by code, each with a need of the scope it was shown for.

    # unscoped: told to nobody but those agencies themselves, the port and the data-protection officer.
    """
    rows = await work.connection.fetch(
        "SELECT DISTINCT d.agency_id, g.need FROM disclosures d JOIN disclosure_grants g USING (assignment_id)"
        " WHERE d.case_id = $1 AND ($2::text[] = '{}' OR g.need = ANY($2::text[])) ORDER BY d.agency_id, g.need",
        case_id,
        list(scope.needs),
    )
    shown = [(row["agency_id"], row["need"]) for row in rows]
    return [one for one in shown if recipient_class(one[0]) == scope.recipient_class]


class Said(NamedTuple):
    """What was heard of one agency that had been told that consent is gone."""

    entry_id: str
    agency_id: str
    confirmed_at: datetime | None
    overdue_at: datetime | None


async def note(work: Work, said: Sequence[Said]) -> None:
    """Keep confirmations and reminders; the first of each counts, and for strangers nothing is kept."""
    await work.connection.execute(
        "UPDATE consent_recipients r SET confirmed_at = coalesce(r.confirmed_at, s.confirmed_at),"
        " overdue_at = coalesce(r.overdue_at, s.overdue_at) FROM ("
        " SELECT entry_id, agency_id, min(confirmed_at) AS confirmed_at, min(overdue_at) AS overdue_at"
        " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])"
        " AS h (entry_id, agency_id, confirmed_at, overdue_at) GROUP BY entry_id, agency_id) s"
        " WHERE r.entry_id = s.entry_id AND r.agency_id = s.agency_id",
        *zip(*said, strict=True),
    )


def _kept(row: Record) -> Kept:
    entry = Entry(
        entry_id=str(row["entry_id"]),
        case_id=str(row["case_id"]),
        version=row["version"],
        kind=row["kind"],
        scope=Scope(row["purpose"], row["recipient_class"], tuple(row["needs"])),
        recorded_by=row["recorded_by"],
        recorded_at=row["recorded_at"],
        ends=None if row["ends"] is None else str(row["ends"]),
        spoken_by=row["spoken_by"],
        how=row["how"],
        language=row["language"],
        expires_at=row["expires_at"],
        basis=row["basis"],
        reason=row["reason"],
        confirm_by=row["confirm_by"],
    )
    return Kept(entry, row["sealed"], tuple(Recipient(entry.case_id, *said) for said in row["recipients"]))
