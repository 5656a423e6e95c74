"""Agencies that are asked for one need, and what comes of it."""

from typing import Literal

from shared.contracts.fact import AwareDatetime, Code, Id, RegencyCode
from shared.contracts.referral.referrals import HandoverWitness, Outcome, ReferralFact

DeclineReason = Literal[
    "no_capacity", "outside_region", "wrong_service", "duplicate", "insufficient_facts", "person_refused"
]
HandoverReceiver = Literal["family", "guardian", "village", "social_ministry", "agency"]
RecallReason = Literal["WRONG_AGENCY", "PERSON_MOVED", "NEW_FACTS", "SENT_TWICE"]
ExpiryCause = Literal["not_opened", "not_decided", "not_reviewed"]
QuestionCode = Literal["still_at_port", "travels_on", "fit_to_travel", "company", "wants_help", "papers", "interpreter"]


class AssignmentFact(ReferralFact):
    assignment_id: Id
    agency_id: Code
    attempt: int


class AssignmentSent(AssignmentFact):
    """One agency was asked to help."""

    answer_due_at: AwareDatetime
    """Until when it has to have opened or answered it; once it is opened, the time to decide runs."""
    transfer_of: Id | None = None
    """The attempt whose agency asks this one to take over; until it accepts, that one keeps the need."""


class AssignmentAcknowledged(AssignmentFact):
    """A named worker of the agency opened it."""

    answer_due_at: AwareDatetime | None = None
    """Until when the agency decides."""


class AssignmentAccepted(AssignmentFact):
    """The agency took the need; identity may be disclosed to it from now on."""

    service_due_at: AwareDatetime


class AcceptanceUndone(AssignmentFact):
    """The acceptance was taken back within seconds; nobody has read the identity, and nobody may."""


class AssignmentWaitlisted(AssignmentFact):
    """The agency would help, but not yet; it looks again by then."""

    review_at: AwareDatetime


class AssignmentDeclined(AssignmentFact):
    """The agency said no; the next candidate is asked."""

    reason: DeclineReason
    side: Literal["PERSON", "AGENCY"]
    passed_over_until: AwareDatetime | None = None
    """Until when no such need is sent to it by itself."""
    instead: Code | None = None
    """The agency that it names as the right one, which is asked next."""


class AssignmentExpired(AssignmentFact):
    """The agency did not answer in time; the next candidate is asked."""

    cause: ExpiryCause | None = None
    """Which time was over: to open it, to decide, or until the day of the waiting list."""


class AssignmentReminded(AssignmentFact):
    """The agency was reminded of a deadline, once: most of the time has passed, and nothing has come of it."""

    clock: Literal["acknowledge", "decide", "review", "serve"]
    """What the time is for: to open it, to decide, until the day of the waiting list, to the first help."""
    due_at: AwareDatetime


class QuestionFact(AssignmentFact):
    question_id: Id
    question: QuestionCode


class QuestionAsked(QuestionFact):
    """The agency asks the port before it decides; its time stands still until then at most."""

    port: Code
    due_at: AwareDatetime


class QuestionAnswered(QuestionFact):
    """The port answered; the agency's time runs on."""

    answer: Code
    answer_due_at: AwareDatetime


class QuestionLapsed(QuestionFact):
    """The port did not answer in time; the agency's time runs on, and a supervisor is told."""

    answer_due_at: AwareDatetime


class AssignmentTransferred(AssignmentFact):
    """The agency handed the need on to another, which has accepted; its part has ended, and with it the disclosure."""

    to_assignment_id: Id
    to_agency_id: Code


class AssignmentEnteredInError(AssignmentFact):
    """The agency should never have been asked; its part has ended."""


class ServiceStarted(AssignmentFact):
    """The agency began to help."""


class HandoverRecorded(AssignmentFact):
    """Minutes of a handover were signed and recorded; who stands on them, and their number, stays with referral."""

    for_audit = True

    receiver: HandoverReceiver
    witness: HandoverWitness
    place: RegencyCode
    handed_at: AwareDatetime
    guardian_checked: bool


class AssignmentCompleted(AssignmentFact):
    """Help was given and handed over. The handover reference itself stays with referral."""

    outcome: Outcome


class AssignmentFailed(AssignmentFact):
    """The accepted help did not come about."""

    outcome: Outcome


class AssignmentRecalled(AssignmentFact):
    """The request was taken back before it was accepted: for this reason, or because the need ended or was held."""

    reason: RecallReason | Literal["CONSENT_WITHDRAWN", "WRONG_ORIGIN"] | None = None


class AssignmentCancelled(AssignmentFact):
    """The need was closed while the agency helped, or nothing allows that it helps any more, for this reason.

    Its part has ended, and with it the disclosure.
    """

    reason: Literal["CONSENT_WITHDRAWN"] | None = None


class CancellationConfirmed(AssignmentFact):
    """The agency knows that its help was ended; or its supervisor has made sure of it."""


class CancellationOverdue(AssignmentFact):
    """The agency has not said in time that it knows; its supervisor has to see to it."""

    confirm_by: AwareDatetime
