"""Arrivals as they are corrected, their history, and proposals that wait for a second person."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from services.intake.domain.arrival_corrections import Kept, Proposal, ProposalEnd, Step
from shared.contracts import codes
from shared.kit.work import Work

STEP = ", ".join(field.name for field in fields(Step))
PROPOSAL = ", ".join(field.name for field in fields(Proposal))
KEPT = "case_id, person_id, port, version, ended_as, sex, age_band, origin_regency, needs, onward_wish, arrived_at"


async def find(work: Work, case_id: str) -> Kept | None:
    """An arrival of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {KEPT} FROM arrivals WHERE case_id = $1 AND port = $2",  # noqa: S608 - a constant
        case_id,
        work.actor.port,
    )
    return None if row is None else _kept(row)


async def find_voyage(work: Work, case_id: str) -> str | None:
    """With which voyage somebody arrived. # unscoped: the arrival was found in the actor's own scope"""
    found: str | None = await work.connection.fetchval(
        "SELECT voyage_id::text FROM arrivals WHERE case_id = $1", case_id
    )
    return found


async def find_proposed(work: Work, case_id: str) -> Kept:
    """The arrival that a proposal is about. # unscoped: the proposal was found in the actor's own scope"""
    row = await work.connection.fetchrow(f"SELECT {KEPT} FROM arrivals WHERE case_id = $1", case_id)  # noqa: S608
    return _kept(row)


async def save(work: Work, after: Kept, step: Step, *, sealed: bytes | None) -> bool:
    """Write the arrival as it is now and the step that led there.

    False when somebody else was first: nothing is written then. `sealed`: the identity, where the birth changed.
    """
    row = await work.connection.fetchrow(
        "WITH changed AS ("
        " UPDATE arrivals SET version = version + 1, ended_as = $3, sex = $4, age_band = $5, origin_regency = $6,"
        " needs = $7::text[], sealed = coalesce($8, sealed) WHERE case_id = $1 AND version = $2 - 1"
        " RETURNING case_id, port, version"
        ") INSERT INTO arrival_corrections (case_id, version, port, kind, was, became, added, struck, reason,"
        " strike_reason, proof, duplicate_of, died_on, proposed_by, corrected_by, corrected_at)"
        " SELECT case_id, version, port, $9, $10::text, $11::text, $12::text[], $13::text[], $14::text, $15::text,"
        " $16::text, $17::uuid, $20::date, $21::text, $18, $19 FROM changed RETURNING version",
        after.case_id,
        after.version,
        after.ended_as,
        after.sex,
        after.age_band,
        after.origin_regency,
        after.needs,
        sealed,
        step.kind,
        step.was,
        step.became,
        step.added,
        step.struck,
        step.reason,
        step.strike_reason,
        step.proof,
        step.duplicate_of,
        work.actor.id,
        work.now,
        step.died_on,
        step.proposed_by,
    )
    return row is not None


async def list_steps(work: Work, case_id: str) -> list[Step]:
    """The history of an arrival of the actor's port, first to last."""
    rows = await work.connection.fetch(
        f"SELECT {STEP} FROM arrival_corrections WHERE case_id = $1 AND port = $2 ORDER BY version",  # noqa: S608
        case_id,
        work.actor.port,
    )
    return [_step(row) for row in rows]


async def of_cases(work: Work, case_ids: Sequence[str]) -> dict[str, list[Step]]:
    """The histories of these cases. # unscoped: an officer for the protection of data sees every port"""
    rows = await work.connection.fetch(
        f"SELECT case_id, {STEP} FROM arrival_corrections WHERE case_id = ANY($1::uuid[])"  # noqa: S608
        " ORDER BY case_id, version",
        case_ids,
    )
    found: dict[str, list[Step]] = {}
    for row in rows:
        found.setdefault(str(row["case_id"]), []).append(
            _step({name: value for name, value in row.items() if name != "case_id"})
        )
    return found


async def find_death(work: Work, case_id: str) -> Step:
    """By which correction somebody was noted as dead, the last time. # unscoped: of a case found in the own scope"""
    row = await work.connection.fetchrow(
        f"SELECT {STEP} FROM arrival_corrections WHERE case_id = $1 AND kind = 'died'"  # noqa: S608
        " ORDER BY version DESC LIMIT 1",
        case_id,
    )
    return _step(row)


async def last_step(work: Work, case_id: str) -> Step | None:
    """What was corrected last. # unscoped: of a case that was found in the actor's own scope"""
    row = await work.connection.fetchrow(
        f"SELECT {STEP} FROM arrival_corrections WHERE case_id = $1 ORDER BY version DESC LIMIT 1",  # noqa: S608
        case_id,
    )
    return None if row is None else _step(row)


async def add_proposal(work: Work, new: Proposal) -> bool:
    """Keep a proposal; False when another one of the case waits already."""
    row = await work.connection.fetchrow(
        "INSERT INTO age_proposals (proposal_id, case_id, person_id, port, regency, was, becomes, sealed, reason,"
        " proof, proposed_by, proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " ON CONFLICT (case_id) WHERE ended_as IS NULL DO NOTHING RETURNING proposal_id",
        new.proposal_id,
        new.case_id,
        new.person_id,
        new.port,
        new.regency,
        new.was,
        new.becomes,
        new.sealed,
        new.reason,
        new.proof,
        new.proposed_by,
        new.proposed_at,
    )
    return row is not None


SCOPE = "(port = $1 OR $2 IN (regency, left(regency, 2)))"
"""Of the actor's port, `$1`, or in the region that the actor supervises, `$2`; each is NULL for the other."""


async def find_proposal(work: Work, proposal_id: str, *, port: str | None, region: str | None) -> Proposal | None:
    """A proposal of the actor's port or region."""
    row = await work.connection.fetchrow(
        f"SELECT {PROPOSAL} FROM age_proposals WHERE {SCOPE} AND proposal_id = $3",  # noqa: S608 - constants
        port,
        region,
        proposal_id,
    )
    return None if row is None else _proposal(row)


async def list_open(work: Work, *, port: str | None, region: str | None, limit: int) -> list[Proposal]:
    """What waits for a second person, the longest first."""
    rows = await work.connection.fetch(
        f"SELECT {PROPOSAL} FROM age_proposals WHERE {SCOPE} AND ended_as IS NULL"  # noqa: S608 - constants
        " ORDER BY proposed_at, proposal_id LIMIT $3",
        port,
        region,
        limit,
    )
    return [_proposal(row) for row in rows]


async def list_lapsed(work: Work, *, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Proposals from before then that still wait, each with its case. # unscoped: the clock works for every port"""
    rows = await work.connection.fetch(
        "SELECT proposal_id, case_id FROM age_proposals WHERE ended_as IS NULL AND proposed_at <= $1"
        " ORDER BY proposed_at LIMIT $2",
        before,
        limit,
    )
    return [(str(row["proposal_id"]), str(row["case_id"])) for row in rows]


async def find_open_of(work: Work, case_id: str) -> Proposal | None:
    """The proposal that waits for a case of the actor's port."""
    row = await work.connection.fetchrow(
        f"SELECT {PROPOSAL} FROM age_proposals WHERE case_id = $1 AND port = $2 AND ended_as IS NULL",  # noqa: S608
        case_id,
        work.actor.port,
    )
    return None if row is None else _proposal(row)


async def overtake_proposal(work: Work, case_id: str) -> str | None:
    """The proposal that waits for a case that is locked, if there is one, is overtaken; answers its id.

    # unscoped: of a case that was found in the actor's own scope
    """
    overtaken = await work.connection.fetchval(
        "UPDATE age_proposals SET ended_as = 'overtaken', ended_by = $2, ended_at = $3, sealed = ''"
        " WHERE case_id = $1 AND ended_as IS NULL RETURNING proposal_id",
        case_id,
        work.actor.id,
        work.now,
    )
    return None if overtaken is None else str(overtaken)


async def end_proposal(work: Work, proposal_id: str, how: ProposalEnd) -> bool:
    """A proposal was decided; the birth that it held is kept here no longer. False for one that had ended."""
    done: str = await work.connection.execute(
        "UPDATE age_proposals SET ended_as = $2, ended_by = $3, ended_at = $4, sealed = ''"
        " WHERE proposal_id = $1 AND ended_as IS NULL",
        proposal_id,
        how,
        work.actor.id,
        work.now,
    )
    return done == "UPDATE 1"


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(
        **{
            **row,
            "case_id": str(row["case_id"]),
            "person_id": str(row["person_id"]),
            "needs": tuple(row["needs"]),
            "regency": codes.ports()[row["port"]].regency_code,
        }
    )


def _step(row: Mapping[str, Any]) -> Step:
    lists = {name: tuple(row[name]) for name in ("added", "struck")}
    return Step(**{**row, **lists, "duplicate_of": row["duplicate_of"] and str(row["duplicate_of"])})


def _proposal(row: Mapping[str, Any]) -> Proposal:
    ids = {name: str(row[name]) for name in ("proposal_id", "case_id", "person_id")}
    return Proposal(**{**row, **ids, "sealed": bytes(row["sealed"])})
