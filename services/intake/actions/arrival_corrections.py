"""Correcting what routing rests on, by the port where somebody landed: at once, on the version that was looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.intake import policy
from services.intake.actions.arrivals import day_at
from services.intake.domain import arrival_corrections as domain
from services.intake.domain import people
from services.intake.domain.arrival_corrections import Corrected, Kept, Proposal, Step
from services.intake.domain.cells import in_life
from services.intake.domain.people import Birth
from services.intake.domain.refusals import NotAllowed, Refused
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.identities import PersonErasedBefore
from services.intake.store import arrival_corrections as store
from services.intake.store import arrivals, disclosures, households, match_keys
from services.intake.store.vault import Sealed, Vault
from services.intake.store.vault.resealing import reseal
from shared.contracts import codes
from shared.contracts.codes import AgeProof, CorrectionReason, NeedCode, Sex, StrikeReason
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    AgeProposalEnded,
    ArrivalFact,
    NeedsCorrected,
    OriginCorrected,
    SexCorrected,
)
from shared.contracts.intake.identities import IdentityCorrected
from shared.kit import words
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work

CORRECTED_MEANWHILE = msg(
    "On %(time)s %(who)s corrected it: %(what)s, from %(was)s to %(became)s. You looked at version"
    " %(expected)s, now it is %(found)s. Look at it as it is now, then correct what is still wrong."
)
KINDS: Mapping[str, str] = {
    "age": msg("Age group"),
    "sex": msg("Sex"),
    "origin": msg("Origin"),
    "needs": msg("Needs"),
    "entered_in_error": msg("Entered in error"),
    "died": msg("Death"),
    "death_undone": msg("The person lives"),
}

COMPARED = ("age", "sex", "origin", "entered_in_error")
"""By these an arrival is compared anew with earlier returns, or no more. With an age goes the birth it follows from."""

OVERTAKING = ("age", "entered_in_error", "died")
"""These end a proposal about the age."""


class ChangedMeanwhile(Refused):
    """Somebody else has corrected the arrival since it was looked at: `step` says what, who and when."""

    def __init__(self, *, expected: int, found: int, zone: str, step: Step) -> None:
        super().__init__()
        self.expected = expected
        self.found = found
        self.zone = zone
        self.step = step


class ArrivalChanged(Refusal):
    """The same, for who reads it: both values, who was first and when, and what to do. `say` words a code."""

    status = 409
    code = "arrival_changed"
    title = msg("This arrival was corrected meanwhile")

    def __init__(self, language: Language, changed: ChangedMeanwhile, say: Callable[[str, str], str]) -> None:
        step = changed.step
        was, became = values(step)
        super().__init__(
            words.translate(
                language,
                CORRECTED_MEANWHILE,
                time="–" if step.corrected_at is None else words.moment(language, step.corrected_at, changed.zone),
                who=step.corrected_by,
                what=words.translate(language, KINDS[step.kind]),
                was=", ".join(say(step.kind, one) for one in was) or "–",
                became=", ".join(say(step.kind, one) for one in became) or "–",
                expected=changed.expected,
                found=changed.found,
            )
        )


def values(step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a step took away and what it put there, in codes: of needs those that were struck and added."""
    if step.kind == "needs":
        return step.struck, step.added
    return tuple(filter(None, (step.was,))), tuple(filter(None, (step.became or step.reason,)))


@dataclass(frozen=True, slots=True)
class Seen:
    """An arrival with its voyage and its history, and the proposal about its age that waits."""

    kept: Kept
    voyage_id: str | None
    steps: Sequence[Step]
    proposal: Proposal | None


async def look(work: Work, case_id: str) -> Seen:
    """An arrival of the own port. Raises `NotAllowed`, `CaseUnknown`."""
    policy.own_port(work.actor)
    kept = await store.find(work, case_id)
    if kept is None:
        raise CaseUnknown
    return Seen(
        kept,
        await store.find_voyage(work, case_id),
        await store.list_steps(work, case_id),
        await store.find_open_of(work, case_id),
    )


async def correct_sex(work: Work, case_id: str, *, version: int, to: Sex, reason: CorrectionReason) -> Kept:
    """Raises as `expected`, and `NothingToCorrect`."""
    kept = await expected(work, case_id, version)
    corrected = domain.correct_sex(kept, to, reason=reason)
    return await write(work, corrected, SexCorrected(**about(corrected[0]), was=kept.sex, reason=reason))


async def correct_origin(work: Work, case_id: str, *, version: int, to: str | None, reason: CorrectionReason) -> Kept:
    """Raises as `expected`, and `NothingToCorrect`."""
    kept = await expected(work, case_id, version)
    corrected = domain.correct_origin(kept, to, reason=reason)
    fact = OriginCorrected(**about(corrected[0]), was=kept.origin_regency, reason=reason)
    return await write(work, corrected, fact)


async def correct_needs(
    work: Work,
    case_id: str,
    *,
    version: int,
    add: Sequence[NeedCode],
    strike: Sequence[NeedCode],
    reason: CorrectionReason | None,
    strike_reason: StrikeReason | None,
) -> Kept:
    """Raises as `expected`, `NothingToCorrect`, `NeedFollowsAge`."""
    kept = await expected(work, case_id, version)
    after, step = domain.correct_needs(kept, add=add, strike=strike, reason=reason, strike_reason=strike_reason)
    fact = NeedsCorrected.model_validate(
        {
            **about(after),
            "added": step.added,
            "struck": step.struck,
            "reason": step.reason,
            "strike_reason": step.strike_reason,
        }
    )
    return await write(work, (after, step), fact)


async def expected(work: Work, case_id: str, version: int, *, beside: str | None = None) -> Kept:
    """An arrival of the own port as the actor has seen it, its case locked, and with it another, `beside`.

    Raises `NotAllowed`, `CaseUnknown`, also for another port's, and `ChangedMeanwhile`.
    """
    if not policy.may_correct_arrivals(work.actor):
        raise NotAllowed
    if await store.find(work, case_id) is None:
        raise CaseUnknown
    await lock_with_links(work, case_id, beside)
    kept = await store.find(work, case_id)
    assert kept is not None
    await expect_version(work, kept, version)
    return kept


async def lock_with_links(work: Work, case_id: str, beside: str | None = None) -> None:
    """Lock a case with those of the children it answers for, of the adults who answer for it, and another one."""
    links = await households.list_standing(work, case_id)
    linked = (id_ for link in links for id_ in (link.child_case_id, link.adult_case_id))
    await work.lock_cases({case_id, *linked, *filter(None, (beside,))})


async def expect_version(work: Work, kept: Kept, version: int) -> None:
    """Raises `ChangedMeanwhile` when another version was looked at."""
    if kept.version != version:
        step = await store.last_step(work, kept.case_id)
        zone = codes.ports()[kept.port].zone
        raise ChangedMeanwhile(
            expected=version, found=kept.version, zone=zone, step=step or Step(kept.version, "needs")
        )


async def write(work: Work, corrected: Corrected, fact: ArrivalFact, *, sealed: bytes | None = None) -> Kept:
    """Write a correction of a case that is locked, and tell it."""
    after, step = corrected
    await work.as_service()  # an arrival is the port's to see, and changes by these actions alone
    written = await store.save(work, after, step, sealed=sealed)
    if step.kind in COMPARED:
        await match_keys.forget(work, [after.case_id])
    assert written, "the case is locked and its version was looked at"
    if step.kind in OVERTAKING:
        await overtake_proposal(work, after.case_id)
    work.emit(fact)
    return after


async def overtake_proposal(work: Work, case_id: str) -> None:
    """What waits for a second person rests on an age, or a birth, that is no more; the case is locked."""
    overtaken = await store.overtake_proposal(work, case_id)
    if overtaken is not None:
        work.record(AgeProposalEnded(case_id=case_id, proposal_id=overtaken, how="overtaken"))


async def write_age(
    work: Work,
    vault: Vault,
    kept: Kept,
    birth: Birth | None,
    *,
    reason: CorrectionReason,
    proof: AgeProof | None,
    proposed_by: str | None,
) -> Kept:
    """Write another age, with the birth that it follows from into the identity.

    Raises as `domain.correct_age`, and `PersonErasedBefore`.
    """
    band = people.age_band(birth, day_at(codes.ports()[kept.port], kept.arrived_at))
    corrected = domain.correct_age(kept, band, reason=reason, proof=proof, by=work.actor.id, proposed_by=proposed_by)
    after, step = corrected
    await work.as_service()  # the identity is nobody's to read: only its birth is replaced, unseen
    found = await arrivals.find_sealed(work, kept.case_id)
    if found is None or found.wrapped_key is None:
        raise PersonErasedBefore
    identity = vault.open(Sealed(found.wrapped_key, found.sealed), person_id=kept.person_id, case_id=kept.case_id)
    sealed = reseal(
        vault,
        identity._replace(birth=birth.text if birth else ""),
        wrapped_key=found.wrapped_key,
        person_id=kept.person_id,
        case_id=kept.case_id,
    )
    fact = AgeCorrected.model_validate(
        {
            **about(after),
            "was": kept.age_band,
            "reason": reason,
            "proof": proof,
            "proposed_by": proposed_by,
            "added": step.added,
            "struck": step.struck,
        }
    )
    written = await write(work, corrected, fact, sealed=sealed)
    shown = (await disclosures.recipients(work, [kept.case_id])).get(kept.case_id, ())
    work.emit(IdentityCorrected(case_id=kept.case_id, fields=("birth",), recipients=shown))
    return written


def lived(kept: Kept, birth: Birth | None) -> Birth | None:
    """The birth, if somebody who landed then can have it. Raises `BadCell`."""
    if birth is not None:
        in_life(birth, day_at(codes.ports()[kept.port], kept.arrived_at))
    return birth


def about(kept: Kept) -> dict[str, Any]:
    """What every fact that corrects an arrival repeats."""
    return {
        "case_id": kept.case_id,
        "version": kept.version,
        "port": kept.port,
        "port_regency": kept.regency,
        "origin_regency": kept.origin_regency,
        "sex": kept.sex,
        "age_band": kept.age_band,
        "needs": kept.needs,
        "onward_wish": kept.onward_wish,
        "arrived_at": kept.arrived_at,
    }
