"""Consent to hand on an identity: who may give it, and what holds for a purpose, a class of recipients and a need.

What was said is never changed; a later word counts before an earlier one. Help for a child rests on its best interest,
whatever its parents say (UU 35/2014; UU 27/2022 Art 25 for all that is not help).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.intake.domain.refusals.consents import (
    BasisUnfit,
    ConsentExpiresBadly,
    ConsentNotHeld,
    NeedsNotOfCase,
    NobodyToConsent,
    SpeakerUnfit,
    SpeakerUnnamed,
)
from shared.contracts.codes import (
    ConsentHow,
    ConsentPurpose,
    GivenBy,
    LawfulBasis,
    LawfulReason,
    NeedCode,
    RecipientClass,
)

CONFIRM_WITHIN = timedelta(hours=72)
"""3 x 24 hours for each recipient to end what it did on a consent that was taken back (UU 27/2022 Art 40)."""
LONGEST = timedelta(days=5 * 365)
"""A consent is asked for again after that; so long an adult's identity is kept at the least (ours)."""

ENDING_SOON = timedelta(days=14)
"""So long before its end a consent stands on the port's list of those to ask for again (ours)."""

Kind = Literal["given", "refused", "withdrawn", "expired", "basis", "basis_ended"]
EndReason = Literal["no_longer_needed", "named_in_error"]
State = Literal["given", "refused", "withdrawn", "expired", "basis", "best_interest", "not_asked"]
SPOKEN: tuple[Kind, ...] = ("given", "refused", "withdrawn", "expired")
"""What counts until the next of them: all that somebody said, and that it has reached its end."""
PARENTAL: frozenset[GivenBy] = frozenset({"parent", "guardian"})
STOPS: frozenset[State] = frozenset({"refused", "withdrawn", "expired"})

REASONS: Mapping[LawfulBasis, tuple[LawfulReason, ...]] = {
    "legal_obligation": ("lawful_order", "duty_to_report", "public_health"),
    "vital_interest": ("danger_to_life", "cannot_consent"),
    "public_task": ("task_by_law", "public_health"),
    "best_interest": ("child_at_risk", "no_guardian", "guardian_suspected"),
}
"""With which reasons a basis may be named."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is said something of. `needs`: empty for all of the case, those that are found later too."""

    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: tuple[NeedCode, ...] = ()

    def covers(self, purpose: ConsentPurpose, recipient_class: RecipientClass, need: str) -> bool:
        same = (self.purpose, self.recipient_class) == (purpose, recipient_class)
        return same and (not self.needs or need in self.needs)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or named, in codes; `version` counts those of the case from 1.

    `ends`: of a withdrawal or an expiry the consent, of a basis that ended its naming. `spoken_by`, `how` and
    `language` are of who spoke, `basis` and `reason` of a basis.
    """

    entry_id: str
    case_id: str
    version: int
    kind: Kind
    scope: Scope
    recorded_by: str
    recorded_at: datetime
    ends: str | None = None
    spoken_by: GivenBy | None = None
    how: ConsentHow | None = None
    language: str | None = None
    expires_at: datetime | None = None
    basis: LawfulBasis | None = None
    reason: LawfulReason | EndReason | None = None
    confirm_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What of an entry can identify somebody, sealed under the key of the person it is about.

    `speaker` is the parent's or guardian's name, `witness` that of who heard it, `statement` the words of a refusal.
    """

    speaker: str = ""
    witness: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What of a case decides who may speak: the age group as it is now, the needs, and whether it lives."""

    age_band: str
    needs: tuple[str, ...]
    has_died: bool = False

    @property
    def is_child(self) -> bool:
        """Unknown age counts as a child's everywhere."""
        return self.age_band not in ("adult", "elderly")

    @property
    def speakers(self) -> tuple[GivenBy, ...]:
        """Who may say yes or no. Nobody speaks for the dead: then a basis is named."""
        if self.has_died or "REMAINS" in self.needs:
            return ()
        return ("parent", "guardian") if self.is_child else ("self",)


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one purpose, class and need, and by which entry; without one where nothing was said."""

    state: State
    entry: Entry | None = None

    @property
    def stops(self) -> bool:
        """Whether the identity may not be handed on. Where nobody was asked, the law of the need alone decides."""
        return self.state in STOPS


def standing(
    entries: Sequence[Entry],
    *,
    purpose: ConsentPurpose,
    recipient_class: RecipientClass,
    need: str,
    is_child: bool,
    now: datetime,
) -> Standing:
    """What holds now. Only entries that cover all three matter, and of these `version` alone says which is later."""
    covering = [one for one in entries if one.scope.covers(purpose, recipient_class, need)]
    ended = {one.ends for one in covering if one.kind == "basis_ended"}
    bases = [
        one
        for one in covering
        if one.kind == "basis" and one.entry_id not in ended and (is_child or one.basis != "best_interest")
    ]
    if bases:
        return Standing("basis", max(bases, key=_version))
    last = _last(covering, entries, is_child=is_child)
    state = _spoken(last, now)
    if state != "given" and is_child and purpose == "help":
        return Standing("best_interest", last)
    return Standing(state, last)


def every_standing(
    entries: Sequence[Entry], person: Person, *, now: datetime
) -> list[tuple[tuple[ConsentPurpose, RecipientClass, str], Standing]]:
    """What holds for each purpose and class, by need of the case; for what nobody has said anything of, only help."""
    said = {(one.scope.purpose, one.scope.recipient_class) for one in entries}
    cells = [
        (purpose, class_, need)
        for purpose in get_args(ConsentPurpose)
        for class_ in get_args(RecipientClass)
        if (purpose, class_) in said or purpose == "help"
        for need in person.needs
    ]
    return [
        (
            (purpose, class_, need),
            standing(entries, purpose=purpose, recipient_class=class_, need=need, is_child=person.is_child, now=now),
        )
        for purpose, class_, need in cells
    ]


def purposes_of(recipient_class: RecipientClass) -> tuple[ConsentPurpose, ...]:
    """What an identity is used for by an agency of this class that helps: the police prosecute too."""
    return ("help", "prosecution") if recipient_class == "police" else ("help",)


def check_speaker(person: Person, *, spoken_by: GivenBy, named: bool, witnessed: bool) -> None:
    """Whether this one may say yes or no. Raises `NobodyToConsent`, `SpeakerUnfit` or `SpeakerUnnamed`.

    `named`: the name is there, where somebody speaks for a child. `witnessed`: so is the witness's, where there is one.
    """
    if not person.speakers:
        raise NobodyToConsent
    if spoken_by not in person.speakers:
        raise SpeakerUnfit
    if not named or not witnessed:
        raise SpeakerUnnamed


def check_needs(person: Person, scope: Scope) -> None:
    """Raises `NeedsNotOfCase`."""
    if not set(scope.needs) <= set(person.needs):
        raise NeedsNotOfCase


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raises `ConsentExpiresBadly` for an end that has passed, or is further away than anything is kept."""
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise ConsentExpiresBadly


def check_basis(person: Person, *, basis: LawfulBasis, reason: LawfulReason) -> None:
    """Raises `BasisUnfit` for a reason of another basis, or the best interest of an adult."""
    if reason not in REASONS[basis] or (basis == "best_interest" and not person.is_child):
        raise BasisUnfit


def withdrawable(entries: Sequence[Entry], consent: Entry) -> tuple[NeedCode, ...]:
    """The needs for which nothing was said after this consent: there it can be taken back, expired or not."""
    if consent.kind != "given":
        return ()
    scope = consent.scope

    def is_last(need: NeedCode) -> bool:
        said = [e for e in entries if e.kind in SPOKEN and e.scope.covers(scope.purpose, scope.recipient_class, need)]
        return max(said, key=_version) == consent

    return tuple(need for need in scope.needs or get_args(NeedCode) if is_last(need))


def withdrawal_of(entries: Sequence[Entry], consent: Entry, needs: tuple[NeedCode, ...]) -> Scope:
    """What is taken back: these needs, or all that the consent is for. Raises `ConsentNotHeld`."""
    held = withdrawable(entries, consent)
    if not held or not set(needs) <= set(held):
        raise ConsentNotHeld
    return Scope(consent.scope.purpose, consent.scope.recipient_class, needs or consent.scope.needs)


def expiry_of(entries: Sequence[Entry], consent: Entry) -> Scope | None:
    """Of what a consent that has reached its end is the last word; None where something was said since of all of it."""
    held = withdrawable(entries, consent)
    if not held:
        return None
    whole = held == (consent.scope.needs or get_args(NeedCode))
    return Scope(consent.scope.purpose, consent.scope.recipient_class, consent.scope.needs if whole else held)


def _last(covering: Iterable[Entry], entries: Sequence[Entry], *, is_child: bool) -> Entry | None:
    """The word that counts.

    Who is of age speaks alone. What parents or a guardian said before holds until the person is asked, but for their no
    to offices of the state: it stops no help of somebody who was never asked.
    """
    words = sorted((one for one in covering if one.kind in SPOKEN), key=_version, reverse=True)
    last = next(iter(words), None)
    if is_child or last is None:
        return last
    known = {one.entry_id: one for one in entries}
    by_themselves = next((one for one in words if _speaker(one, known) not in PARENTAL), None)
    stops_an_office = last.scope.recipient_class == "state" and last.kind != "given"
    return by_themselves or (None if stops_an_office else last)


def _speaker(entry: Entry, entries: Mapping[str, Entry]) -> GivenBy | None:
    """Whose word it is; an expiry is of the consent that has ended."""
    consent = entries.get(entry.ends) if entry.kind == "expired" and entry.ends is not None else None
    return (consent or entry).spoken_by


def _spoken(last: Entry | None, now: datetime) -> State:
    if last is None:
        return "not_asked"
    if last.kind == "given":
        return "expired" if last.expires_at is not None and last.expires_at <= now else "given"
    if last.kind == "expired":
        return "expired"
    return "refused" if last.kind == "refused" else "withdrawn"


def _version(entry: Entry) -> int:
    return entry.version
