"""The facts referral says, made from needs and their attempts, and from the directory."""

from collections.abc import Sequence
from typing import Any

from services.referral.domain.agencies import Agency, entry
from services.referral.domain.assignments import Assignment
from services.referral.domain.erasures import ErasureTask
from services.referral.domain.glass import Decision, Glass
from services.referral.domain.needs import Need
from services.referral.store.needs import Escalation
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
    return says.AssignmentSent(**about_attempt(need, a), answer_due_at=a.answer_due_at)


def acknowledged(need: Need, a: Assignment) -> says.AssignmentAcknowledged:
    return says.AssignmentAcknowledged(**about_attempt(need, a))


def accepted(need: Need, a: Assignment) -> says.AssignmentAccepted:
    assert a.service_due_at is not None
    return says.AssignmentAccepted(**about_attempt(need, a), service_due_at=a.service_due_at)


def declined(need: Need, a: Assignment) -> says.AssignmentDeclined:
    return says.AssignmentDeclined.model_validate(
        {**about_attempt(need, a), "reason": a.decline_reason, "side": a.decline_side}
    )


def expired(need: Need, a: Assignment) -> says.AssignmentExpired:
    return says.AssignmentExpired(**about_attempt(need, a))


def started(need: Need, a: Assignment) -> says.ServiceStarted:
    return says.ServiceStarted(**about_attempt(need, a))


def completed(need: Need, a: Assignment) -> says.AssignmentCompleted:
    return says.AssignmentCompleted.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def failed(need: Need, a: Assignment) -> says.AssignmentFailed:
    return says.AssignmentFailed.model_validate({**about_attempt(need, a), "outcome": a.outcome})


def ended_by_closing(need: Need, a: Assignment) -> says.AssignmentRecalled | says.AssignmentCancelled:
    """What the closing of the need meant for the agency that was asked, or that was helping."""
    if a.state == "recalled":
        return says.AssignmentRecalled(**about_attempt(need, a))
    return says.AssignmentCancelled(**about_attempt(need, a))


def closed(need: Need) -> says.ReferralClosed:
    r = need.referral
    return says.ReferralClosed.model_validate({**about(need), "state": r.state, "reason": r.outcome})


def reopened(need: Need, reason: str) -> says.ReferralReopened:
    return says.ReferralReopened.model_validate({**about(need), "reason": reason})


def fulfilled(need: Need) -> says.ReferralFulfilled:
    return says.ReferralFulfilled.model_validate({**about(need), "outcome": need.referral.outcome})


def escalated(need: Need, escalation: Escalation) -> says.ReferralEscalated:
    return says.ReferralEscalated.model_validate(
        {**about(need), "reason": escalation.reason, "supervisor": escalation.supervisor}
    )


def gap_opened(need: Need, gap_id: str) -> says.GapOpened:
    return says.GapOpened(**about(need), gap_id=gap_id)


def gap_closed(need: Need, gap_id: str) -> says.GapClosed:
    return says.GapClosed(**about(need), gap_id=gap_id)


def case_read(need: Need, a: Assignment) -> says.CaseRead:
    return says.CaseRead(**about(need), assignment_id=a.assignment_id, agency_id=a.agency_id)


def erasure_confirmed(task: ErasureTask) -> says.ErasureConfirmed:
    return says.ErasureConfirmed(case_id=task.case_id, agency_id=task.agency_id)


def erasure_overdue(task: ErasureTask) -> says.ErasureOverdue:
    return says.ErasureOverdue(case_id=task.case_id, agency_id=task.agency_id, confirm_by=task.confirm_by)


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
