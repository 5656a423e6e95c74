"""Deciding whether two cases are of one person: somebody at the port of the later landing, with both side by side.

A decision joins or parts nothing in the records: both stay sealed under their own keys. Who is one person is what the
decisions that stand say, so whatever is taken back is as it was before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake import policy
from services.intake.domain.matches import SHOWN, Decision, EndReason, Match, State, Step, UndoReason
from services.intake.domain.people import Identity
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.matches import (
    MatchChangedMeanwhile,
    MatchContradicts,
    MatchDecided,
    MatchEnded,
    MatchNotDecided,
    MatchUnknown,
)
from services.intake.store import match_keys
from services.intake.store import matches as store
from services.intake.store.match_keys import Comparable
from services.intake.store.vault import Sealed, Vault
from shared.contracts import codes
from shared.contracts.intake.matches import (
    MatchRead,
    ReturnDropped,
    ReturnMatched,
    ReturnPostponed,
    ReturnRuledIn,
    ReturnRuledOut,
    ReturnUnmatched,
)
from shared.kit import words
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work

STATES = {
    "open": msg("to be decided"),
    "later": msg("to be decided later"),
    "same": msg("the same person"),
    "different": msg("different people"),
}


class MatchConflict(Refusal):
    """Somebody else decided first, for who reads it: what, who, when, and what to do."""

    status = 409
    code = "match_changed"
    title = msg("This was changed meanwhile")

    def __init__(self, language: Language, changed: MatchChangedMeanwhile, port: str) -> None:
        told = msg(
            "On %(time)s %(who)s said: %(state)s. You looked at version %(expected)s, now it is %(found)s. Look at it"
            " as it is now."
        )
        super().__init__(
            words.translate(
                language,
                told,
                who=changed.by,
                time=words.moment(language, changed.at, codes.ports()[port].zone),
                state=words.translate(language, STATES[changed.state]),
                expected=changed.expected,
                found=changed.found,
            )
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two as it is shown: only what is compared, and of the landing the month."""

    case_id: str
    identity: Identity
    regency: str | None
    sex: str
    landed: datetime


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two cases with what was compared of them, and what was decided so far.

    `closed`: why nothing is decided on them any more; nothing of either is shown then.
    """

    match: Match
    sides: tuple[Side, Side] | None
    """The later one, then the earlier."""
    history: Sequence[Step]
    closed: EndReason | None = None


async def list_undecided(
    work: Work, *, voyage_id: str | None = None, after: str | None = None, limit: int
) -> tuple[list[Match], str | None]:
    """What is to be decided at the actor's port, and the `after` of the next page; in codes. Raises `NotAllowed`."""
    _check(work)
    found = await store.list_undecided(work, voyage_id=voyage_id, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].match_id if len(found) > limit else None


async def read_side_by_side(work: Work, vault: Vault, match_id: str) -> SideBySide:
    """Both identities, on the trail of both cases first; they may leave only after the commit.

    Of the earlier landing, which may have been at another port, nothing is told but what is compared: no port, no
    voyage, no need. Of two that were decided on before one was entered in error, only that is told, and what was
    decided. Raises `NotAllowed`, `MatchUnknown` or `MatchEnded`.
    """
    match = await _find(work, match_id)
    history = await store.history(work, match_id)
    await (
        work.as_service()
    )  # the earlier case may be another port's: that the two are compared was found in the own one
    if await store.is_in_error(work, match):
        return SideBySide(match, None, history, closed="entered_in_error")
    sealed = await match_keys.find_sealed(work, [match.case_id, match.earlier_case_id])
    if len(sealed) < 2:
        raise MatchUnknown
    later, earlier = (_side(vault, sealed[case_id]) for case_id in (match.case_id, match.earlier_case_id))
    for side, other in ((later, earlier), (earlier, later)):
        fields = tuple(name for name in SHOWN if getattr(side.identity, name))
        work.record(MatchRead(case_id=side.case_id, match_id=match_id, other_case_id=other.case_id, fields=fields))
    return SideBySide(match, (later, earlier), history)


async def decide(work: Work, match_id: str, decision: Decision, *, version: int) -> Match:
    """Say whether the two are one person, or that somebody will say later.

    Raises `NotAllowed`, `MatchUnknown`, `MatchEnded`, `MatchChangedMeanwhile`, `MatchDecided` or `MatchContradicts`.
    """
    match = await _to_change(work, match_id, version)
    if await store.is_in_error(work, match):
        raise MatchEnded
    if match.state in ("same", "different"):
        raise MatchDecided
    if decision == "same" and await store.contradiction(work, match):
        raise MatchContradicts
    if decision == "different" and match.earlier_person_id in await store.one_person_with(work, [match.person_id]):
        raise MatchContradicts
    told = {"match_id": match_id, "case_id": match.case_id, "earlier_case_id": match.earlier_case_id}
    if decision == "same":
        work.emit(ReturnMatched(**told))
    else:
        work.record(ReturnRuledOut(**told) if decision == "different" else ReturnPostponed(**told))
    return await store.decide(work, match, decision, state=decision)


async def take_back(work: Work, match_id: str, *, reason: UndoReason, version: int) -> Match:
    """Take a decision back: the two are to be decided on again, and stand apart until then.

    Where one of them was entered in error meanwhile they stand apart for good, and the pair has ended. Raises
    `NotAllowed`, `MatchUnknown`, `MatchEnded`, `MatchChangedMeanwhile` or `MatchNotDecided`.
    """
    match = await _to_change(work, match_id, version)
    told = {"match_id": match_id, "case_id": match.case_id, "earlier_case_id": match.earlier_case_id}
    if match.state == "same":
        work.emit(ReturnUnmatched(**told, reason=reason))
    elif match.state == "different":
        work.record(ReturnRuledIn(**told, reason=reason))
    else:
        raise MatchNotDecided
    state: State = "ended" if await store.is_in_error(work, match) else "open"
    return await store.decide(work, match, "undone", state=state, reason=reason)


async def end_in_error(work: Work, case_id: str) -> None:
    """End what nobody has decided of a case that was entered in error and is locked; what was decided stands."""
    for match_id, other in await store.end_undecided(work, case_id, "entered_in_error"):
        work.record(ReturnDropped(case_id=case_id, match_id=match_id, other_case_id=other, reason="entered_in_error"))


def _check(work: Work) -> None:
    if not policy.may_decide_matches(work.actor):
        raise NotAllowed


async def _find(work: Work, match_id: str) -> Match:
    _check(work)
    match = await store.find(work, match_id)
    if match is None:
        raise MatchUnknown
    if match.state == "ended":
        raise MatchEnded
    return match


async def _to_change(work: Work, match_id: str, version: int) -> Match:
    """The two at this version, for this work alone, as the service: what hangs on it may lie at other ports."""
    await _find(work, match_id)
    await store.be_alone(work)
    match = await _find(work, match_id)
    await work.as_service()  # the two were found in the actor's own scope; who else is this person is nobody's
    await work.lock_cases([match.case_id, match.earlier_case_id])
    match = await _find(work, match_id)  # one of the two may have been entered in error while the locks were waited for
    if match.version != version:
        at = match.decided_at or match.proposed_at
        raise MatchChangedMeanwhile(
            expected=version, found=match.version, state=match.state, by=match.decided_by or "rujukan", at=at
        )
    return match


def _side(vault: Vault, case: Comparable) -> Side:
    identity = vault.open(Sealed(case.wrapped_key, case.sealed), person_id=case.person_id, case_id=case.case_id)
    shown = Identity(**{name: getattr(identity, name) for name in SHOWN})
    return Side(case.case_id, shown, case.origin_regency, case.sex, case.arrived_at)
