"""What intake has heard of referral: needs taken up, and acceptances that identities are released on."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.intake.domain.disclosures import Grant
from shared.kit.work import Work


class Taken(NamedTuple):
    """What was heard of one need of a case: taken up and going on, or ended. `seq` is the sender's number of it."""

    case_id: str
    need: str
    at: datetime
    seq: int
    has_ended: bool


async def note_needs(work: Work, heard: Sequence[Taken]) -> None:
    """Keep which needs referral has taken up and when help for them ended; the latest that was said counts."""
    latest = {(h.case_id, h.need): h for h in sorted(heard, key=lambda h: h.seq)}
    await work.connection.execute(
        "INSERT INTO referred_needs (case_id, need, opened_at, ended_at, heard_seq)"
        " SELECT h.case_id, h.need, h.at, CASE WHEN h.has_ended THEN h.at END, h.seq"
        " FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::integer[], $5::boolean[])"
        " AS h (case_id, need, at, seq, has_ended)"
        " ON CONFLICT (case_id, need) DO UPDATE SET ended_at = excluded.ended_at, heard_seq = excluded.heard_seq"
        " WHERE referred_needs.heard_seq < excluded.heard_seq",
        *zip(*latest.values(), strict=True),
    )


class Accepted(NamedTuple):
    assignment_id: str
    case_id: str
    agency_id: str
    need: str
    accepted_at: datetime


async def add_grants(work: Work, accepted: Sequence[Accepted]) -> None:
    """Keep acceptances; the same one again changes nothing. One that was undone and made again counts from then."""
    latest = {a.assignment_id: a for a in sorted(accepted, key=lambda a: a.accepted_at)}
    await work.connection.execute(
        "INSERT INTO disclosure_grants (assignment_id, case_id, agency_id, need, accepted_at)"
        " SELECT g.assignment_id, g.case_id, g.agency_id, g.need, g.accepted_at"
        " FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])"
        " AS g (assignment_id, case_id, agency_id, need, accepted_at)"
        " ON CONFLICT (assignment_id) DO UPDATE SET accepted_at = excluded.accepted_at, ended_at = NULL"
        " WHERE disclosure_grants.accepted_at < excluded.accepted_at AND NOT disclosure_grants.completed",
        *zip(*latest.values(), strict=True),
    )


class Ended(NamedTuple):
    assignment_id: str
    ended_at: datetime
    completed: bool


async def end_grants(work: Work, ended: Sequence[Ended]) -> None:
    """Keep when assignments ended, and whether with help; the first end after the acceptance counts."""
    await work.connection.execute(
        "UPDATE disclosure_grants g SET ended_at = e.ended_at, completed = e.completed"
        " FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) AS e (assignment_id, ended_at, completed)"
        " WHERE g.assignment_id = e.assignment_id AND g.ended_at IS NULL AND g.accepted_at <= e.ended_at",
        *zip(*ended, strict=True),
    )


async def find_grant(work: Work, assignment_id: str) -> Grant | None:
    """The acceptance of one assignment.

    # unscoped: what `disclosures.refusal` compares with the agency that asks.
    """
    row = await work.connection.fetchrow(
        "SELECT assignment_id, case_id, agency_id, need, ended_at, completed"
        " FROM disclosure_grants WHERE assignment_id = $1",
        assignment_id,
    )
    if row is None:
        return None
    return Grant(
        str(row["assignment_id"]),
        str(row["case_id"]),
        row["agency_id"],
        row["need"],
        row["ended_at"],
        row["completed"],
    )
