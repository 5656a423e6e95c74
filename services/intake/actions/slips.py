"""The slip that a person is handed: the code of the case, for whoever helps next; and finding a case by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake import policy
from services.intake.actions.arrivals import port_of
from services.intake.domain.arrival_corrections import expect_kept
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrivals import CaseUnknown, SlipTooLate
from services.intake.store import arrival_corrections, arrivals
from services.intake.store.vault import Sealed, Vault
from shared.contracts import codes
from shared.contracts.intake.identities import PersonRecordRead
from shared.kit.short_codes import NotACode, short_code, tail_of
from shared.kit.work import Work

PRINTED_WITHIN = timedelta(days=30)
"""A name is shown to the port on a slip while the person may still be there."""
FOUND_WITHIN = timedelta(days=400)
MOST = 20


@dataclass(frozen=True, slots=True)
class Slip:
    """`name` is empty for somebody of whom it is not known, or who was erased."""

    case_id: str
    code: str
    name: str
    port: codes.Port
    arrived_at: datetime


async def print_slip(work: Work, vault: Vault, case_id: str) -> Slip:
    """The slip of somebody who landed at the actor's port. It may leave only after the commit: a name is read.

    Raises `NotAllowed`, `CaseUnknown`, `ArrivalInError`, `SlipTooLate`.
    """
    if not policy.may_correct_arrivals(work.actor):
        raise NotAllowed
    kept = await arrival_corrections.find(work, case_id)
    if kept is None:
        raise CaseUnknown
    expect_kept(kept)
    if kept.arrived_at < work.now - PRINTED_WITHIN:
        raise SlipTooLate
    await work.as_service()  # keys are nobody's; the case is the actor's port's
    found = await arrivals.find_sealed(work, case_id)
    name = ""
    if found is not None and found.wrapped_key is not None:
        sealed = Sealed(found.wrapped_key, found.sealed)
        name = vault.open(sealed, person_id=kept.person_id, case_id=case_id).full_name
    work.record(PersonRecordRead(case_id=case_id, fields=("full_name",) if name else ()))
    return Slip(case_id, short_code(case_id), name, codes.ports()[kept.port], kept.arrived_at)


async def find_by_code(work: Work, typed: str) -> list[str]:
    """The cases of the actor's port that a slip leads to; nearly always one. Raises `NotAllowed`, `NotACode`."""
    port_of(work.actor)
    tail = tail_of(typed)
    return await arrivals.ends_with(work, tail, since=work.now - FOUND_WITHIN, limit=MOST)


__all__ = ["NotACode", "Slip", "find_by_code", "print_slip"]
