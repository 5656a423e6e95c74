"""What a supervisor has to act on: needs that nobody answers for, services overdue, gaps."""

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy, rules
from services.referral.actions import supervising
from services.referral.domain.agencies import Directory
from services.referral.pages import labels
from services.referral.store import desk, needs
from services.referral.store.desk import Task
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import deny, require
from shared.kit.web import idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg

router = page_router()

Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]

MOST_TASKS = 200


@router.get("/eskalasi")
async def tasks_page(request: Request, actor: Supervisor) -> Response:
    """The open escalations and gaps of the supervisor's region, oldest first."""
    region = await _region(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await desk.list_tasks(work, limit=MOST_TASKS)
        bodies = await needs.find_explanations(work, [t.explanation for t in found if t.explanation is not None])
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    return page(
        request,
        "tasks.html",
        region=labels.region(region),
        tasks=[_task(language, task, bodies, directory) for task in found],
        now=now,
        zone=policy.zone(actor),
    )


@router.post("/eskalasi/{referral_id}/minta")
async def ask_again(request: Request, actor: Supervisor, referral_id: Id) -> Response:
    """Ask an agency again, the one chosen or the first in rank."""
    await _region(request, actor)
    form, key = await request.form(), await key_of(request)
    chosen = form.get("agency")
    async with request.app.state.database.work(actor, purpose="supervise") as work:

        async def once() -> Response:
            await supervising.ask_again(
                work,
                referral_id,
                agency_id=chosen if isinstance(chosen, str) and chosen else None,
                routing=request.app.state.routing,
            )
            return redirect(request, "/eskalasi", said=msg("The agency has been asked."))

        return await idempotent(request, work, key, once)


async def _region(request: Request, actor: Actor) -> str:
    region = policy.overseen_by(actor)
    if region is None:
        await deny(request, actor, "not_yours", msg("No region is assigned to you."))
    return region


def _task(language: Language, task: Task, bodies: dict[bytes, bytes], directory: Directory) -> dict[str, Any]:
    decision = rules.read(bodies[task.explanation]) if task.explanation in bodies else None
    return {
        "referral_id": task.referral_id,
        "reference": labels.reference(task.case_id),
        "kind": labels.TASKS[task.kind],
        "need": labels.need(language, task.need) if task.need else None,
        "region": labels.region(task.regency),
        "port": labels.port(task.port),
        "opened_at": task.opened_at,
        "attempts": task.attempts,
        "last": labels.agency(directory, task.last_agency) if task.last_agency else None,
        "may_ask": task.state == "open" and not task.is_live,
        "choices": [
            (c.agency_id, labels.agency(directory, c.agency_id))
            for c in (decision.candidates if decision else ())
            if c.agency_id in directory.available
        ],
    }
