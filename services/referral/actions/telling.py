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
from shared.contracts import referral as says


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


def opened(need: Need, rules_version: str) -> says.ReferralOpened:
    r = need.referral
    return says.ReferralOpened(
        **about(need),
        port=r.port,
        regency=r.regency,
        rules_version=rules_version,
        explanation=r.explanation.hex(),
    )


def sent(need: Need, a: Assignment) -> says.AssignmentSent:
    return says.AssignmentSent(**about_attempt(need, a), answer_due_at=a.answer_due_at, transfer_of=a.transfer_of)


def acknowledged(need: Need, a: Assignment) -> says.AssignmentAcknowledged:
    return says.AssignmentAcknowledged(**about_attempt(need, a), answer_due_at=a.answer_due_at)


def accepted(need: Need, a: Assignment) -> says.AssignmentAccepted:
    assert a.service_due_at is not None
    return says.AssignmentAccepted(**about_attempt(need, a), service_due_at=a.service_due_at)


def undone(need: Need, a: Assignment) -> says.AcceptanceUndone:
    return says.AcceptanceUndone(**about_attempt(need, a))


def waitlisted(need: Need, a: Assignment) -> says.AssignmentWaitlisted:
    return says.AssignmentWaitlisted(**about_attempt(need, a), review_at=a.answer_due_at)


def declined(
    need: Need, a: Assignment, *, passed_over_until: datetime | None = None, instead: str | None = None
) -> says.AssignmentDeclined:
    return says.AssignmentDeclined.model_validate(
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


def question_asked(need: Need, a: Assignment, question: Question) -> says.QuestionAsked:
    return says.QuestionAsked(**about_question(need, a, question), port=question.port, due_at=question.due_at)


def question_answered(need: Need, a: Assignment, question: Question) -> says.QuestionAnswered:
    return says.QuestionAnswered.model_validate(
        {**about_question(need, a, question), "answer": question.answer, "answer_due_at": a.answer_due_at}
    )


def question_lapsed(need: Need, a: Assignment, question: Question) -> says.QuestionLapsed:
    return says.QuestionLapsed(**about_question(need, a, question), answer_due_at=a.answer_due_at)


def transferred(need: Need, a: Assignment, to: Assignment) -> says.AssignmentTransferred:
    return says.AssignmentTransferred(
        **about_attempt(need, a), to_assignment_id=to.assignment_id, to_agency_id=to.agency_id
    )


def responsibility_passed(need: Need, step: Responsibility) -> says.ResponsibilityPassed:
    return says.ResponsibilityPassed.model_validate({**about(need), "reason": step.reason, "step": step.seq})


def responsibility_given_back(need: Need, step: Responsibility) -> says.ResponsibilityPassed:
    return says.ResponsibilityPassed(**about(need), reason="undoing", step=step.seq)


def handover_recorded(need: Need, a: Assignment, minutes: Handover) -> says.HandoverRecorded:
    return says.HandoverRecorded.model_validate(
        {
            **about_attempt(need, a),
            "receiver": minutes.receiver,
            "witness": minutes.witness,
            "place": minutes.place,
            "handed_at": minutes.handed_at,
            "guardian_checked": minutes.guardian_check is not None,
        }
    )


def found_wrong(need: Need, a: Assignment) -> says.AssignmentEnteredInError:
    return says.AssignmentEnteredInError(**about_attempt(need, a))


def recalled(need: Need, a: Assignment, reason: str) -> says.AssignmentRecalled:
    return says.AssignmentRecalled.model_validate({**about_attempt(need, a), "reason": reason})


def taken_back(before: Need, after: Need, a: Assignment, reason: str) -> says.AssignmentRecalled:
    """A request of a need that moves: told where it had been asked, and of the case team's alone to nobody else."""
    restricted = before.referral.restricted or after.referral.restricted
    return says.AssignmentRecalled.model_validate(
        {**about_attempt(before, a), "restricted": restricted, "reason": reason}
    )


def cancellation_confirmed(need: Need, a: Assignment) -> says.CancellationConfirmed:
    return says.CancellationConfirmed(**about_attempt(need, a))


def cancellation_overdue(need: Need, a: Assignment, confirm_by: datetime) -> says.CancellationOverdue:
    return says.CancellationOverdue(**about_attempt(need, a), confirm_by=confirm_by)


def reunification_opened(task: Reunification) -> says.ReunificationOpened:
    return says.ReunificationOpened(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        reason=task.reason,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_reminded(task: Reunification) -> says.ReunificationReminded:
    return says.ReunificationReminded(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_raised(task: Reunification) -> says.ReunificationRaised:
    return says.ReunificationRaised(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        rung=task.rung,
        supervisor=households.duty(task),
        due_at=task.due_at,
    )


def reunification_closed(task: Reunification) -> says.ReunificationClosed:
    assert task.closed_as is not None
    return says.ReunificationClosed(
        case_id=task.case_id,
        task_id=task.task_id,
        household_id=task.household_id,
        how=task.closed_as,
        decision=task.decision,
    )


def held(need: Need, reason: str) -> says.ReferralHeld:
    return says.ReferralHeld.model_validate({**about(need), "reason": reason, "until": need.referral.held_until})


def resumed(need: Need) -> says.ReferralResumed:
    return says.ReferralResumed(**about(need))


def about_pause(pause: Pause) -> dict[str, Any]:
    """What every fact about a pause repeats."""
    return {"case_id": entry(pause.agency_id), "agency_id": pause.agency_id, "need": pause.need}


def agency_paused(pause: Pause) -> says.AgencyPaused:
    return says.AgencyPaused.model_validate({**about_pause(pause), "reason": pause.reason, "until": pause.until})


def pause_lifted(pause: Pause) -> says.PauseLifted:
    return says.PauseLifted.model_validate(about_pause(pause))


def expired(need: Need, a: Assignment, cause: says.ExpiryCause) -> says.AssignmentExpired:
    return says.AssignmentExpired(**about_attempt(need, a), cause=cause)


def reminded(need: Need, a: Assignment) -> says.AssignmentReminded:
    return says.AssignmentReminded.model_validate(
        {**about_attempt(need, a), "clock": deadlines.running(a.state, is_paused=False), "due_at": a.due_at}
    )


def started(need: Need, a: Assignment) -> says.ServiceStarted:
    return says.ServiceStarted(**about_attempt(need, a))


def completed(need: Need, a: Assignment) -> says.AssignmentCompleted:
    return says.AssignmentCompleted.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def failed(need: Need, a: Assignment) -> says.AssignmentFailed:
    return says.AssignmentFailed.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def ended_with_need(need: Need, a: Assignment) -> says.AssignmentRecalled | says.AssignmentCancelled:
    """What the end of the need meant for the agency that was asked, or that was helping."""
    if a.state == "recalled":
        return says.AssignmentRecalled(**about_attempt(need, a))
    return says.AssignmentCancelled(**about_attempt(need, a))


def stopped(need: Need, a: Assignment) -> says.AssignmentRecalled | says.AssignmentCancelled:
    """Nothing allows any more that the agency is asked, or that it helps."""
    fact = says.AssignmentRecalled if a.state == "recalled" else says.AssignmentCancelled
    return fact(**about_attempt(need, a), reason="CONSENT_WITHDRAWN")


def consent_awaited(need: Need) -> says.ConsentAwaited:
    return says.ConsentAwaited(**about(need))


def consent_obtained(need: Need) -> says.ConsentObtained:
    return says.ConsentObtained(**about(need))


def refusal_recorded(need: Need, statement: Statement) -> says.RefusalRecorded:
    return says.RefusalRecorded.model_validate(
        {
            **about(need),
            "refuser": statement.refuser,
            "witness": statement.witness,
            "place": statement.place,
            "refused_at": statement.refused_at,
            "language": statement.language,
        }
    )


def closed(need: Need) -> says.ReferralClosed:
    r = need.referral
    return says.ReferralClosed.model_validate({**about(need), "state": r.state, "reason": r.outcome})


def corrected(
    need: Need, decision: RoutingDecision, changed: Sequence[str], *, routed_again: bool
) -> says.ReferralCorrected:
    return says.ReferralCorrected.model_validate(
        {
            **about(need),
            "changed": tuple(changed),
            "regency": need.referral.regency,
            "routed_again": routed_again,
            "rules_version": decision.rules_version,
            "explanation": decision.digest.hex(),
        }
    )


def reopened(need: Need, reason: str) -> says.ReferralReopened:
    return says.ReferralReopened.model_validate({**about(need), "reason": reason})


def fulfilled(need: Need) -> says.ReferralFulfilled:
    return says.ReferralFulfilled.model_validate({**about(need), "outcome": need.referral.outcome})


def escalated(need: Need, escalation: Escalation) -> says.ReferralEscalated:
    return says.ReferralEscalated.model_validate(
        {**about_escalation(need, escalation), "supervisor": escalation.supervisor, "limit": escalation.limit_code}
    )


def about_escalation(need: Need, escalation: Escalation) -> dict[str, Any]:
    """What every fact about an escalation repeats."""
    return {**about(need), "reason": escalation.reason, "rung": escalation.rung, "due_at": escalation.due_at}


def escalation_taken(need: Need, escalation: Escalation) -> says.EscalationTaken:
    return says.EscalationTaken.model_validate(about_escalation(need, escalation))


def escalation_raised(need: Need, before: Escalation, after: Escalation) -> says.EscalationRaised:
    is_back = before.taken_by is not None
    return says.EscalationRaised.model_validate(
        {**about_escalation(need, after), "supervisor": after.supervisor, "came_back": is_back}
    )


def gap_opened(need: Need, gap: Gap) -> says.GapOpened:
    return says.GapOpened(**about(need), gap_id=gap.gap_id, reason=gap.reason)


def gap_closed(need: Need, gap_id: str) -> says.GapClosed:
    return says.GapClosed(**about(need), gap_id=gap_id)


def case_read(need: Need, a: Assignment) -> says.CaseRead:
    return says.CaseRead(**about(need), assignment_id=a.assignment_id, agency_id=a.agency_id)


def copy_settled(task: RecipientTask) -> says.ErasureConfirmed | says.CorrectionConfirmed | says.WithdrawalConfirmed:
    """What an agency had to do about its copy is done."""
    if task.cause is not None:
        return says.WithdrawalConfirmed(case_id=task.case_id, withdrawal_id=task.cause, agency_id=task.agency_id)
    if task.kind == "erasure":
        return says.ErasureConfirmed(case_id=task.case_id, agency_id=task.agency_id)
    by_reading = task.settled_as == "read"
    return says.CorrectionConfirmed(case_id=task.case_id, agency_id=task.agency_id, by_reading=by_reading)


def copy_overdue(task: RecipientTask) -> says.ErasureOverdue | says.CorrectionOverdue | says.WithdrawalOverdue:
    """What an agency had to do about its copy was not done in time."""
    if task.cause is not None:
        return says.WithdrawalOverdue(
            case_id=task.case_id, withdrawal_id=task.cause, agency_id=task.agency_id, confirm_by=task.confirm_by
        )
    fact = says.ErasureOverdue if task.kind == "erasure" else says.CorrectionOverdue
    return fact(case_id=task.case_id, agency_id=task.agency_id, confirm_by=task.confirm_by)


def glass_broken(glass: Glass) -> says.GlassBroken:
    return says.GlassBroken(
        case_id=glass.case_id,
        glass_id=glass.glass_id,
        matter=glass.matter,
        reason=glass.reason,
        reference=glass.reference,
        expires_at=glass.expires_at,
        told=glass.told,
        review_by=glass.review_by,
    )


def glass_looked_through(glass: Glass) -> says.GlassLookedThrough:
    return says.GlassLookedThrough(case_id=glass.case_id, glass_id=glass.glass_id)


def glass_reviewed(glass: Glass, decision: Decision) -> says.GlassReviewed:
    return says.GlassReviewed(case_id=glass.case_id, glass_id=glass.glass_id, decision=decision)


def glass_review_overdue(glass: Glass) -> says.GlassReviewOverdue:
    return says.GlassReviewOverdue(case_id=glass.case_id, glass_id=glass.glass_id, review_by=glass.review_by)


def rules_changed(rules: RuleSet, change: str) -> says.RulesChanged:
    return says.RulesChanged.model_validate(
        {
            "case_id": entry(f"rules/{rules.version}"),
            "rules_version": rules.version,
            "digest": rules.digest.hex(),
            "change": change,
        }
    )


def places_published(agency_id: str, offers: Sequence[Place]) -> says.PlacesPublished:
    return says.PlacesPublished(
        case_id=entry(agency_id),
        agency_id=agency_id,
        sorts=tuple(offer.key for offer in offers),
        offered=sum(offer.offered for offer in offers),
    )


def directory_changed(agency: Agency, change: str, fields: Sequence[str] = ()) -> says.DirectoryChanged:
    return says.DirectoryChanged.model_validate(
        {
            "case_id": entry(agency.agency_id),
            "agency_id": agency.agency_id,
            "change": change,
            "fields": tuple(fields),
            "takes_referrals": agency.takes_referrals,
            "suspended": agency.is_suspended,
        }
    )
