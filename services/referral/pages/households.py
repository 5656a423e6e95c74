"""Families apart, before the supervisor of the region, or the coordinator once nobody has settled it."""

from typing import Annotated, Literal, cast

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import households, joining
from services.referral.actions.households import Deciding
from services.referral.actions.joining import Joining, Plan
from services.referral.domain.agencies import Directory
from services.referral.domain.refusals import Refused, ReunificationUnknown
from services.referral.pages import conflicts, forms, labels
from services.referral.pages.supervision import duty_of
from shared.contracts.fact import Id
from shared.contracts.referral.households import ReunificationDecision
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, translate

router = page_router()

Duty = Annotated[Actor, Depends(require(*policy.DUTY))]

MOST = 200


@router.get("/keluarga-terpisah")
async def apart_page(request: Request, actor: Duty) -> Response:
    """Who is to be brought together, the soonest due first."""
    return await _show(request, actor)


@router.post("/keluarga-terpisah/{task_id}")
async def decide(request: Request, actor: Duty, task_id: Id) -> Response:
    """Say why they stay apart, or that they are together by other means."""
    await duty_of(request, actor)
    form, key = await request.form(), await key_of(request)
    decision = forms.text(form, "decision")
    if decision not in labels.FAMILY_DECISIONS:
        return await _show(request, actor, task_id)
    async with request.app.state.database.work(actor, purpose="supervise") as work:

        async def once() -> Response:
            [result] = await households.decide(work, [Deciding(task_id, cast(ReunificationDecision, decision))])
            if isinstance(result, Refused):
                raise result
            return redirect(request, "/keluarga-terpisah", said=msg("Decided. It stands until one of them moves on."))

        return await idempotent(request, work, key, once)


@router.post("/keluarga-terpisah/{task_id}/satukan")
async def join(request: Request, actor: Duty, task_id: Id) -> Response:
    """Ask where the others are helped, instead of who is asked now."""
    await duty_of(request, actor)
    form, key = await request.form(), await key_of(request)
    try:
        async with request.app.state.database.work(actor, purpose="supervise") as work:

            async def once() -> Response:
                wanted = Joining(task_id, forms.version(request, form))
                [result] = await joining.bring_together(work, [wanted], routing=request.app.state.routing)
                if isinstance(result, Refused):
                    raise result
                said = msg("Asked where the others are helped. It is closed once they are together.")
                return redirect(request, "/keluarga-terpisah", said=said)

            return await idempotent(request, work, key, once)
    except ReunificationUnknown:
        raise
    except Refused as refused:
        return await _show(
            request, actor, conflict=conflicts.sentence(language_of(request), refused, policy.zone(actor))
        )


async def _show(request: Request, actor: Actor, undecided: str = "", conflict: str = "") -> Response:
    region = await duty_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        tasks = await households.list_tasks(work, limit=MOST)
        plans = await joining.plan(work, tasks, routing=request.app.state.routing)
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    problem = FieldProblem(f"decision-{undecided}", translate(language, msg("Choose what you decide.")))
    return page(
        request,
        "families.html",
        status=422 if undecided else 409 if conflict else 200,
        conflict=conflict,
        errors=[problem] if undecided else [],
        region=labels.region(region) if region else None,
        tasks=[
            {
                "task_id": task.task_id,
                "reference": labels.reference(task.case_id),
                "household": labels.reference(task.household_id),
                "region": labels.region(task.regency),
                "reason": labels.APART[task.reason],
                "opened_at": task.opened_at,
                "rung": labels.RUNGS[task.rung],
                "due_at": task.due_at,
                "is_reminded": task.reminded_at is not None,
                "plan": plans.get(task.task_id),
                "asked": _office(directory, plans.get(task.task_id), "agency_id"),
                "would_be": _office(directory, plans.get(task.task_id), "to"),
            }
            for task in tasks
        ],
        decisions=[(code, translate(language, text)) for code, text in labels.FAMILY_DECISIONS.items()],
        now=now,
        zone=policy.zone(actor),
    )


def _office(directory: Directory, plan: Plan | None, which: Literal["agency_id", "to"]) -> str | None:
    agency_id = None if plan is None else getattr(plan, which)
    return None if agency_id is None else labels.agency(directory, agency_id)
