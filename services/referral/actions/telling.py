"""The facts referral says, made from needs and their attempts, and from the directory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.referral.domain import deadlines, households
from services.referral.domain.agencies import Agency, entry
from services.referral.domain.assignments import Assignment
from services.referral.domain.capacity import Place
from services.referral.domain.escalations import Escalation
from services.referral.domain.glass import Decision, Glass
from services.referral.domain.handovers import Handover
from services.referral.domain.households import Reunification
from services.referral.domain.needs import Need
from services.referral.domain.pauses import Pause
from services.referral.domain.questions import Question
from services.referral.domain.recipients import RecipientTask
from services.referral.domain.responsibilities import Responsibility
from services.referral.domain.routing import Decision as RoutingDecision
from services.referral.domain.rulesets import RuleSet
from services.referral.domain.statements import Statement
from services.referral.store.needs import Gap
from shared.contracts.referral.assignments import (
    AcceptanceUndone,
    AssignmentAccepted,
    AssignmentAcknowledged,
    AssignmentCancelled,
    AssignmentCompleted,
    AssignmentDeclined,
    AssignmentEnteredInError,
    AssignmentExpired,
    AssignmentFailed,
    AssignmentRecalled,
    AssignmentReminded,
    AssignmentSent,
    AssignmentTransferred,
    AssignmentWaitlisted,
    CancellationConfirmed,
    CancellationOverdue,
    ExpiryCause,
    HandoverRecorded,
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
    ServiceStarted,
)
from shared.contracts.referral.escalations import (
    EscalationRaised,
    EscalationTaken,
    GapClosed,
    GapOpened,
    ReferralEscalated,
)
from shared.contracts.referral.glass import CaseRead, GlassBroken, GlassLookedThrough, GlassReviewed, GlassReviewOverdue
from shared.contracts.referral.households import (
    ReunificationClosed,
    ReunificationOpened,
    ReunificationRaised,
    ReunificationReminded,
)
from shared.contracts.referral.offices import AgencyPaused, DirectoryChanged, PauseLifted, PlacesPublished, RulesChanged
from shared.contracts.referral.recipients import (
    CorrectionConfirmed,
    CorrectionOverdue,
    ErasureConfirmed,
    ErasureOverdue,
    WithdrawalConfirmed,
    WithdrawalOverdue,
)
from shared.contracts.referral.referrals import (
    ConsentAwaited,
    ConsentObtained,
    ReferralClosed,
    ReferralCorrected,
    ReferralFulfilled,
    ReferralHeld,
    ReferralOpened,
    ReferralReopened,
    ReferralResumed,
    RefusalRecorded,
    ResponsibilityPassed,
)


def about(need: Need) -> dict[str, Any]:
    """What every fact about a need repeats."""
    r = need.referral
    return {
        "case_id": r.case_id,
        "referral_id": r.referral_id,
        "need": r.need,
        "province": r.province,
        "restricted": r.restricted,
    }


def about_attempt(need: Need, a: Assignment) -> dict[str, Any]:
    """What every fact about an attempt repeats."""
    return {**about(need), "assignment_id": a.assignment_id, "agency_id": a.agency_id, "attempt": a.attempt}


def opened(need: Need, rules_version: str) -> ReferralOpened:
    r = need.referral
    return ReferralOpened(
        **about(need),
        port=r.port,
        regency=r.regency,
        rules_version=rules_version,
        explanation=r.explanation.hex(),
    )


def sent(need: Need, a: Assignment) -> AssignmentSent:
    return AssignmentSent(**about_attempt(need, a), answer_due_at=a.answer_due_at, transfer_of=a.transfer_of)


def acknowledged(need: Need, a: Assignment) -> AssignmentAcknowledged:
    return AssignmentAcknowledged(**about_attempt(need, a), answer_due_at=a.answer_due_at)


def accepted(need: Need, a: Assignment) -> AssignmentAccepted:
    assert a.service_due_at is not None
    return AssignmentAccepted(**about_attempt(need, a), service_due_at=a.service_due_at)


def undone(need: Need, a: Assignment) -> AcceptanceUndone:
    return AcceptanceUndone(**about_attempt(need, a))


def waitlisted(need: Need, a: Assignment) -> AssignmentWaitlisted:
    return AssignmentWaitlisted(**about_attempt(need, a), review_at=a.answer_due_at)


def declined(
    need: Need, a: Assignment, *, passed_over_until: datetime | None = None, instead: str | None = None
) -> AssignmentDeclined:
    return AssignmentDeclined.model_validate(
        {
            **about_attempt(need, a),
            "reason": a.decline_reason,
            "side": a.decline_side,
            "passed_over_until": passed_over_until,
            "instead": instead,
        }
    )


def about_question(need: Need, a: Assignment, question: Question) -> dict[str, Any]:
    """What every fact about a question repeats."""
    return {**about_attempt(need, a), "question_id": question.question_id, "question": question.code}


def question_asked(need: Need, a: Assignment, question: Question) -> QuestionAsked:
    return QuestionAsked(**about_question(need, a, question), port=question.port, due_at=question.due_at)


def question_answered(need: Need, a: Assignment, question: Question) -> QuestionAnswered:
    return QuestionAnswered.model_validate(
        {**about_question(need, a, question), "answer": question.answer, "answer_due_at": a.answer_due_at}
    )


def question_lapsed(need: Need, a: Assignment, question: Question) -> QuestionLapsed:
    return QuestionLapsed(**about_question(need, a, question), answer_due_at=a.answer_due_at)


def transferred(need: Need, a: Assignment, to: Assignment) -> AssignmentTransferred:
    return AssignmentTransferred(**about_attempt(need, a), to_assignment_id=to.assignment_id, to_agency_id=to.agency_id)


def responsibility_passed(need: Need, step: Responsibility) -> ResponsibilityPassed:
    return ResponsibilityPassed.model_validate({**about(need), "reason": step.reason, "step": step.seq})


def responsibility_given_back(need: Need, step: Responsibility) -> ResponsibilityPassed:
    return ResponsibilityPassed(**about(need), reason="undoing", step=step.seq)


def handover_recorded(need: Need, a: Assignment, minutes: Handover) -> HandoverRecorded:
    return HandoverRecorded.model_validate(
        {
            **about_attempt(need, a),
            "receiver": minutes.receiver,
            "witness": minutes.witness,
            "place": minutes.place,
            "handed_at": minutes.handed_at,
            "guardian_checked": minutes.guardian_check is not None,
        }
    )


def found_wrong(need: Need, a: Assignment) -> AssignmentEnteredInError:
    return AssignmentEnteredInError(**about_attempt(need, a))


def recalled(need: Need, a: Assignment, reason: str) -> AssignmentRecalled:
    return AssignmentRecalled.model_validate({**about_attempt(need, a), "reason": reason})


def taken_back(before: Need, after: Need, a: Assignment, reason: str) -> AssignmentRecalled:
    """A request of a need that moves: told where it had been asked, and of the case team's alone to nobody else."""
    restricted = before.referral.restricted or after.referral.restricted
    return AssignmentRecalled.model_validate({**about_attempt(before, a), "restricted": restricted, "reason": reason})


def cancellation_confirmed(need: Need, a: Assignment) -> CancellationConfirmed:
    return CancellationConfirmed(**about_attempt(need, a))


def cancellation_overdue(need: Need, a: Assignment, confirm_by: datetime) -> CancellationOverdue:
    return CancellationOverdue(**about_attempt(need, a), confirm_by=confirm_by)


def reunification_opened(task: Reunification) -> ReunificationOpened:
    return ReunificationOpened(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        reason=task.reason,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_reminded(task: Reunification) -> ReunificationReminded:
    return ReunificationReminded(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_raised(task: Reunification) -> ReunificationRaised:
    return ReunificationRaised(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        rung=task.rung,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_closed(task: Reunification) -> ReunificationClosed:
    assert task.closed_as is not None
    return ReunificationClosed(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        how=task.closed_as,
        decision=task.decision,
    )


def held(need: Need, reason: str) -> ReferralHeld:
    return ReferralHeld.model_validate({**about(need), "reason": reason, "until": need.referral.held_until})


def resumed(need: Need) -> ReferralResumed:
    return ReferralResumed(**about(need))


def about_pause(pause: Pause) -> dict[str, Any]:
    """What every fact about a pause repeats."""
    return {"case_id": entry(pause.agency_id), "agency_id": pause.agency_id, "need": pause.need}


def agency_paused(pause: Pause) -> AgencyPaused:
    return AgencyPaused.model_validate({**about_pause(pause), "reason": pause.reason, "until": pause.until})


def pause_lifted(pause: Pause) -> PauseLifted:
    return PauseLifted.model_validate(about_pause(pause))


def expired(need: Need, a: Assignment, cause: ExpiryCause) -> AssignmentExpired:
    return AssignmentExpired(**about_attempt(need, a), cause=cause)


def reminded(need: Need, a: Assignment) -> AssignmentReminded:
    return AssignmentReminded.model_validate(
        {**about_attempt(need, a), "clock": deadlines.running(a.state, is_paused=False), "due_at": a.due_at}
    )


def started(need: Need, a: Assignment) -> ServiceStarted:
    return ServiceStarted(**about_attempt(need, a))


def completed(need: Need, a: Assignment) -> AssignmentCompleted:
    return AssignmentCompleted.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def failed(need: Need, a: Assignment) -> AssignmentFailed:
    return AssignmentFailed.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def ended_with_need(need: Need, a: Assignment) -> AssignmentRecalled | AssignmentCancelled:
    """What the end of the need meant for the agency that was asked, or that was helping."""
    if a.state == "recalled":
        return AssignmentRecalled(**about_attempt(need, a))
    return AssignmentCancelled(**about_attempt(need, a))


def stopped(need: Need, a: Assignment) -> AssignmentRecalled | AssignmentCancelled:
    """Nothing allows any more that the agency is asked, or that it helps."""
    fact = AssignmentRecalled if a.state == "recalled" else AssignmentCancelled
    return fact(**about_attempt(need, a), reason="CONSENT_WITHDRAWN")


def consent_awaited(need: Need) -> ConsentAwaited:
    return ConsentAwaited(**about(need))


def consent_obtained(need: Need) -> ConsentObtained:
    return ConsentObtained(**about(need))


def refusal_recorded(need: Need, statement: Statement) -> RefusalRecorded:
    return RefusalRecorded.model_validate(
        {
            **about(need),
            "refuser": statement.refuser,
            "witness": statement.witness,
            "place": statement.place,
            "refused_at": statement.refused_at,
            "language": statement.language,
        }
    )


def closed(need: Need) -> ReferralClosed:
    r = need.referral
    return ReferralClosed.model_validate({**about(need), "state": r.state, "reason": r.outcome})


def corrected(
    need: Need, decision: RoutingDecision, changed: Sequence[str], *, routed_again: bool
) -> ReferralCorrected:
    return ReferralCorrected.model_validate(
        {
            **about(need),
            "changed": tuple(changed),
            "regency": need.referral.regency,
            "routed_again": routed_again,
            "rules_version": decision.rules_version,
            "explanation": decision.digest.hex(),
        }
    )


def reopened(need: Need, reason: str) -> ReferralReopened:
    return ReferralReopened.model_validate({**about(need), "reason": reason})


def fulfilled(need: Need) -> ReferralFulfilled:
    return ReferralFulfilled.model_validate({**about(need), "outcome": need.referral.outcome})


def escalated(need: Need, escalation: Escalation) -> ReferralEscalated:
    return ReferralEscalated.model_validate(
        {**about_escalation(need, escalation), "supervisor": escalation.supervisor, "limit": escalation.limit_code}
    )


def about_escalation(need: Need, escalation: Escalation) -> dict[str, Any]:
    """What every fact about an escalation repeats."""
    return {**about(need), "reason": escalation.reason, "rung": escalation.rung, "due_at": escalation.due_at}


def escalation_taken(need: Need, escalation: Escalation) -> EscalationTaken:
    return EscalationTaken.model_validate(about_escalation(need, escalation))


def escalation_raised(need: Need, before: Escalation, after: Escalation) -> EscalationRaised:
    is_back = before.taken_by is not None
    return EscalationRaised.model_validate(
        {**about_escalation(need, after), "supervisor": after.supervisor, "came_back": is_back}
    )


def gap_opened(need: Need, gap: Gap) -> GapOpened:
    return GapOpened(**about(need), gap_id=gap.gap_id, reason=gap.reason)


def gap_closed(need: Need, gap_id: str) -> GapClosed:
    return GapClosed(**about(need), gap_id=gap_id)


def case_read(need: Need, a: Assignment) -> CaseRead:
    return CaseRead(**about(need), assignment_id=a.assignment_id, agency_id=a.agency_id)


def copy_settled(task: RecipientTask) -> ErasureConfirmed | CorrectionConfirmed | WithdrawalConfirmed:
    """What an agency had to do about its copy is done."""
    if task.cause is not None:
        return WithdrawalConfirmed(case_id=task.case_id, withdrawal_id=task.cause, agency_id=task.agency_id)
    if task.kind == "erasure":
        return ErasureConfirmed(case_id=task.case_id, agency_id=task.agency_id)
    by_reading = task.settled_as == "read"
    return CorrectionConfirmed(case_id=task.case_id, agency_id=task.agency_id, by_reading=by_reading)


def copy_overdue(task: RecipientTask) -> ErasureOverdue | CorrectionOverdue | WithdrawalOverdue:
    """What an agency had to do about its copy was not done in time."""
    if task.cause is not None:
        return WithdrawalOverdue(
            case_id=task.case_id, withdrawal_id=task.cause, agency_id=task.agency_id, confirm_by=task.confirm_by
        )
    fact = ErasureOverdue if task.kind == "erasure" else CorrectionOverdue
    return fact(case_id=task.case_id, agency_id=task.agency_id, confirm_by=task.confirm_by)


def glass_broken(glass: Glass) -> GlassBroken:
    return GlassBroken(
        case_id=glass.case_id,
        glass_id=glass.glass_id,
        matter=glass.matter,
        reason=glass.reason,
        reference=glass.reference,
        expires_at=glass.expires_at,
        told=glass.told,
        review_by=glass.review_by,
    )


def glass_looked_through(glass: Glass) -> GlassLookedThrough:
    return GlassLookedThrough(case_id=glass.case_id, glass_id=glass.glass_id)


def glass_reviewed(glass: Glass, decision: Decision) -> GlassReviewed:
    return GlassReviewed(case_id=glass.case_id, glass_id=glass.glass_id, decision=decision)


def glass_review_overdue(glass: Glass) -> GlassReviewOverdue:
    return GlassReviewOverdue(case_id=glass.case_id, glass_id=glass.glass_id, review_by=glass.review_by)


def rules_changed(rules: RuleSet, change: str) -> RulesChanged:
    return RulesChanged.model_validate(
        {
            "case_id": entry(f"rules/{rules.version}"),
            "rules_version": rules.version,
            "digest": rules.digest.hex(),
            "change": change,
        }
    )


def places_published(agency_id: str, offers: Sequence[Place]) -> PlacesPublished:
    return PlacesPublished(
        case_id=entry(agency_id),
        agency_id=agency_id,
        sorts=tuple(offer.key for offer in offers),
        offered=sum(offer.offered for offer in offers),
    )


def directory_changed(agency: Agency, change: str, fields: Sequence[str] = ()) -> DirectoryChanged:
    return DirectoryChanged.model_validate(
        {
            "case_id": entry(agency.agency_id),
            "agency_id": agency.agency_id,
            "change": change,
            "fields": tuple(fields),
            "takes_referrals": agency.takes_referrals,
            "suspended": agency.is_suspended,
        }
    )
