"""What referral says: needs (referrals), attempts (assignments), gaps and escalations."""

from typing import Literal

from shared.contracts.codes import GapReason, NeedCode
from shared.contracts.fact import AwareDatetime, Code, Digest, Fact, Id, ProvinceCode, RegencyCode, Version

DeclineReason = Literal[
    "no_capacity", "outside_region", "wrong_service", "duplicate", "insufficient_facts", "person_refused"
]
Outcome = Literal[
    "SERVICE_DELIVERED",
    "HANDED_TO_FAMILY",
    "HANDED_TO_SOCIAL_MINISTRY",
    "HANDED_TO_AGENCY",
    "REFERRED_ONWARD",
    "PERSON_REFUSED",
    "COULD_NOT_CONTACT",
    "NOT_ELIGIBLE",
    "NO_CAPACITY",
    "PERSON_LEFT",
    "DECEASED",
    "DUPLICATE",
]

EscalationReason = Literal[
    "no_candidate_left",
    "service_overdue",
    "person_refused",
    "outcome_failed",
    "unroutable_child",
    "question_unanswered",
    "said_duplicate",
    "legal_limit",
    "consent_awaited",
]
HandoverReceiver = Literal["family", "guardian", "village", "social_ministry", "agency"]
HandoverWitness = Literal["village", "local_government", "police", "agency", "social_ministry"]
Rung = Literal["agency_supervisor", "province", "national"]

CloseReason = Literal[
    "PERSON_REFUSED",
    "PERSON_LEFT",
    "DECEASED",
    "COULD_NOT_CONTACT",
    "NOT_ELIGIBLE",
    "NO_CAPACITY",
    "DUPLICATE",
    "NO_LONGER_NEEDED",
    "ENTERED_IN_ERROR",
]
RecallReason = Literal["WRONG_AGENCY", "PERSON_MOVED", "NEW_FACTS", "SENT_TWICE"]
HoldReason = Literal["IN_HOSPITAL", "IN_CUSTODY", "AWAITING_PAPERS", "PERSON_ASKED_TO_WAIT"]
Refuser = Literal["self", "family"]
"""Family speaks for whoever cannot decide itself (Permen P2MI 32/2025 Art. 39)."""

ExpiryCause = Literal["not_opened", "not_decided", "not_reviewed"]
QuestionCode = Literal["still_at_port", "travels_on", "fit_to_travel", "company", "wants_help", "papers", "interpreter"]
ReopenReason = Literal["NEED_REMAINS", "PERSON_FOUND", "PERSON_AGREES", "CLOSED_IN_ERROR"]


class ReferralFact(Fact):
    """What each fact about a need repeats, so that a receiver can filter without asking back."""

    referral_id: Id
    need: NeedCode
    province: ProvinceCode
    """Where help is due: the province of origin, or of the port where origin is unknown."""
    restricted: bool
    """Trafficking, sexual violence, children: for the case team only."""


class ReferralOpened(ReferralFact):
    """A need became an open referral."""

    port: Code
    regency: RegencyCode
    rules_version: Version
    explanation: Digest
    """Address of the stored explanation: rule version, facts used, candidates with why and why not."""


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


class ResponsibilityPassed(ReferralFact):
    """Who did this answers for the child by name from now on: by accepting its protection, by taking over, or by
    finding that it is a child. By `undoing` an acceptance who answered before it does again."""

    for_audit = True

    reason: Literal["acceptance", "takeover", "correction", "undoing"]
    step: int
    """How many have answered for it by now."""


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


class ReferralFulfilled(ReferralFact):
    """The need was met."""

    outcome: Outcome


class ConsentAwaited(ReferralFact):
    """The rules let nobody be asked for this need before the person has consented, or a law decides without."""


class ConsentObtained(ReferralFact):
    """What the need waited for is there: agencies are asked."""


class RefusalRecorded(ReferralFact):
    """A statement of refusal was signed and recorded; who stands on it, and its number, stays with referral."""

    for_audit = True

    refuser: Refuser
    witness: HandoverWitness
    place: RegencyCode
    refused_at: AwareDatetime
    language: Code
    """In which it was explained, ISO 639."""


class ReferralClosed(ReferralFact):
    """The need ended although it was not met.

    A supervisor ended it, for a child answering for it by name; or an adult refused the help by a signed statement
    (`refused`), or took the consent back that it rests on (`consent_withdrawn`).
    """

    state: Literal["unfulfilled", "cancelled", "entered_in_error", "refused", "consent_withdrawn"]
    reason: CloseReason | Literal["CONSENT_WITHDRAWN"]


class CancellationConfirmed(AssignmentFact):
    """The agency knows that its help was ended; or its supervisor has made sure of it."""


class CancellationOverdue(AssignmentFact):
    """The agency has not said in time that it knows; its supervisor has to see to it."""

    confirm_by: AwareDatetime


class ReferralHeld(ReferralFact):
    """The need waits until a day; nobody is asked meanwhile."""

    reason: HoldReason
    until: AwareDatetime


class ReferralResumed(ReferralFact):
    """A need that waited goes on."""


class ReferralCorrected(ReferralFact):
    """What was recorded of the person was corrected: the need goes on, decided anew on other facts."""

    changed: tuple[Literal["age", "sex", "origin"], ...]
    regency: RegencyCode
    """Where help is due from now on."""
    routed_again: bool
    """True: another office is asked than before."""
    rules_version: Version
    explanation: Digest


class ReferralReopened(ReferralFact):
    """A need that was met or given up is open again."""

    reason: ReopenReason | Literal["FOUND_AFTER_ALL", "DEATH_UNDONE", "CHILD_AFTER_ALL", "OTHERS_TO_ASK"]


class ReferralEscalated(ReferralFact):
    """Nobody can be asked, a limit has passed, or help came to nothing: a supervisor has to act."""

    reason: EscalationReason
    supervisor: Code
    """Where the duty lies: `supervisor-` and the code of the province, or `coordinator` for the whole country."""
    rung: Rung | None = None
    due_at: AwareDatetime | None = None
    """When it climbs to the next rung unless somebody takes it."""
    limit: Code | None = None
    """The limit in law that has passed."""


class EscalationFact(ReferralFact):
    """What each fact about the ladder repeats."""

    reason: EscalationReason
    rung: Rung
    due_at: AwareDatetime


class EscalationTaken(EscalationFact):
    """A person answers for the need by name; it comes back unless it has moved by then."""


class EscalationRaised(EscalationFact):
    """Nobody took it in time, so that it climbed; or who took it did not move, so that it came back."""

    supervisor: Code
    came_back: bool


class GapOpened(ReferralFact):
    """Nobody in the directory can serve this need there. `reason`: what stood in the way of who came nearest."""

    gap_id: Id
    reason: GapReason | None = None


class GapClosed(ReferralFact):
    """Somebody serves this need there by now; the first of them is asked."""

    gap_id: Id


class DirectoryChanged(Fact):
    """The directory of agencies was changed, and with it where referrals go. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    change: Literal["added", "changed", "suspended", "resumed"]
    fields: tuple[Code, ...]
    """What of it was changed."""
    takes_referrals: bool
    """False: nothing is sent there by itself."""
    suspended: bool


class PauseFact(Fact):
    """An agency is passed over for one kind of need. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    need: NeedCode


class AgencyPaused(PauseFact):
    """It said that it has no room, or does not do this; nothing of the kind is sent to it by itself until then."""

    reason: DeclineReason
    until: AwareDatetime


class PauseLifted(PauseFact):
    """Its supervisor lets such needs be sent to it again."""


class RulesChanged(Fact):
    """A version of the rules went one step on, or was retired. `case_id` stands for the version."""

    for_audit = True

    rules_version: Version
    digest: Digest
    """SHA-256 of its decision tables."""
    change: Literal["drafted", "tried", "activation_asked", "activated", "retired"]


class PlacesPublished(Fact):
    """An office said how many places it has, of which sorts. `case_id` stands for the office."""

    for_audit = True

    agency_id: Code
    sorts: tuple[Code, ...]
    offered: int
    """Of all these sorts together."""


class CaseRead(Fact):
    """A person or system of an agency looked at the coded summary of a case."""

    for_audit = True

    assignment_id: Id
    agency_id: Code


class ErasureConfirmed(Fact):
    """An agency that had been shown an identity says that it has erased its copy."""

    agency_id: Code


class ErasureOverdue(Fact):
    """An agency has not confirmed in time that it erased its copy; its supervisor has to see to it."""

    agency_id: Code
    confirm_by: AwareDatetime


class CorrectionConfirmed(Fact):
    """An agency that had been shown an identity has what was corrected in it."""

    agency_id: Code
    by_reading: bool
    """True: it has read the identity again. False: somebody says so by name."""


class CorrectionOverdue(Fact):
    """An agency has neither read a corrected identity again in time nor said that its copy is right."""

    agency_id: Code
    confirm_by: AwareDatetime


class WithdrawalConfirmed(Fact):
    """An agency that had been shown an identity has ended its use, because the consent was taken back or refused."""

    withdrawal_id: Id
    """Of the withdrawal that intake told, or of the refusal."""
    agency_id: Code


class WithdrawalOverdue(Fact):
    """An agency has not confirmed in time that it ended the use of an identity; its supervisor has to see to it."""

    withdrawal_id: Id
    agency_id: Code
    confirm_by: AwareDatetime


class GlassFact(Fact):
    """What each fact about an emergency opening of a case repeats."""

    for_audit = True

    glass_id: Id


class GlassBroken(GlassFact):
    """Somebody outside the case team opened a case in an emergency, for a time, to read."""

    matter: Literal["help", "custody"]
    """Which needs were opened: police and narcotics matters are apart from all others."""
    reason: Literal["danger_to_life", "child_at_risk", "agency_silent", "lawful_order"]
    reference: Code
    """Number of the note, letter or report that says more."""
    expires_at: AwareDatetime
    told: Code
    """Whose task the review is: `supervisor-` and the code of the province, or the data protection officer."""
    review_by: AwareDatetime


class GlassLookedThrough(GlassFact):
    """The case was read under an emergency opening."""


class GlassReviewed(GlassFact):
    """Somebody else than who opened it judged an emergency opening."""

    decision: Literal["justified", "not_justified"]


class GlassReviewOverdue(GlassFact):
    """An emergency opening was not judged in time; the data protection officer has to see to it."""

    review_by: AwareDatetime


SplitReason = Literal[
    "declined",
    "not_answered",
    "not_helped",
    "taken_back",
    "handed_on",
    "helped_before",
    "not_taken_together",
    "medical_care",
    "safety",
    "persons_wish",
    "no_room_together",
]
"""Why somebody is apart from the household; the last four are what people say of it."""
SaidOfSplit = Literal["medical_care", "safety", "persons_wish", "no_room_together"]
"""Those of them that people say."""
ReunificationDecision = Literal["persons_wish", "safety", "medical_care", "reunited_by_people", "no_family"]
"""Why a person has ended it: they stay apart for this reason, are together by other means, or are no family."""


class ReunificationFact(Fact):
    """What each fact about bringing a household together repeats. `case_id`: who is apart from it."""

    for_audit = True

    task_id: Id
    household_id: Id


class ReunificationOpened(ReunificationFact):
    """Somebody is with an office of another region than the strictest need of the household."""

    reason: SplitReason
    supervisor: Code
    """Whose duty it is to bring them together."""
    due_at: AwareDatetime


class ReunificationReminded(ReunificationFact):
    """They are still apart after three quarters of the time: whose duty it is was reminded, once."""

    supervisor: Code
    due_at: AwareDatetime


class ReunificationRaised(ReunificationFact):
    """Nobody has brought them together in time: it is before the next, or again before the whole country."""

    rung: Literal["agency_supervisor", "province", "national"]
    supervisor: Code
    due_at: AwareDatetime


class ReunificationClosed(ReunificationFact):
    """They are together again, belong together no longer, or a person has decided."""

    how: Literal["reunited", "parted", "decided"]
    decision: ReunificationDecision | None = None
