"""Every cell of the matrix that is about a thing, asked of the pure functions: `policy` and the state machines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from services.audit import policy as audit
from services.intake import policy as intake
from services.intake.domain import disclosures
from services.notify import policy as notify
from services.referral import policy as referral
from services.referral.domain import assignments, glass
from services.referral.domain.pauses import Pause
from services.referral.domain.refusals import DisclosureEnded, GlassExpired, IdentityWithheld
from shared.kit.actor import Actor
from tests.access import matrix, worlds
from tests.access.matrix import Action, Cell
from tests.access.worlds import AGES, NOW, OTHER, OWN

ABOUT = [action for action in matrix.actions() if action.thing]


@dataclass(frozen=True)
class Thing:
    """What a cell says of a thing, as codes."""

    cell: Cell

    def place(self, what: str, dimension: str) -> str:
        return (OWN if self.cell[dimension] == "own" else OTHER)[what]

    @property
    def agency(self) -> str:
        return self.place("agency", "organisation")

    @property
    def regency(self) -> str:
        return self.place("region", "region")

    @property
    def port(self) -> str:
        return self.place("port", "region")

    @property
    def ngo(self) -> str:
        """That of `worlds.somebody`, who is in all places of the own side, or another."""
        return OWN["agency"] if self.cell["organisation"] == "own" else OTHER["ngo"]

    @property
    def state(self) -> str:
        return self.cell["state"]


Decide = Callable[[Actor, Thing], bool]
ATTEMPT = {"asked": "sent", "helping": "accepted", "helped": "completed", "long_ago": "completed"}


def answers(event: assignments.Event | None = None) -> Decide:
    """Acting for the agency that was asked, when this event is possible."""

    def decide(actor: Actor, thing: Thing) -> bool:
        state: Any = ATTEMPT.get(thing.state, thing.state)
        return referral.answers_for(actor, thing.agency) and (event is None or (state, event) in assignments.MOVES)

    return decide


def records_refusal(actor: Actor, thing: Thing) -> bool:
    is_childs = thing.cell["visibility"] == "restricted"
    return not is_childs and (answers("declined")(actor, thing) or answers("service_started")(actor, thing))


def takes_over(actor: Actor, thing: Thing) -> bool:
    is_childs = thing.cell["visibility"] == "restricted"
    return is_childs and actor.has(*referral.PEOPLE_AT_WORK) and answers("service_started")(actor, thing)


def reads_identity(actor: Actor, thing: Thing) -> bool:
    ended = {"helped": NOW, "long_ago": NOW - timedelta(days=31)}.get(thing.state)
    state: Any = ATTEMPT.get(thing.state, thing.state)
    attempt = assignments.Assignment("", "", 1, thing.agency, state, 1, NOW, NOW, 24, ended_at=ended)
    try:
        assignments.expect_disclosable(attempt, now=NOW)
    except (IdentityWithheld, DisclosureEnded):
        return False
    return referral.answers_for(actor, thing.agency)


def oversees(actor: Actor, thing: Thing) -> bool:
    return referral.oversees(actor, thing.regency)


def sees_why(actor: Actor, thing: Thing) -> bool:
    return oversees(actor, thing) or referral.answers_for_the_country(actor)


def sees_statements(actor: Actor, thing: Thing) -> bool:
    return sees_why(actor, thing) and thing.cell["visibility"] == "normal"


def keeps(actor: Actor, _: Thing) -> bool:
    return actor.has(*referral.KEEPERS)


def lifts(actor: Actor, thing: Thing) -> bool:
    return referral.may_lift(actor, Pause("", "", "", False, thing.regency, "", NOW, NOW))


def looks_through(actor: Actor, thing: Thing) -> bool:
    try:
        glass.expect_open(a_glass(thing), now=NOW)
    except GlassExpired:
        return False
    return referral.may_break_glass(actor) and thing.cell["organisation"] == "own"


def judges(actor: Actor, thing: Thing) -> bool:
    return referral.may_judge(actor, a_glass(thing), now=NOW) and thing.cell["organisation"] == "other"


def a_glass(thing: Thing) -> glass.Glass:
    began = NOW - AGES[thing.state]
    return glass.Glass(
        *("", "", thing.regency, "help", "danger_to_life", "ND/1/2026", "somebody", began),
        expires_at=began + timedelta(hours=1),
        told=f"supervisor-{thing.regency[:2]}",
        review_by=began + glass.REVIEW_WITHIN,
    )


def has_disclosed(actor: Actor, thing: Thing) -> bool:
    ended = {"helped": NOW, "failed": NOW, "long_ago": NOW - timedelta(days=31)}.get(thing.state)
    grant = disclosures.Grant("a", "c", OWN["agency"], "WAGE", ended, thing.state in ("helped", "long_ago"))
    refused = disclosures.refusal(grant, case_id="c", agency_id=thing.agency, now=NOW)
    return intake.may_ask_disclosure(actor) and refused is None


def protects(actor: Actor, _: Thing) -> bool:
    return intake.may_protect(actor)


def corrects(actor: Actor, thing: Thing) -> bool:
    return intake.may_request_correction(actor, thing.port)


def links(actor: Actor, thing: Thing) -> bool:
    return intake.may_link_people(actor) and intake.works_at(actor, thing.port)


def lands(actor: Actor, thing: Thing) -> bool:
    return intake.works_at(actor, thing.port)


def at_the_quay(actor: Actor, thing: Thing) -> bool:
    return intake.may_correct_arrivals(actor) and intake.works_at(actor, thing.port)


def confirms_age(actor: Actor, thing: Thing) -> bool:
    port, region = intake.decides_ages_in(actor)
    is_there = port == thing.port if port else bool(region) and thing.regency.startswith(str(region))
    return intake.may_decide_ages(actor) and is_there


def matches(actor: Actor, thing: Thing) -> bool:
    return intake.may_decide_matches(actor) and intake.works_at(actor, thing.port)


def consents(actor: Actor, thing: Thing) -> bool:
    return intake.may_record_consent(actor, thing.port)


def subscribes(actor: Actor, thing: Thing) -> bool:
    return notify.may_subscribe(actor) and notify.scope(actor) in (None, thing.ngo)


def looks(actor: Actor, thing: Thing) -> bool:
    return notify.may_look(actor) and notify.scope(actor) in (None, thing.ngo)


IN_EACH_STATE: Mapping[str, Decide] = {
    "read a case": answers(),
    "read an identity": reads_identity,
    "say that it was opened": answers("opened"),
    "accept": answers("accepted"),
    "decline": answers("declined"),
    "begin to help": answers("service_started"),
    "complete": answers("service_started"),
    "give back": answers("outcome_failed"),
    "undo an acceptance": answers("acceptance_undone"),
    "put on the waiting list": answers("waitlisted"),
    "record minutes of a handover": answers("service_started"),
    "record a statement of refusal": records_refusal,
    "answer for a child": takes_over,
    "ask the port": answers("question_asked"),
    "hand on": answers("transferred"),
    "name the right agency": answers("declined"),
    "look through a broken glass": looks_through,
    "judge why a glass was broken": judges,
    "have an identity disclosed": has_disclosed,
}
"""Decided by policy and the domain's own functions together."""

IN_SOME_STATE: Mapping[str, Decide] = {
    "look at a need as its supervisor": oversees,
    "see why a need went where it went": sees_why,
    "look at the statements of refusal of a need as its supervisor": sees_statements,
    "record a statement of refusal that was signed before the supervisor": sees_statements,
    "ask an agency again": oversees,
    "take a need": oversees,
    "decide about a family that is apart": oversees,
    "close a need": oversees,
    "reopen a need": oversees,
    "take a request back": oversees,
    "note that asking was a mistake": oversees,
    "let a need wait": oversees,
    "let a need go on": oversees,
    "let an agency be asked again": lifts,
    "try a version of the rules on the past": keeps,
    "look at a version of the rules": lambda actor, _: actor.has(*referral.ANYBODY),
    "ask for rules to be put in force": keeps,
    "put rules in force": keeps,
    "keep a version of the rules": keeps,
    "give rules up": keeps,
    "answer a question": lambda actor, thing: actor.has(*referral.PORT_OFFICERS) and actor.port == thing.port,
    "confirm a cancellation": answers(),
    "confirm a cancellation for an agency": oversees,
    "confirm that the own copy is seen to": answers(),
    "confirm for an agency": lambda actor, thing: referral.may_confirm_for(actor, thing.regency),
    "look at a voyage": lands,
    "correct a voyage": lands,
    "keep head counts of a voyage, and say why they differ": lands,
    "withdraw a head count": lands,
    "settle a difference, or take it over": lands,
    "log somebody in a hurry": at_the_quay,
    "screen somebody": at_the_quay,
    "look at an uploaded list, mend it, send it": lands,
    "call as here everybody who is left": lands,
    "say that somebody who is recorded was not there": at_the_quay,
    "take back a list that is of another voyage": at_the_quay,
    "look at an arrival": lands,
    "look at the form of a correction": at_the_quay,
    "correct what routing rests on": at_the_quay,
    "be the second person by whom a child is of age": confirms_age,
    "be the second person by whom somebody lives": confirms_age,
    "say that somebody lives who was noted as dead": at_the_quay,
    "look at two people side by side who may be one": matches,
    "decide whether two cases are of one person": matches,
    "take back whether two cases are of one person": matches,
    "look at consent": consents,
    "record consent, a refusal or a lawful basis": consents,
    "take a consent back": consents,
    "open the form by which a consent is taken back": consents,
    "print a statement of refusal": consents,
    "end a lawful basis": consents,
    "look at the screenings of somebody": at_the_quay,
    "read what somebody answered": at_the_quay,
    "open the form by which somebody is completed": at_the_quay,
    "print a slip, and complete who somebody is": at_the_quay,
    "look at a household": lands,
    "say who belongs together and who answers for a child": links,
    "confirm or unlink an adult who answers for a child": links,
    "take in a list": lands,
    "log a person of a voyage": lands,
    "erase a person": protects,
    "look at the receipt of an erasure": protects,
    "hand a person what is kept": protects,
    "look at what is kept of a person, and at the forms": protects,
    "open the form of a correction": lambda actor, _: intake.may_request_correction(actor, OWN["port"]),
    "hold a person by law": protects,
    "lift a hold": protects,
    "ask for a correction": corrects,
    "look at a correction": protects,
    "decide a correction": protects,
    "look at a subscription": looks,
    "change a subscription": subscribes,
    "pause and resume": looks,
    "end a subscription": subscribes,
    "send a test notice": looks,
    "look at a delivery": looks,
    "send a notice again": looks,
    "close a task": looks,
    "read the trail of a case": lambda actor, _: audit.may_read_trails(actor),
}
"""Decided by policy; that the state allows it is the state machines' part."""


@pytest.mark.parametrize("action", ABOUT, ids=lambda action: action.name)
def test_each_cell_is_what_the_functions_decide(action: Action) -> None:
    decide = IN_EACH_STATE.get(action.name) or IN_SOME_STATE[action.name]
    allows = action.allows if action.name in IN_EACH_STATE else action.allows_in_some_state
    wrong = [
        cell
        for cell in action.cells()
        if cell["role"] != matrix.NOBODY and decide(worlds.somebody(cell["role"]), Thing(cell)) != allows(cell)
    ]
    assert wrong == []
