"""What a correction of an arrival does to its needs: they go on, on other facts, and where these say so with others.

Whoever is asked or helps keeps it while the rules still propose it; else the request is taken back, and help is handed
on, so that it does not break. Nobody decides on facts that have changed since: each live attempt gets a new version.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.referral.domain import assignments, needs, passing, referrals
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import Times
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN
from services.referral.domain.routing import Candidate, Decision

Changed = Literal["age", "sex", "origin"]
TakenBackFor = Literal["WRONG_ORIGIN", "NEW_FACTS"]

OF_THE_DEAD = "REMAINS"
"""The need that begins with a death; every other ends."""
OpenedFor = Literal["FOUND_AFTER_ALL", "DEATH_UNDONE", "CHILD_AFTER_ALL", "OTHERS_TO_ASK"]
CONSENT_ENDED = frozenset({"refused", "consent_withdrawn"})
"""States in which a need can only be an adult's: what is still in one keeps that age, whatever the age is."""
FOR_WANT = frozenset({"NO_CAPACITY", "NOT_ELIGIBLE"})
"""Why a need was given up because of those who were asked, and not of the person."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction as agencies may know of it: of age, sex or origin, in codes; `version` is the arrival's after."""

    case_id: str
    version: int
    kind: Changed
    was: str | None
    became: str | None
    reason: str
    corrected_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a need keeps of the person, as it is from now on. `regency`: where help is due."""

    sex: str
    age_band: str
    regency: str


@dataclass(frozen=True, slots=True)
class Became:
    """What a correction says that may open a need again. `needs`: all that the port knows of now."""

    needs: tuple[str, ...]
    found: tuple[str, ...] = ()
    is_found_by_itself: bool = False
    """True: somebody says that the need is there, or the person has died. False: it follows from an age."""
    is_alive_after_all: bool = False
    is_child_after_all: bool = False
    is_of_the_person: bool = False
    """True for another age, sex or origin, also since a death that was none: others may be the right ones to ask."""


def corrected(need: Need, facts: Facts, *, restricted: bool, explanation: bytes) -> Need:
    """The need on these facts, and its live attempts in another version: what was decided on is no more."""
    r = need.referral
    stays_of_age = r.state in CONSENT_ENDED and facts.age_band in CHILDREN
    referral = replace(
        r,
        sex=facts.sex,
        age_band=r.age_band if stays_of_age else facts.age_band,
        regency=facts.regency,
        restricted=restricted,
        explanation=explanation,
        version=r.version + 1,
    )
    attempts = tuple(replace(a, version=a.version + 1) if a.is_live else a for a in need.attempts)
    return Need(referral, attempts)


def decided(need: Need, decision: Decision) -> Need:
    """The need on another decision."""
    r = need.referral
    referral = replace(r, regency=decision.facts.due_in, explanation=decision.digest, version=r.version + 1)
    return replace(need, referral=referral)


def is_death(need: Need) -> bool:
    """True for the need by which it shows that the person counts as dead, whether it is met by now or not."""
    r = need.referral
    return r.need == OF_THE_DEAD and r.state != "entered_in_error" and not r.is_struck


def strike(need: Need, *, by: str, now: datetime) -> Need:
    """There is no such need, or no such arrival: it was entered in error. What had ended stays as it ended."""
    return needs.ended(need, referrals.strike(need.referral, by=by, now=now), now=now)


def end_with_death(need: Need, *, by: str, now: datetime) -> Need:
    """The person has died; nobody is to help any more."""
    return needs.ended(need, referrals.end_with_death(need.referral, by=by, now=now), now=now)


def why_anew(need: Need, ranked: Sequence[Candidate], became: Became) -> OpenedFor | None:
    """Why a need that has ended is open again by a correction; None where it stays as it ended.

    Help that was given stays given, unless the port has struck the need and finds it once more. What ended unmet for
    what was not so is a duty again: the word of somebody who turns out to be a child ends nothing, and where nobody
    could help, others are asked as soon as there are others.
    """
    r = need.referral
    if not r.is_terminal:
        return None
    if r.need in became.found and (r.state != "fulfilled" or (r.is_struck and became.is_found_by_itself)):
        return "FOUND_AFTER_ALL"
    if became.is_alive_after_all and referrals.ended_with_death(r):
        return "DEATH_UNDONE"
    if r.need not in became.needs or (OF_THE_DEAD in became.needs and r.need != OF_THE_DEAD):
        return None
    if became.is_child_after_all and (r.state in CONSENT_ENDED or r.outcome == "PERSON_REFUSED"):
        return "CHILD_AFTER_ALL"
    is_for_want = r.state == "unfulfilled" and r.outcome in FOR_WANT
    if is_for_want and became.is_of_the_person and any(c.agency_id not in need.tried for c in ranked):
        return "OTHERS_TO_ASK"
    return None


def open_anew(need: Need, *, now: datetime) -> Need:
    """A need that had ended goes on; the next attempt has the next number."""
    return replace(need, referral=referrals.open_anew(need.referral, now=now))


def ended_with(need: Need) -> str | None:
    """Who was asked or helped when the need ended: the first to be asked when it goes on."""
    last = need.attempts[-1] if need.attempts else None
    is_same = last is not None and need.referral.ended_at is not None and last.ended_at == need.referral.ended_at
    return last.agency_id if last is not None and is_same else None


def keeps(
    need: Need, ranked: Sequence[Candidate], open_to: frozenset[str], *, fits: Callable[[Assignment], bool]
) -> bool:
    """True where who is asked would be asked by the corrected facts too. `fits`: in a place that it holds."""
    asked = need.asked
    if asked is None:
        return True
    if need.helping is not None:
        return any(c.agency_id == asked.agency_id for c in ranked)
    before = need.tried - {asked.agency_id}
    first = next(
        (c for c in ranked if c.agency_id not in before and c.agency_id in open_to | {asked.agency_id}),
        None,
    )
    return first is not None and first.agency_id == asked.agency_id and fits(asked)


def take_back(need: Need, *, reason: TakenBackFor, now: datetime) -> Need:
    """Who is asked is asked no more, and the history says why."""
    asked = need.asked
    assert asked is not None
    return needs.with_attempt(need, replace(assignments.move(asked, "recalled", now=now), end_reason=reason))


def wants_handing_on(need: Need, ranked: Sequence[Candidate]) -> bool:
    """True where who helps is not proposed any more, and nobody is asked yet to take over."""
    helping = need.helping
    return helping is not None and need.asked is None and all(c.agency_id != helping.agency_id for c in ranked)


def hand_on(need: Need, to: Candidate, *, reason: TakenBackFor, new_id: str, times: Times, now: datetime) -> Need:
    """Another agency is asked to take over; until it accepts, who helps goes on."""
    helping = need.helping
    assert helping is not None
    marked = needs.with_attempt(need, replace(helping, end_reason=reason))
    return passing.transfer(marked, helping.assignment_id, to, new_id=new_id, times=times, now=now)


def is_to_be_handed_on(need: Need) -> bool:
    """True while help is to pass to the right agency, and nobody is asked to take it over."""
    return need.helping is not None and need.helping.end_reason is not None and need.asked is None


def hand_on_next(
    need: Need,
    ranked: Sequence[Candidate],
    open_to: frozenset[str],
    *,
    new_id: str,
    times: Times,
    now: datetime,
) -> Need | None:
    """The next in rank is asked to take over what is to be handed on; None when nobody is left."""
    to, helping = next_after(need, ranked, open_to), need.helping
    if to is None or helping is None:
        return None
    return passing.transfer(need, helping.assignment_id, to, new_id=new_id, times=times, now=now)


def next_after(
    need: Need, ranked: Sequence[Candidate], open_to: frozenset[str], *, again: str | None = None
) -> Candidate | None:
    """The first in rank that was not asked before. `again`: who may be asked once more, in a place that fits."""
    return next((c for c in ranked if c.agency_id in open_to and c.agency_id not in need.tried - {again}), None)
