"""What others have left undone, before those who look after it: supervisors of the region, the protection officer."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import overseeing
from services.referral.domain.figures import FEWEST_RESTRICTED
from services.referral.pages import glass, labels
from services.referral.pages import recipients as copies
from services.referral.store import cancellations, glasses, recipients
from shared.kit.actor import Actor
from shared.kit.identity import deny, require
from shared.kit.web import language_of, page, page_router
from shared.kit.words import msg, translate

router = page_router()

Overseer = Annotated[Actor, Depends(require(*policy.OVERSIGHT))]

MOST_ROWS = 100


@router.get("/pengawasan")
async def oversight_page(request: Request, actor: Overseer) -> Response:
    """Emergency openings to be judged, and copies that agencies have to see to; before a coordinator their numbers."""
    if policy.answers_for_the_country(actor):
        return await _numbers(request, actor)
    everywhere = policy.oversees_everywhere(actor)
    if not everywhere and policy.overseen_by(actor) is None:
        await deny(request, actor, "not_yours", msg("No region is assigned to you."))
    async with request.app.state.database.work(actor, purpose="look") as work:
        opened = await glasses.list_reviewable(work, MOST_ROWS, everywhere=everywhere)
        not_judged = await glasses.count_overdue(work)
        cancelled = [] if everywhere else await cancellations.list_overdue(work, MOST_ROWS)
        outstanding = await recipients.list_outstanding(work, MOST_ROWS, everywhere=everywhere)
        overdue = [task for task in outstanding if task.confirm_by <= work.now]
        waiting = outstanding[len(overdue) :]
        counts = await overseeing.count_outstanding(work)
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    return page(
        request,
        "oversight.html",
        region="" if everywhere else labels.region(actor.region or ""),
        glasses=[glass.shown(language_of(request), one) for one in opened],
        not_judged=not_judged,
        decisions=[(code, translate(language_of(request), text)) for code, text in labels.DECISIONS.items()],
        copies=copies.shown(
            language_of(request),
            overdue,
            {task.agency_id: labels.agency(directory, task.agency_id) for task in overdue},
        ),
        sees_copies=True,
        fewest=None,
        counts=[(copies.WORDS[one.kind].heading, one) for one in counts],
        waiting=copies.shown(
            language_of(request),
            waiting,
            {task.agency_id: labels.agency(directory, task.agency_id) for task in waiting},
        ),
        cancelled=[
            (one.assignment_id, labels.reference(one.case_id), labels.agency(directory, one.agency_id), one.confirm_by)
            for one in cancelled
        ],
        now=now,
        zone=policy.zone(actor),
    )


async def _numbers(request: Request, actor: Actor) -> Response:
    async with request.app.state.database.work(actor, purpose="look") as work:
        counts = await overseeing.count_outstanding(work)
        now = work.now
    return page(
        request,
        "oversight.html",
        region="",
        sees_copies=False,
        fewest=FEWEST_RESTRICTED,
        counts=[(copies.WORDS[one.kind].heading, one) for one in counts],
        now=now,
        zone=policy.zone(actor),
    )
