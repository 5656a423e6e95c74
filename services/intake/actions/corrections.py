"""Correcting identities: asked for at a port or by the officer for data, who decides within 3 x 24 hours."""

from dataclasses import dataclass

from services.intake import policy
from services.intake.actions import protection
from services.intake.actions.arrival_corrections import overtake_proposal
from services.intake.actions.arrivals import day_at
from services.intake.domain.corrections import DECIDE_WITHIN, RejectReason, keeps_age_band, read_value
from services.intake.domain.people import IDENTITY_FIELDS, Identity
from services.intake.domain.references import is_reference
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.identities import (
    AgeBandWouldChange,
    CorrectionDecided,
    CorrectionUnknown,
    FieldUnknown,
    IdentityChanged,
    PersonErasedBefore,
    ReferenceUnfit,
)
from services.intake.store import corrections as store
from services.intake.store import disclosures, persons
from services.intake.store.corrections import Correction
from services.intake.store.persons import Case
from services.intake.store.vault import Sealed, Vault
from services.intake.store.vault.resealing import open_proposal, reseal, seal_proposal
from shared.contracts import codes
from shared.contracts.intake.identities import (
    CorrectionRejected,
    CorrectionRequested,
    IdentityCorrected,
    PersonRecordRead,
)
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Proposal:
    """A correction with what the field says now and what it is to say, for the one who decides.

    `seen` stands for what it says now: who accepts hands it back, and is refused when it says something else by then.
    """

    correction: Correction
    now: str
    proposed: str
    seen: str


async def request_correction(
    work: Work, vault: Vault, case_id: str, *, field: str, value: str, reference: str
) -> Correction:
    """Ask that a field of a case's identity be corrected; the value is sealed before it is stored.

    Raises `NotAllowed`, `CaseUnknown`, `FieldUnknown`, `BadCell`, `AgeBandWouldChange`, `ReferenceUnfit` or
    `PersonErasedBefore`.
    """
    case = await _case_to_correct(work, case_id)
    if field not in IDENTITY_FIELDS:
        raise FieldUnknown
    read = read_value(field, value)
    if not is_reference(reference):
        raise ReferenceUnfit
    _check_age(case, field, read)
    await work.lock_cases([case_id])
    wrapped_key = (await protection.find_case(work, case_id)).wrapped_key
    if wrapped_key is None:
        raise PersonErasedBefore
    correction_id = new_id()
    sealed = seal_proposal(vault, read, wrapped_key=wrapped_key, person_id=case.person_id, correction_id=correction_id)
    new = Correction(
        *(correction_id, case_id, case.person_id, case.port, field, sealed, reference),
        *(work.actor.id, work.now, work.now + DECIDE_WITHIN),
    )
    await store.add(work, new)
    work.record(
        CorrectionRequested(case_id=case_id, correction_id=correction_id, fields=(field,), decide_by=new.decide_by)
    )
    return new


async def read_proposal(work: Work, vault: Vault, correction_id: str) -> Proposal:
    """A correction as the one who decides has to see it; the reading is on the trail.

    Raises `NotAllowed`, `CorrectionUnknown` or `CorrectionDecided`.
    """
    correction = await _undecided(work, correction_id)
    identity, proposed, _ = await _opened(work, vault, correction)
    work.record(PersonRecordRead(case_id=correction.case_id, fields=(correction.field,)))
    return Proposal(correction, getattr(identity, correction.field), proposed, _seen(vault, correction, identity))


async def accept_correction(work: Work, vault: Vault, correction_id: str, *, seen: str | None) -> None:
    """Write a correction into the identity, under the person's same key, and tell who had been shown the old one.

    `seen`: as `Proposal` has it; None where nobody has looked. Raises `NotAllowed`, `CorrectionUnknown`,
    `CorrectionDecided`, `IdentityChanged` or `AgeBandWouldChange`.
    """
    correction = await _undecided(work, correction_id)
    identity, proposed, case = await _opened(work, vault, correction)
    assert case.wrapped_key is not None
    if seen is not None and seen != _seen(vault, correction, identity):
        raise IdentityChanged
    _check_age(case, correction.field, proposed)
    corrected = identity._replace(**{correction.field: proposed})
    sealed = reseal(vault, corrected, wrapped_key=case.wrapped_key, person_id=case.person_id, case_id=case.case_id)
    await persons.reseal(work, case.case_id, sealed)
    if correction.field == "birth":
        await overtake_proposal(work, case.case_id)
    if correction.field == "nik":
        await persons.reindex(work, case.person_id, "nik", vault.blind_index("nik", proposed))
    elif correction.field == "document_number":
        await persons.reindex(work, case.person_id, "document", vault.blind_index("document", proposed))
    await store.decide(work, [correction_id], "accepted")
    shown = (await disclosures.recipients(work, [case.case_id])).get(case.case_id, ())
    work.emit(IdentityCorrected(case_id=case.case_id, fields=(correction.field,), recipients=shown))


async def reject_correction(work: Work, correction_id: str, *, reason: RejectReason) -> None:
    """Leave the identity as it is. Raises `NotAllowed`, `CorrectionUnknown` or `CorrectionDecided`."""
    correction = await _undecided(work, correction_id)
    await store.decide(work, [correction_id], "rejected", reason=reason)
    work.record(
        CorrectionRejected(
            case_id=correction.case_id, correction_id=correction_id, fields=(correction.field,), reason=reason
        )
    )


async def list_undecided(work: Work, *, limit: int) -> list[Correction]:
    """What is to be decided, the longest due first. Raises `NotAllowed`."""
    await protection.act_for_all_ports(work)
    return await store.list_undecided(work, limit=limit)


async def _case_to_correct(work: Work, case_id: str) -> Case:
    """The case, for the officer for data or for an officer of the port where it landed."""
    await work.as_service()  # keys are nobody's; of which port the case has to be, policy says below
    case = await protection.find_case(work, case_id)
    if not policy.may_request_correction(work.actor, case.port):
        raise CaseUnknown
    return case


async def _undecided(work: Work, correction_id: str) -> Correction:
    """A correction that is still to be decided, its case locked."""
    await protection.act_for_all_ports(work)
    correction = await store.find(work, correction_id)
    if correction is None:
        raise CorrectionUnknown
    await work.lock_cases([correction.case_id])
    correction = await store.find(work, correction_id)
    assert correction is not None
    if correction.decision is not None:
        raise CorrectionDecided
    return correction


async def _opened(work: Work, vault: Vault, correction: Correction) -> tuple[Identity, str, Case]:
    """The identity as it is, the value that was asked for, and the case. An erasure would have decided it."""
    case = await protection.find_case(work, correction.case_id)
    assert case.wrapped_key is not None
    identity = vault.open(Sealed(case.wrapped_key, case.sealed), person_id=case.person_id, case_id=case.case_id)
    proposed = open_proposal(
        vault,
        correction.sealed,
        wrapped_key=case.wrapped_key,
        person_id=case.person_id,
        correction_id=correction.correction_id,
    )
    return identity, proposed, case


def _seen(vault: Vault, correction: Correction, identity: Identity) -> str:
    return vault.digest("seen", correction.correction_id, getattr(identity, correction.field)).hex()


def _check_age(case: Case, field: str, value: str) -> None:
    on = day_at(codes.ports()[case.port], case.arrived_at)
    if field == "birth" and not keeps_age_band(value, band=case.age_band, on=on):
        raise AgeBandWouldChange
