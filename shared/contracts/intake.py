"""What intake says: voyages, manifests and arrivals, in codes; and who was shown an identity."""

from datetime import date
from typing import Literal

from shared.contracts.codes import (
    AbsenceReason,
    AgeBand,
    AgeProof,
    ConsentHow,
    ConsentPurpose,
    CorrectionReason,
    DifferencePair,
    DifferenceReason,
    GivenBy,
    LawfulBasis,
    LawfulReason,
    NeedCode,
    RecipientClass,
    RollMark,
    Sex,
    StrikeReason,
    TraffickingDecision,
    TraffickingReason,
)
from shared.contracts.fact import AwareDatetime, Code, Fact, Id, RegencyCode

DeathUndoneReason = Literal["seen_alive", "of_another_person", "recorded_wrongly"]
Modality = Literal["deportation", "repatriation", "vulnerable_flight"]
Channel = Literal["single", "batch", "manifest"]


class VoyageAnnounced(Fact):
    """A ship or flight with returned people is expected. `case_id` is the voyage."""

    port: Code
    modality: Modality
    announced: int
    """Head count in the consular letter; it often differs from who lands."""
    expected_at: AwareDatetime


class VoyageTotalsRecorded(Fact):
    """A letter, the minutes of a handover or a count on the quay said how many heads a voyage has."""

    for_audit = True

    source_id: Id
    kind: Literal["letter", "minutes", "count"]
    heads: int


class VoyageTotalsWithdrawn(Fact):
    """What a letter, minutes or a count said counts no more."""

    for_audit = True

    source_id: Id
    reason: Literal["replaced", "entered_in_error"]


class VoyageDifferenceOpened(Fact):
    """Somebody (`owner`) looks after a part of a difference between two counts of a voyage, or took it over."""

    for_audit = True

    difference_id: Id
    pair: DifferencePair
    heads: int
    """With the sign of the difference: the second count less the first."""
    owner: Code


class VoyageDifferenceSettled(Fact):
    """A part of a difference between two counts of a voyage has its reason."""

    for_audit = True

    difference_id: Id
    pair: DifferencePair
    heads: int
    reason: DifferenceReason


class VoyageReconciled(Fact):
    """The people of a voyage were counted by depot and reason of return, for which their identities were opened.

    Only counts left the vault.
    """

    for_audit = True

    people: int


class ManifestConfirmed(Fact):
    """A name list was taken in. `case_id` is the voyage; `listed` = `accepted` + `rejected` + `known`."""

    manifest_id: Id
    listed: int
    accepted: int
    rejected: int
    known: int
    """Rows that had been taken in before, by the same key."""


class ArrivalRecorded(Fact):
    """One person landed and was screened. `case_id` is that person's case from here on."""

    voyage_id: Id | None
    port: Code
    port_regency: RegencyCode
    origin_regency: RegencyCode | None
    """Home regency; None when it is not known, and then the need is routed from the port."""
    sex: Sex
    age_band: AgeBand
    needs: tuple[NeedCode, ...]
    onward_wish: Literal["go_home", "stay_local", "unknown"]
    arrived_at: AwareDatetime
    channel: Channel
    household_id: Id | None = None
    """The household that this person is listed with. Whoever comes into it later, `HouseholdChanged` says."""


class ArrivalFact(Fact):
    """What each fact repeats that corrects an arrival: all that routing rests on, as it is from now on."""

    version: int
    """Of the arrival: as it was recorded it is 1, and each correction makes it one more."""
    port: Code
    port_regency: RegencyCode
    origin_regency: RegencyCode | None
    sex: Sex
    age_band: AgeBand
    needs: tuple[NeedCode, ...]
    onward_wish: Literal["go_home", "stay_local", "unknown"]
    arrived_at: AwareDatetime


class AgeCorrected(ArrivalFact):
    """Somebody is of another age group than was recorded. Towards a child at once, away from it by two people."""

    was: AgeBand
    reason: CorrectionReason
    proof: AgeProof | None
    """What it rests on; always there when a child turns out to be of age."""
    proposed_by: Code | None
    """Who asked for it, where that takes two people; somebody else, who says this, confirmed it."""
    added: tuple[NeedCode, ...]
    struck: tuple[NeedCode, ...]
    """The needs that come and go with the age."""


class SexCorrected(ArrivalFact):
    """Somebody's sex was recorded wrongly."""

    was: Sex
    reason: CorrectionReason


class OriginCorrected(ArrivalFact):
    """Somebody comes from elsewhere than was recorded: who helps at home is to be another."""

    was: RegencyCode | None
    reason: CorrectionReason


class NeedsCorrected(ArrivalFact):
    """Needs were overlooked, or were none."""

    added: tuple[NeedCode, ...]
    reason: CorrectionReason | None
    """Why they were added; None when none was."""
    struck: tuple[NeedCode, ...]
    strike_reason: StrikeReason | None


class ArrivalScreened(Fact):
    """Somebody was asked what they need. What was answered is sealed; a need that was found is `NeedsCorrected`."""

    for_audit = True

    screening_id: Id
    questionnaire: Code
    points_to: tuple[NeedCode, ...]
    """Needs that the answers speak of."""
    added: tuple[NeedCode, ...]
    level: Literal["indicated", "possible", "none"]
    """What the indicators of trafficking come to; a person decided (`decision`), with a reason where it differs."""
    decision: TraffickingDecision
    reason: TraffickingReason | None
    interpreter: Literal["none", "officer", "interpreter", "relative"]
    alone: bool
    """Nobody else listened."""


class ArrivalEnteredInError(ArrivalFact):
    """This arrival should never have been recorded: nothing of it goes on."""

    reason: Literal["duplicate", "never_arrived", "not_a_returnee", "test_entry"]
    duplicate_of: Id | None
    """The case that stays, of a duplicate."""


class PersonDied(ArrivalFact):
    """Somebody has died; what is left is to bring the remains home."""

    died_on: date
    place: Literal["before_arrival", "at_port", "in_care"]


class DeathUndone(ArrivalFact):
    """Somebody who had been noted as dead lives: one person found it, another confirmed it. What ended because of the
    death goes on."""

    reason: DeathUndoneReason
    proposed_by: Code
    """Who found it; somebody else, who says this, confirmed it."""
    struck: tuple[NeedCode, ...]
    """What had become due by the death alone."""


class DeathDoubted(Fact):
    """Somebody says that a person lives who was noted as dead; another person has to confirm it."""

    for_audit = True

    doubt_id: Id
    reason: DeathUndoneReason


class DeathDoubtEnded(Fact):
    """Nothing came of it: a second person does not see it so, or who said it took it back."""

    for_audit = True

    doubt_id: Id
    how: Literal["refused", "withdrawn"]


class AgeProposed(Fact):
    """Somebody asks that a child, or who may be one, count as of age; another person has to confirm it."""

    for_audit = True

    proposal_id: Id
    proof: AgeProof


class AgeProposalEnded(Fact):
    """Nothing came of a proposal: a second person refused it, who made it took it back, or nobody
    confirmed it in time."""

    for_audit = True

    proposal_id: Id
    how: Literal["refused", "withdrawn", "expired"]


class DraftKept(Fact):
    """A name list was uploaded and is kept, sealed, until it is sent. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    form: Literal["csv", "xlsx", "paste", "carried"]
    rows: int


class DraftRead(Fact):
    """Rows of a list that is not sent yet were shown or taken away, names among them. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    form: Literal["page", "json", "csv", "xlsx"]
    rows: int


class DraftChanged(Fact):
    """Somebody changed a list that is not sent yet. `case_id` is the voyage; `rows` is how many rows it is about."""

    for_audit = True

    draft_id: Id
    change: Literal["cells", "columns", "file", "left_out", "taken_in", "carried", "taken_back"]
    rows: int


class RollCalled(Fact):
    """Rows of a list were called on the quay: here, absent and why, or taken back. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    mark: RollMark
    reason: AbsenceReason | None = None
    next_voyage_id: Id | None = None
    """The voyage that they are to come with."""
    rows: int


class ListedAbsent(Fact):
    """Somebody whom a list had recorded was not there. The arrival is entered in error; `case_id` is the case."""

    for_audit = True

    voyage_id: Id
    reason: AbsenceReason
    next_voyage_id: Id | None = None


class DraftEnded(Fact):
    """What a list said that was uploaded is gone: its key was destroyed. `case_id` is the voyage."""

    for_audit = True

    draft_id: Id
    why: Literal["sent", "discarded"]


class IdentityDisclosed(Fact):
    """One person's identifying fields were released to the agency that accepted one assignment."""

    for_audit = True

    assignment_id: Id
    agency_id: Code
    fields: tuple[Code, ...]
    reader: Code
    """The person or system at the agency on whose behalf the fields were read."""


class PersonErased(Fact):
    """A person's key was destroyed: nobody can read who this case is any more. The receipt of an erasure."""

    reason: Literal["request", "retention", "order"]
    """Asked for by the person, due by the retention periods, or ordered by a court or the authority."""
    recipients: tuple[Code, ...]
    """The agencies that had been shown the identity; each has to erase its copy and confirm that."""
    confirm_by: AwareDatetime


class KeysRewrapped(Fact):
    """Keys of persons in the vault were put under the current key-encryption key. `case_id` stands for the vault."""

    for_audit = True

    run_id: Id
    rewrapped: int
    """How many in this step of the run."""
    left: int | None = None
    """How many stand under other keys; counted when a run ends, None before."""


class ErasureRefused(Fact):
    """Somebody wanted to erase a person on whom a legal hold stands."""

    for_audit = True

    reason: Literal["request", "retention", "order"]
    hold_id: Id


HoldReason = Literal["court", "investigation", "claim", "inspection"]


class LegalHoldPlaced(Fact):
    """Until it is lifted, the person of this case is not erased, whoever asks."""

    for_audit = True

    hold_id: Id
    reason: HoldReason


class LegalHoldLifted(Fact):
    """A legal hold has ended; others may still stand."""

    for_audit = True

    hold_id: Id
    reason: Literal["hold_ended", "placed_in_error"]


class PersonSought(Fact):
    """Somebody looked for a person by a number. `case_id` is a case that was found, else it stands for who looked."""

    for_audit = True

    by: Literal["case", "nik", "document"]
    found: int


class PersonRecordRead(Fact):
    """Somebody looked at what is kept of a person; `fields` are the identifying ones among it."""

    for_audit = True

    fields: tuple[Code, ...]


class PersonDataExported(Fact):
    """A person's data and the trail of its processing were handed out to the person who asked for it."""

    for_audit = True

    form: Literal["page", "json"]
    fields: tuple[Code, ...]
    reference: Code
    """The number under which the person's request is kept."""


class CorrectionRequested(Fact):
    """Somebody says that a field of an identity is wrong; it has to be decided within 3 x 24 hours."""

    for_audit = True

    correction_id: Id
    fields: tuple[Code, ...]
    decide_by: AwareDatetime


class CorrectionRejected(Fact):
    """What is kept of a person stays as it is."""

    for_audit = True

    correction_id: Id
    fields: tuple[Code, ...]
    reason: Literal["no_proof", "not_this_person", "already_so", "withdrawn"]


class IdentityCorrected(Fact):
    """Fields of an identity were corrected. Whoever had been shown the identity has to read it again."""

    fields: tuple[Code, ...]
    recipients: tuple[Code, ...]


class IdentitiesCompared(Fact):
    """Intake compared an identity with others, in memory, to find out whether the person had come before."""

    for_audit = True

    compared: tuple[Id, ...]
    """The cases it was compared with."""
    proposed: int
    """How many of these may be of the same person; somebody at the port decides."""


class MatchRead(Fact):
    """Somebody at a port looked at two identities side by side, to decide whether they are of one person."""

    for_audit = True

    match_id: Id
    other_case_id: Id
    fields: tuple[Code, ...]
    """The fields of this case that were shown."""


class ReturnMatched(Fact):
    """Somebody decided that the person of this case had come before. Both cases stay as they are."""

    match_id: Id
    earlier_case_id: Id


class ReturnUnmatched(Fact):
    """The decision that the person of this case had come before was taken back."""

    match_id: Id
    earlier_case_id: Id
    reason: Literal["decided_in_error", "new_proof"]


class ReturnRuledOut(Fact):
    """Somebody decided that two cases are of different people; they are not proposed again."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id


class ReturnRuledIn(Fact):
    """The decision that two cases are of different people was taken back; they are to be decided again."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id
    reason: Literal["decided_in_error", "new_proof"]


class ReturnPostponed(Fact):
    """Somebody will decide later whether two cases are of one person."""

    for_audit = True

    match_id: Id
    earlier_case_id: Id


class ReturnDropped(Fact):
    """Whether two cases are of one person is decided no more: this one was entered in error."""

    for_audit = True

    match_id: Id
    other_case_id: Id
    reason: Literal["entered_in_error"]


class RetentionApplied(Fact):
    """What had reached its period was erased or deleted. `case_id` stands for the run."""

    for_audit = True

    rule: Code
    removed: int
    held: int
    """People who would have been erased and on whom a legal hold stands."""


class DisclosureRefused(Fact):
    """Somebody asked for an identity and did not get it; `reason` is coded."""

    for_audit = True

    assignment_id: Id
    agency_id: Code
    reason: Literal["not_accepted", "other_agency", "ended", "unknown_case", "erased", "no_consent"]


class ConsentFact(Fact):
    """What is said of handing on an identity for one purpose to one class of recipients. `case_id` is the person's.

    `needs`: for which needs; empty for all of the case, those that are found later too. Of all that was said for one
    purpose, class and need, by consent, refusal, withdrawal or expiry, the latest in the order of `case_seq` counts; a
    lawful basis stands besides and is not taken away by a refusal. Help for a child rests on neither.
    """

    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: tuple[NeedCode, ...] = ()


class ConsentRecorded(ConsentFact):
    """Somebody was asked and said yes (`given`) or no. A no stops what went on without having been asked."""

    consent_id: Id
    given: bool
    given_by: GivenBy
    how: ConsentHow
    language: Code
    """In which it was explained, ISO 639."""
    expires_at: AwareDatetime | None = None
    """From then on it holds no longer; None where no end was agreed."""
    statement: Id | None = None
    """The statement of refusal that is on file at intake; None with a consent."""
    recipients: tuple[Code, ...] = ()
    """With a refusal: the agencies of the class that had been shown the identity for such a need. Each has to end that
    use and confirm it."""
    confirm_by: AwareDatetime | None = None
    """With `recipients`; else None."""


class ConsentWithdrawn(ConsentFact):
    """A consent was taken back, for some of its needs or all. `needs` says for which, as everywhere."""

    withdrawal_id: Id
    consent_id: Id
    withdrawn_by: GivenBy
    how: ConsentHow
    recipients: tuple[Code, ...]
    """The agencies of the class that had been shown the identity for such a need; each has to end that use and confirm
    it, by this withdrawal's id."""
    confirm_by: AwareDatetime


class ConsentExpired(ConsentFact):
    """A consent has reached the end that was agreed; nobody has to say anything for it. It counts as a withdrawal."""

    expiry_id: Id
    consent_id: Id
    recipients: tuple[Code, ...]
    """As of a withdrawal; each confirms it by this expiry's id."""
    confirm_by: AwareDatetime


class LawfulBasisNamed(ConsentFact):
    """The identity is handed on whatever the person says, and why that is lawful. It stands until it is ended."""

    basis_id: Id
    basis: LawfulBasis
    reason: LawfulReason


class LawfulBasisEnded(ConsentFact):
    """A basis that had been named stands no longer; what was said by the person counts again."""

    basis_id: Id
    reason: Literal["no_longer_needed", "named_in_error"]


HouseholdReason = Literal["listed", "said_by_family", "guardian_linked", "not_of_it", "family_parted", "in_error"]
"""Why somebody belongs to a household (the first three), or no longer does."""
Relation = Literal["mother", "father", "grandparent", "sibling", "aunt_or_uncle", "legal_guardian", "other_relative",
                   "not_stated"]  # fmt: skip
"""What the adult is to the child."""
RelationProof = Literal["birth_certificate", "family_card", "travel_document", "statement_of_both", "none"]
UnlinkReason = Literal["not_related", "child_at_risk", "adult_elsewhere", "statement_withdrawn", "in_error", "died"]
"""Why an adult answers for a child no longer."""


class HouseholdChanged(Fact):
    """This person joined a household that stays together, or parted from it. Nobody is in two at a time."""

    household_id: Id
    change: Literal["joined", "parted"]
    reason: HouseholdReason
    members: tuple[Id, ...]
    """The cases of all others who are in it now."""


class GuardianLinked(Fact):
    """An adult of the household answers for this child. What the child is due as long as it is alone stays due."""

    link_id: Id
    household_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof
    proposed_by: Code | None
    """Who asked for it; somebody else, who says this, confirmed it. None: the name list had it."""


class GuardianUnlinked(Fact):
    """An adult answers for this child no longer; one person is enough for that, and it counts at once."""

    link_id: Id
    adult_case_id: Id
    reason: UnlinkReason
    unaccompanied: bool
    """Nobody else answers for it."""


class GuardianDescribed(Fact):
    """What the adult who answers for this child is to it, or what shows that, was said after they were linked."""

    for_audit = True

    link_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof


class GuardianProposed(Fact):
    """Somebody asks that an adult count as answering for a child; another person has to confirm it."""

    for_audit = True

    link_id: Id
    adult_case_id: Id
    relation: Relation
    proof: RelationProof


class GuardianProposalEnded(Fact):
    """Nothing came of a proposal: a second person refused it, who made it took it back, or nobody
    confirmed it in time."""

    for_audit = True

    link_id: Id
    how: Literal["refused", "withdrawn", "expired"]
