"""What intake says of arrivals, in codes: recorded, screened, corrected, ended."""

from datetime import date
from typing import Literal

from shared.contracts.codes import (
    AgeBand,
    AgeProof,
    CorrectionReason,
    NeedCode,
    Sex,
    StrikeReason,
    TraffickingDecision,
    TraffickingReason,
)
from shared.contracts.fact import AwareDatetime, Code, Fact, Id, RegencyCode

DeathUndoneReason = Literal["seen_alive", "of_another_person", "recorded_wrongly"]
Channel = Literal["single", "batch", "manifest"]


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

    reason: Literal["duplicate", "never_arrived", "not_a_returnee", "test_entry", "wrong_voyage"]
    """`wrong_voyage`: the person came with another, and is recorded there."""
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
    """Nothing came of it: a second person does not see it so, who said it took it back, or the arrival was none."""

    for_audit = True

    doubt_id: Id
    how: Literal["refused", "withdrawn", "overtaken"]


class AgeProposed(Fact):
    """Somebody asks that a child, or who may be one, count as of age; another person has to confirm it."""

    for_audit = True

    proposal_id: Id
    proof: AgeProof


class AgeProposalEnded(Fact):
    """Nothing came of a proposal: a second person refused it, who made it took it back, nobody confirmed it in time,
    or what was corrected of the age or the birth has overtaken it.
    """

    for_audit = True

    proposal_id: Id
    how: Literal["refused", "withdrawn", "expired", "overtaken"]
