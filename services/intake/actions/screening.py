"""Screening somebody who landed at the actor's port: what is answered is sealed, what is needed goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.intake import policy, screening
from services.intake.actions import arrival_corrections
from services.intake.domain import screening as domain
from services.intake.domain.arrival_corrections import expect_alive
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.identities import PersonErasedBefore
from services.intake.domain.refusals.screening import QuestionnaireUnknown, ScreeningUnknown
from services.intake.domain.screening import Answer, Assessment, Circumstances, Questionnaire, Screening
from services.intake.store import arrival_corrections as arrivals_store
from services.intake.store import arrivals, screenings
from services.intake.store.vault import Vault, resealing
from shared.contracts.codes import NeedCode, TraffickingDecision, TraffickingReason
from shared.contracts.intake.arrivals import ArrivalScreened
from shared.contracts.intake.identities import PersonRecordRead
from shared.kit.ids import new_id
from shared.kit.work import Work

ANSWERS = "screening_answers"
"""How the trail calls the answers among what was read of a person."""


def questionnaire(version: str) -> Questionnaire:
    """One version of the questions. Raises `QuestionnaireUnknown`."""
    if version not in screening.versions():
        raise QuestionnaireUnknown
    return screening.load(version)


async def try_answers(work: Work, case_id: str, *, version: str, answers: Mapping[str, Answer]) -> Assessment:
    """What answers come to, before anybody decides; nothing is kept.

    Raises `NotAllowed`, `CaseUnknown`, `ArrivalInError`, `PersonHasDied`, `QuestionnaireUnknown`, `AnswerUnknown`.
    """
    if not policy.may_correct_arrivals(work.actor):
        raise NotAllowed
    kept = await arrivals_store.find(work, case_id)
    if kept is None:
        raise CaseUnknown
    expect_alive(kept)
    return domain.assess(questionnaire(version), answers, age_band=kept.age_band)


async def screen(
    work: Work,
    vault: Vault,
    case_id: str,
    *,
    arrival_version: int,
    version: str,
    answers: Mapping[str, Answer],
    chosen: Sequence[NeedCode],
    decision: TraffickingDecision,
    reason: TraffickingReason | None,
    circumstances: Circumstances,
) -> Screening:
    """Keep a talk, and add the needs that the officer has chosen on it; none is taken away by it.

    Raises as `arrival_corrections.expected`, `ArrivalInError`, `PersonHasDied`, `QuestionnaireUnknown`,
    `AnswerUnknown`, `LevelNotDecided`, `DecisionNeedsReason`, `PersonErasedBefore`.
    """
    kept = await arrival_corrections.expected(work, case_id, arrival_version)
    expect_alive(kept)
    found = domain.assess(questionnaire(version), answers, age_band=kept.age_band)
    domain.expect_decided(found.trafficking, decision, reason)
    added = domain.to_add(chosen, kept.needs, decision)
    if added:
        await arrival_corrections.correct_needs(
            work,
            case_id,
            version=arrival_version,
            add=added,
            strike=(),
            reason="assessed",
            strike_reason=None,
        )
    await work.as_service()  # the person's key is nobody's; the answers are sealed with it
    person = await arrivals.find_sealed(work, case_id)
    if person is None or person.wrapped_key is None:
        raise PersonErasedBefore
    done = Screening(
        screening_id=new_id(),
        case_id=case_id,
        questionnaire=version,
        screened_by=work.actor.id,
        screened_at=work.now,
        circumstances=circumstances,
        proposed=found.proposed,
        added=added,
        level=found.trafficking.level,
        score=found.trafficking.score,
        decision=decision,
        reason=reason,
    )
    sealed = resealing.seal_answers(
        vault,
        answers,
        wrapped_key=person.wrapped_key,
        person_id=person.person_id,
        screening_id=done.screening_id,
    )
    await screenings.add(work, done, person_id=person.person_id, port=kept.port, sealed=sealed)
    work.record(
        ArrivalScreened(
            case_id=case_id,
            screening_id=done.screening_id,
            questionnaire=version,
            points_to=done.proposed,
            added=added,
            level=done.level,
            decision=decision,
            reason=reason,
            interpreter=circumstances.interpreter,
            alone=circumstances.alone,
        )
    )
    return done


@dataclass(frozen=True, slots=True)
class Answered:
    """A screening with what was answered, empty once the person was erased, and why it came to what it did."""

    screening: Screening
    asked: Questionnaire
    answers: Mapping[str, Answer]

    @property
    def found(self) -> Assessment:
        return domain.explain(self.asked, self.screening, self.answers)


async def read_answers(work: Work, vault: Vault, screening_id: str) -> Answered:
    """One talk; it may leave only after the commit. Raises `NotAllowed`, `ScreeningUnknown`."""
    if not policy.may_correct_arrivals(work.actor):
        raise NotAllowed
    kept = await screenings.find(work, screening_id)
    if kept is None:
        raise ScreeningUnknown
    await work.as_service()  # keys are nobody's; the screening is the actor's port's
    person = await arrivals.find_sealed(work, kept.screening.case_id)
    answers: dict[str, Answer] = {}
    if person is not None and person.wrapped_key is not None and kept.sealed:
        answers = resealing.open_answers(
            vault,
            kept.sealed,
            wrapped_key=person.wrapped_key,
            person_id=kept.person_id,
            screening_id=screening_id,
        )
    work.record(PersonRecordRead(case_id=kept.screening.case_id, fields=(ANSWERS,) if answers else ()))
    return Answered(kept.screening, questionnaire(kept.screening.questionnaire), answers)
