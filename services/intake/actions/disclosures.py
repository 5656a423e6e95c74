"""Releasing an identity: on an acceptance that intake heard itself, only the fields of the need, on the trail first."""

from dataclasses import dataclass

from services.intake import policy
from services.intake.domain.consents import Person, purposes_of, standing
from services.intake.domain.disclosures import FIELDS, RefusalReason, refusal
from services.intake.domain.refusals import NotAllowed
from services.intake.store import arrivals, consents, disclosures, referrals
from services.intake.store.vault import Sealed, Vault
from shared.contracts import codes
from shared.contracts.codes import NeedCode
from shared.contracts.intake.identities import DisclosureRefused, IdentityDisclosed
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Ask:
    """Who wants to see whom: `reader` is the person or system at the agency."""

    case_id: str
    assignment_id: str
    agency_id: str
    reader: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The fields that have a value."""

    fields: dict[str, str]


async def disclose_identity(work: Work, vault: Vault, ask: Ask) -> Disclosed | RefusalReason:
    """Open the fields that the accepted need allows and put that on the trail, or put the refusal there.

    What it answers may leave only after the work was committed. Raises `NotAllowed`.
    """
    if not policy.may_ask_disclosure(work.actor):
        raise NotAllowed
    await work.as_service()  # keys are nobody's; what decides is the acceptance that intake has heard itself
    await work.lock_cases([ask.case_id])
    fields = await _open(work, vault, ask)
    if isinstance(fields, str):
        work.record(
            DisclosureRefused(
                case_id=ask.case_id, assignment_id=ask.assignment_id, agency_id=ask.agency_id, reason=fields
            )
        )
        return fields
    disclosure_id = work.record(
        IdentityDisclosed(
            case_id=ask.case_id,
            assignment_id=ask.assignment_id,
            agency_id=ask.agency_id,
            fields=tuple(fields),
            reader=ask.reader,
        )
    )
    await disclosures.add(
        work,
        disclosure_id,
        case_id=ask.case_id,
        assignment_id=ask.assignment_id,
        agency_id=ask.agency_id,
        reader=ask.reader,
        fields=tuple(fields),
    )
    return Disclosed(fields)


async def _open(work: Work, vault: Vault, ask: Ask) -> dict[str, str] | RefusalReason:
    """The fields that this agency may see, or why it may see none."""
    grant = await referrals.find_grant(work, ask.assignment_id)
    reason = refusal(grant, case_id=ask.case_id, agency_id=ask.agency_id, now=work.now)
    if grant is None or reason not in (None, "ended"):
        return reason or "not_accepted"
    kept = await arrivals.find_sealed(work, ask.case_id)
    if kept is None:
        return "unknown_case"
    if kept.wrapped_key is None:
        return "erased"  # which also ended the grant; that there is nothing left is what the agency has to know
    if reason is not None:
        return reason
    if await _is_stopped(work, ask, grant.need, kept.age_band):
        return "no_consent"
    identity = vault.open(Sealed(kept.wrapped_key, kept.sealed), person_id=kept.person_id, case_id=ask.case_id)
    return {name: value for name in FIELDS[grant.need] if (value := getattr(identity, name))}


async def _is_stopped(work: Work, ask: Ask, need: NeedCode, age_band: str) -> bool:
    """Whether the consent that handing it on to such an agency rests on was refused, taken back or has ended.

    Referral ends the assignment as soon as it hears of that; until then, and whatever becomes of it, nothing leaves.
    """
    entries = [one.entry for one in await consents.of_cases(work, [ask.case_id])]
    class_ = codes.recipient_class(ask.agency_id)
    return any(
        standing(
            entries,
            purpose=purpose,
            recipient_class=class_,
            need=need,
            is_child=Person(age_band, ()).is_child,
            now=work.now,
        ).stops
        for purpose in purposes_of(class_)
    )
