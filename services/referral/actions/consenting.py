"""What a person said of handing the case on, as it reaches needs: who may be asked from now on, and who has to stop.

All that follows from it happens in the transaction in which it is heard: decisions that rested on a consent, or on
none, are made again; who may not be asked any more is recalled, or told that its help has ended; others are asked
instead; and a need that rests on nothing any more ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.referral import rules
from services.referral.actions import choosing, following, leasing, staying, telling, walls
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing
from services.referral.domain import consents, corrections, needs
from services.referral.domain.consents import Consents, Said
from services.referral.domain.needs import Need
from services.referral.domain.recipients import WITHIN
from services.referral.domain.routing import Decision
from services.referral.store import consents as book
from services.referral.store import needs as store
from services.referral.store import recipients
from services.referral.store.recipients import Recipient
from shared.contracts.codes import RecipientClass
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from shared.kit.work import Work

HeardOf = (
    Heard[ConsentRecorded]
    | Heard[ConsentWithdrawn]
    | Heard[ConsentExpired]
    | Heard[LawfulBasisNamed]
    | Heard[LawfulBasisEnded]
)

ENDED_BY_THE_PERSON = frozenset({"refused", "consent_withdrawn"})


@dataclass(frozen=True, slots=True)
class Standing:
    """On what a need rests now: the decision, what was said of it in all and just now, and who may be asked."""

    decision: Decision
    said: Consents
    is_allowed_anew: bool
    """A consent, or a law that decides without one, was among what was heard just now."""
    is_decided_anew: bool
    """That, or it changed what the rules look at: others may be asked."""
    classes: frozenset[RecipientClass]


async def hear_consents(work: Work, heard: Sequence[HeardOf], *, routing: Routing) -> None:
    """Keep what was said, ask those who had been shown a person to stop, and let the needs follow."""
    await staying.lock(work, [h.case_id for h in heard])
    if asked := [recipient for h in heard for recipient in _recipients(h)]:
        await recipients.add_tasks(work, asked)
    of_help = [h for h in heard if h.fact.purpose == consents.PURPOSE]
    if of_help:
        await book.add_said(work, [_said(h) for h in of_help])
        await _reconsider(work, {h.case_id: h for h in of_help}, of_help, routing)


async def apply_to_added(work: Work, cause: Heard[Any], *, routing: Routing) -> None:
    """Needs of this case were found later: what was said of all of the case before holds for them too."""
    await _reconsider(work, {cause.case_id: cause}, (), routing)


async def _reconsider(work: Work, causes: Mapping[str, Heard[Any]], heard: Sequence[HeardOf], routing: Routing) -> None:
    found = await store.find_of_cases(work, sorted(causes))
    if not found:
        return
    loaded = await following.locked(work, {id_: (id_, case_id) for id_, case_id in found.items()})
    await leasing.hold(work, loaded.before.values(), routing)
    changes, standings = await _standings(work, loaded, heard, routing)
    walled = await walls.around(work, changes.before.values(), routing, among=changes.before.values())
    gaps = await store.find_open_gaps(
        work, [id_ for id_, n in loaded.before.items() if n.referral.state == "unroutable"]
    )
    closed: list[str] = []
    wanting: list[Need] = []
    for id_, standing in standings.items():
        before = changes.need(id_)
        after = _followed(work, before, standing, causes[before.referral.case_id])
        if after.referral.state == "unroutable" and standing.is_decided_anew:
            open_to = walled.open_to(after, await routing.open_for(work, after.referral.need))
            if needs.next_candidate(after, standing.decision.candidates, open_to) is not None:
                after = needs.routable(after, now=work.now)
                work.emit(telling.gap_closed(after, gaps[id_]))
        if before.referral.state == "unroutable" and after.referral.state != "unroutable":
            closed.append(id_)
        is_over = after.referral.is_terminal and not before.referral.is_terminal
        if is_over or (before.referral.state == "awaiting_consent" and after.referral.state == "open"):
            changes.settled.add(id_)
        if after != before:
            changes.put(after)
        if after.referral.state == "open" and after.live is None and (after != before or standing.is_allowed_anew):
            wanting.append(after)
    await following.ask_next(work, changes, wanting, routing)
    asked = [need.referral.referral_id for need in wanting]
    changes.settled.update(id_ for id_ in asked if changes.need(id_).live is not None)
    await following.save(work, changes)
    if closed:
        await store.close_gaps(work, closed)


async def _standings(
    work: Work, loaded: Changes, heard: Sequence[HeardOf], routing: Routing
) -> tuple[Changes, dict[str, Standing]]:
    """On what each need rests now. Where that changes what the rules look at, they decide anew, and this is kept."""
    said = await book.find_consents(work, sorted({need.referral.case_id for need in loaded.before.values()}))
    bodies = await store.find_explanations(work, [need.referral.explanation for need in loaded.before.values()])
    router = await routing.router(work)
    standings: dict[str, Standing] = {}
    decided: dict[str, Decision] = {}
    before: dict[str, Need] = {}
    dead = {need.referral.case_id for need in loaded.before.values() if corrections.is_death(need)}
    for id_, need in loaded.before.items():
        r = need.referral
        decision = rules.read(bodies[r.explanation])
        is_due = not r.is_struck and (r.case_id not in dead or r.need == corrections.OF_THE_DEAD)
        is_allowed_anew = is_due and any(_allows(h, r.need) for h in heard if h.case_id == r.case_id)
        is_consent_recorded = said[r.case_id].for_civil_society(r.need, r.age_band, now=work.now)
        is_over = r.is_terminal and not (is_allowed_anew and r.state in ENDED_BY_THE_PERSON)
        if decision.facts.consent != is_consent_recorded and not is_over:
            decided[id_] = decision = router.decide(replace(decision.facts, consent=is_consent_recorded))
            need = replace(need, referral=replace(r, explanation=decision.digest))  # noqa: PLW2901
        before[id_] = need
        standings[id_] = Standing(
            decision=decision,
            said=said[r.case_id],
            is_allowed_anew=is_allowed_anew,
            is_decided_anew=is_allowed_anew or id_ in decided,
            classes=consents.open_classes(said[r.case_id], r, decision.terms, now=work.now),
        )
    if decided:
        await store.update_explanations(work, decided)
    return Changes(before, work.now), standings


def _followed(work: Work, need: Need, standing: Standing, cause: Heard[Any]) -> Need:
    """The need as it follows from what was said, before anybody else is asked; tells what has changed."""
    r = need.referral
    if r.is_terminal:
        if not (r.state in ENDED_BY_THE_PERSON and standing.is_allowed_anew and standing.classes):
            return need
        reopened = needs.reopen(need, reason="PERSON_AGREES", version=None, now=work.now)
        work.emit(telling.reopened(reopened, "PERSON_AGREES"), cause=cause)
        return reopened
    no = consents.latest_no(standing.said, r.need, r.age_band)
    if not standing.classes and no is not None:
        ended = _ended(work, need, no)
        work.emit(telling.closed(ended), cause=cause)
        return ended
    if r.state == "awaiting_consent" and standing.classes:
        obtained = needs.obtain_consent(need, now=work.now)
        work.emit(telling.consent_obtained(obtained), cause=cause)
        return obtained
    live = frozenset(a.agency_id for a in need.attempts if a.is_live)
    stopped = needs.stop(need, consents.outside(live, standing.classes), now=work.now)
    _tell_stopped(work, need, stopped)
    return stopped


def _ended(work: Work, need: Need, no: Said) -> Need:
    """The need rests on consent alone, and that was refused, was taken back or has ended."""
    if no.kind == "refused" and no.statement is not None:
        refused = needs.refuse(need, statement=no.statement, by=no.by, now=work.now)
        choosing.tell_ends(work, need, refused)
        return refused
    withdrawn = needs.withdraw(need, by=no.by, now=work.now)
    _tell_stopped(work, need, withdrawn)
    return withdrawn


def _tell_stopped(work: Work, before: Need, after: Need) -> None:
    for attempt in before.attempts:
        now = after.attempt(attempt.assignment_id)
        if attempt.is_live and not now.is_live:
            work.emit(telling.stopped(after, now))


def _allows(h: HeardOf, need: str) -> bool:
    """True where this lets somebody be asked for the need who may not have been before."""
    fact = h.fact
    about = not fact.needs or need in fact.needs
    return about and (isinstance(fact, LawfulBasisNamed) or (isinstance(fact, ConsentRecorded) and fact.given))


def _said(h: HeardOf) -> Said:
    fact = h.fact
    assert h.told is not None
    said = Said(
        case_id=h.case_id,
        seq=h.case_seq,
        kind="given",
        said_id="",
        recipient_class=fact.recipient_class,
        needs=fact.needs,
        said_at=h.occurred_at,
        by=h.told.actor,
    )
    match fact:
        case ConsentRecorded(given=True):
            return replace(said, said_id=fact.consent_id, expires_at=fact.expires_at, spoken_by=fact.given_by)
        case ConsentRecorded():
            no = replace(said, kind="refused", said_id=fact.consent_id, statement=fact.statement)
            return replace(no, spoken_by=fact.given_by)
        case ConsentWithdrawn():
            return replace(said, kind="withdrawn", said_id=fact.withdrawal_id, spoken_by=fact.withdrawn_by)
        case ConsentExpired():
            return replace(said, kind="expired", said_id=fact.expiry_id)
        case LawfulBasisNamed():
            return replace(said, kind="basis", said_id=fact.basis_id, basis=fact.basis)
    return replace(said, kind="basis_ended", said_id=fact.basis_id)


def _recipients(h: HeardOf) -> list[Recipient]:
    """Each agency that had been shown the person and may use that no longer, once."""
    fact = h.fact
    if isinstance(fact, ConsentWithdrawn):
        cause, by = fact.withdrawal_id, fact.confirm_by
    elif isinstance(fact, ConsentExpired):
        cause, by = fact.expiry_id, fact.confirm_by
    elif isinstance(fact, ConsentRecorded) and fact.recipients:
        cause, by = fact.consent_id, fact.confirm_by or h.occurred_at + WITHIN
    else:
        return []
    return [
        Recipient(new_id(), "withdrawal", h.case_id, name, by, cause=cause) for name in sorted(set(fact.recipients))
    ]
