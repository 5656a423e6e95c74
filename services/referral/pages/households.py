"""Families apart, before the supervisor of the region, or the coordinator once nobody has settled it."""

from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import households
from services.referral.actions.households import Deciding
from services.referral.domain.refusals import Refused
from services.referral.pages import forms, labels
from services.referral.pages.supervision import duty_of
from shared.contracts.fact import Id
from shared.contracts.referral import ReunificationDecision
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


async def _show(request: Request, actor: Actor, undecided: str = "") -> Response:
    region = await duty_of(request, actor)
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        tasks = await households.list_tasks(work, limit=MOST)
        now = work.now
    problem = FieldProblem(f"decision-{undecided}", translate(language, msg("Choose what you decide.")))
    return page(
        request,
        "families.html",
        status=422 if undecided else 200,
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
            }
            for task in tasks
        ],
        decisions=[(code, translate(language, text)) for code, text in labels.FAMILY_DECISIONS.items()],
        now=now,
        zone=policy.zone(actor),
    )
