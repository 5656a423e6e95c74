"""Who answers for a child: named when it lands, and passed on to who protects it or takes it over, on the trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.referral.actions import telling
from services.referral.domain import responsibilities
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN
from services.referral.domain.responsibilities import Reason, Responsibility
from services.referral.store import responsibilities as store
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.kit.heard import Heard
from shared.kit.work import Work


async def begin(work: Work, arrivals: Sequence[Heard[ArrivalRecorded]]) -> None:
    """Name who answers for each child among these, before anything is asked for it; nothing where there is none."""
    first = {
        arrival.fact.case_id: responsibilities.at_arrival(
            arrival.fact.case_id,
            actor=arrival.told.actor,
            organisation=arrival.told.organisation,
            role=arrival.told.role,
            province=arrival.fact.port_regency[:2],
            now=work.now,
        )
        for arrival in arrivals
        if arrival.fact.age_band in CHILDREN and arrival.told is not None
    }
    if first:
        await store.add_responsibilities(work, list(first.values()))


async def begin_by_correction(work: Work, heard: Heard[Any], need: Need | None) -> None:
    """Who found that somebody is a child, or may be one, answers for it from now on; `need`: one of the child's."""
    told = heard.told
    assert told is not None
    steps = (await store.find_responsibilities(work, [heard.case_id])).get(heard.case_id, [])
    officer, organisation = told.actor, told.organisation
    step: Responsibility | None
    if steps:
        step = responsibilities.passed(
            steps, officer=officer, organisation=organisation, reason="correction", now=work.now
        )
    else:
        step = responsibilities.begun_by(heard.case_id, actor=officer, organisation=organisation, now=work.now)
    if step is None:
        return
    await store.add_responsibilities(work, [step])
    if need is not None:
        work.record(telling.responsibility_passed(need, step), cause=heard)


async def find_responsible(work: Work, need: Need) -> Responsibility | None:
    """Who answers for this child, for its case team; None for whoever is of age."""
    if not need.referral.child:
        return None
    return (await store.find_responsibilities(work, [need.referral.case_id]))[need.referral.case_id][-1]


async def pass_on(work: Work, needs: Sequence[Need], reason: Reason) -> None:
    """The actor, a person, answers for these children from now on; the cases are locked."""
    cases = {need.referral.case_id: need for need in needs}
    if not cases or work.actor.kind != "person":
        return
    steps = await store.find_responsibilities(work, sorted(cases))
    added: list[Responsibility] = []
    for case_id, need in cases.items():
        step = responsibilities.passed(
            steps[case_id],
            officer=work.actor.id,
            organisation=work.actor.organisation,
            reason=reason,
            now=work.now,
        )
        if step is not None:
            added.append(step)
            work.record(telling.responsibility_passed(need, step))
    if added:
        await store.add_responsibilities(work, added)


async def name(work: Work, needs: Sequence[Need]) -> None:
    """The actor, a person, has taken these needs: of the children among them for which nobody answers by name yet.

    So it is of a child that a system has recorded, and of which help has not begun.
    """
    steps = await store.find_responsibilities(work, sorted({n.referral.case_id for n in needs if n.referral.child}))
    unnamed = {case_id for case_id, found in steps.items() if not found[-1].is_named}
    await pass_on(work, [need for need in needs if need.referral.case_id in unnamed], "takeover")


async def give_back(work: Work, undone: Sequence[tuple[Need, datetime]]) -> None:
    """Acceptances of these moments were undone: who answered for these children before does again."""
    cases = {need.referral.case_id: (need, at) for need, at in undone if responsibilities.passes_with(need)}
    if not cases:
        return
    steps = await store.find_responsibilities(work, sorted(cases))
    added: list[Responsibility] = []
    for case_id, (need, accepted_at) in cases.items():
        step = responsibilities.given_back(steps[case_id], accepted_at=accepted_at, now=work.now)
        if step is not None:
            added.append(step)
            work.record(telling.responsibility_given_back(need, step))
    if added:
        await store.add_responsibilities(work, added)
