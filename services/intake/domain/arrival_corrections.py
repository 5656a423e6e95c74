"""Correcting what routing rests on: age, sex, origin and needs of an arrival; that it is none; that somebody has died.

Towards a child one person is enough, since nothing is taken away by it; away from it takes two, on a proof (UU 35/2014
Art 59: who may be a child is protected as one until it is shown that it is not).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from services.intake.domain import needs as screening
from services.intake.domain.refusals.arrival_corrections import (
    AgeStaysSame,
    ArrivalInError,
    DeathNotPossible,
    DuplicateUnfit,
    NeedFollowsAge,
    NotDead,
    NothingToCorrect,
    NotTwoPeople,
    PersonHasDied,
    ProofMissing,
)
from shared.contracts.codes import AgeBand, AgeProof, CorrectionReason, NeedCode, Sex, StrikeReason

Kind = Literal["age", "sex", "origin", "needs", "entered_in_error", "died", "death_undone"]
ErrorReason = Literal["duplicate", "never_arrived", "not_a_returnee", "test_entry", "wrong_voyage"]
DeathPlace = Literal["before_arrival", "at_port", "in_care"]
DeathUndoneReason = Literal["seen_alive", "of_another_person", "recorded_wrongly"]
DoubtEnd = Literal["confirmed", "refused", "withdrawn", "overtaken"]
ProposalEnd = Literal["confirmed", "refused", "withdrawn", "overtaken", "erased", "expired"]

CONFIRM_WITHIN = timedelta(days=3)
"""So long a second person has; after that it is overdue on the lists of the port and of who supervises it (ours)."""
LAPSES_AFTER = timedelta(days=7)
"""What nobody has confirmed by then counts as not found: a child stays a child, and alone (ours)."""

CHILDREN = frozenset({"child", "unknown"})
OF_AGE: frozenset[NeedCode] = frozenset({"UAC", "CHILD", "ELDER"})
"""The needs that follow from the age, and go with it."""
PROTECTED: frozenset[NeedCode] = frozenset({"UAC", "CHILD"})
"""Of these a child has one; who turns out to be a child is unaccompanied until an adult is linked."""
OF_THE_DEAD: NeedCode = "REMAINS"


@dataclass(frozen=True, slots=True)
class Kept:
    """An arrival as it is kept, in codes. `regency` is the port's."""

    case_id: str
    person_id: str
    port: str
    regency: str
    version: int
    ended_as: str | None
    sex: Sex
    age_band: AgeBand
    origin_regency: str | None
    needs: tuple[NeedCode, ...]
    onward_wish: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One correction, as the history keeps it: `version` is the arrival's after it."""

    version: int
    kind: Kind
    was: str | None = None
    became: str | None = None
    added: tuple[NeedCode, ...] = ()
    struck: tuple[NeedCode, ...] = ()
    reason: str | None = None
    strike_reason: StrikeReason | None = None
    proof: AgeProof | None = None
    duplicate_of: str | None = None
    died_on: date | None = None
    proposed_by: str | None = None
    corrected_by: str = ""
    corrected_at: datetime | None = None


Corrected = tuple[Kept, Step]
"""The arrival as it is from now on, and the step that leads there."""


def correct_sex(kept: Kept, to: Sex, *, reason: CorrectionReason) -> Corrected:
    """Raises `NothingToCorrect`, `ArrivalInError`, `PersonHasDied`."""
    expect_alive(kept)
    if to == kept.sex:
        raise NothingToCorrect
    after = replace(kept, version=kept.version + 1, sex=to)
    return after, Step(after.version, "sex", kept.sex, to, reason=reason)


def correct_origin(kept: Kept, to: str | None, *, reason: CorrectionReason) -> Corrected:
    """None: nobody knows. Also of who has died: the remains go home. Raises `NothingToCorrect`, `ArrivalInError`."""
    expect_kept(kept)
    if to == kept.origin_regency:
        raise NothingToCorrect
    after = replace(kept, version=kept.version + 1, origin_regency=to)
    return after, Step(after.version, "origin", kept.origin_regency, to, reason=reason)


def correct_needs(
    kept: Kept,
    *,
    add: Iterable[NeedCode],
    strike: Iterable[NeedCode],
    reason: CorrectionReason | None,
    strike_reason: StrikeReason | None,
) -> Corrected:
    """What of both there is nothing to do for is left out. Raises `NothingToCorrect`, `NeedFollowsAge`, as above."""
    expect_alive(kept)
    added = tuple(need for need in dict.fromkeys(add) if need not in kept.needs)
    struck = tuple(need for need in dict.fromkeys(strike) if need in kept.needs and need not in added)
    if (OF_AGE | {screening.EVERYBODY}).intersection((*added, *struck)):
        raise NeedFollowsAge
    if not added and not struck:
        raise NothingToCorrect
    after = replace(
        kept, version=kept.version + 1, needs=screening.ordered((set(kept.needs) | set(added)) - set(struck))
    )
    step = Step(
        after.version,
        "needs",
        added=added,
        struck=struck,
        reason=reason if added else None,
        strike_reason=strike_reason if struck else None,
    )
    return after, step


def correct_age(
    kept: Kept, to: AgeBand, *, reason: CorrectionReason, proof: AgeProof | None, by: str, proposed_by: str | None
) -> Corrected:
    """The needs that follow from the age come and go with it.

    Raises `AgeStaysSame`, `NotTwoPeople` and `ProofMissing` for a child that is to be of age, and as above.
    """
    expect_alive(kept)
    if to == kept.age_band:
        raise AgeStaysSame
    if takes_two(kept.age_band, to):
        if proof is None:
            raise ProofMissing
        if proposed_by is None or proposed_by == by:
            raise NotTwoPeople
    childish = PROTECTED.intersection(kept.needs)
    due = childish if to in CHILDREN and childish else screening.needs_of(to, frozenset(), accompanied=False)
    wanted = OF_AGE.intersection(due)
    added = tuple(sorted(wanted.difference(kept.needs)))
    struck = tuple(sorted(OF_AGE.intersection(kept.needs) - wanted))
    after = replace(
        kept, version=kept.version + 1, age_band=to, needs=screening.ordered((set(kept.needs) - set(struck)) | wanted)
    )
    step = Step(
        after.version, "age", kept.age_band, to, added, struck, reason=reason, proof=proof, proposed_by=proposed_by
    )
    return after, step


def has_lapsed(proposed_at: datetime, now: datetime) -> bool:
    """True for what no second person confirms any more, whether the clock has ended it by now or not."""
    return proposed_at <= now - LAPSES_AFTER


def takes_two(was: AgeBand, to: AgeBand) -> bool:
    """True where protection ends: who is, or may be, a child is to count as of age."""
    return was in CHILDREN and to not in CHILDREN


def enter_in_error(kept: Kept, *, reason: ErrorReason, duplicate: Kept | None) -> Corrected:
    """The arrival is none. `duplicate`: the case that stays, of the same port. Raises `DuplicateUnfit`, as above."""
    expect_kept(kept)
    if (reason == "duplicate") != (duplicate is not None):
        raise DuplicateUnfit
    if duplicate is not None and (duplicate.case_id == kept.case_id or duplicate.ended_as == "entered_in_error"):
        raise DuplicateUnfit
    after = replace(kept, version=kept.version + 1, ended_as="entered_in_error")
    duplicate_of = None if duplicate is None else duplicate.case_id
    return after, Step(after.version, "entered_in_error", reason=reason, duplicate_of=duplicate_of)


def note_death(kept: Kept, *, died_on: date, place: DeathPlace, landed_on: date, today: date) -> Corrected:
    """Somebody has died; the remains are to be brought home. Days are those of the port.

    Raises `DeathNotPossible` for a day that is still to come, or that does not go with the place; and as above.
    """
    expect_alive(kept)
    is_before = died_on <= landed_on if place == "before_arrival" else died_on >= landed_on
    if died_on > today or not is_before:
        raise DeathNotPossible
    added = () if OF_THE_DEAD in kept.needs else (OF_THE_DEAD,)
    after = replace(
        kept, version=kept.version + 1, ended_as="died", needs=screening.ordered({*kept.needs, OF_THE_DEAD})
    )
    return after, Step(after.version, "died", became=place, added=added, died_on=died_on)


def undo_death(kept: Kept, death: Step, *, reason: DeathUndoneReason, by: str, proposed_by: str) -> Corrected:
    """Somebody lives who was noted as dead by `death`; what became due by that alone is due no more.

    Raises `NotDead`, `NotTwoPeople`, `ArrivalInError`.
    """
    expect_dead(kept)
    if by == proposed_by:
        raise NotTwoPeople
    needs = screening.ordered(set(kept.needs) - set(death.added))
    after = replace(kept, version=kept.version + 1, ended_as=None, needs=needs)
    return after, Step(after.version, "death_undone", struck=death.added, reason=reason, proposed_by=proposed_by)


def expect_dead(kept: Kept) -> None:
    """Raises `NotDead`, and as `expect_kept`."""
    expect_kept(kept)
    if kept.ended_as != "died":
        raise NotDead


def expect_kept(kept: Kept) -> None:
    """Raises `ArrivalInError` for an arrival that is none."""
    if kept.ended_as == "entered_in_error":
        raise ArrivalInError


def expect_alive(kept: Kept) -> None:
    """Raises `PersonHasDied`, and as `expect_kept`."""
    expect_kept(kept)
    if kept.ended_as == "died":
        raise PersonHasDied


@dataclass(frozen=True, slots=True)
class Proposal:
    """That a child, or who may be one, is to count as of age. `sealed` is the birth it follows from, until it ends."""

    proposal_id: str
    case_id: str
    person_id: str
    port: str
    regency: str
    was: AgeBand
    becomes: AgeBand
    sealed: bytes
    reason: CorrectionReason
    proof: AgeProof
    proposed_by: str
    proposed_at: datetime
    ended_as: ProposalEnd | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """Until when a second person should have decided."""
        return self.proposed_at + CONFIRM_WITHIN


@dataclass(frozen=True, slots=True)
class Doubt:
    """That somebody lives who was noted as dead, until a second person has decided."""

    doubt_id: str
    case_id: str
    port: str
    regency: str
    reason: DeathUndoneReason
    proposed_by: str
    proposed_at: datetime
    ended_as: DoubtEnd | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
