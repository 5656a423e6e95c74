"""Tasks: what notices and subscribers need a person for."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.notify import policy, store
from services.notify.actions import subscriptions
from services.notify.pages import labels
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import idempotent, key_of, page, page_router, redirect
from shared.kit.words import msg

router = page_router()

Reader = Annotated[Actor, Depends(require(*policy.READERS))]


@router.get("/tugas")
async def tasks_page(request: Request, actor: Reader, after: Id | None = None) -> Response:
    """What notices and subscribers need a person for, oldest first."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        tasks = await store.tasks.list_tasks(work, scope=scope, after=after, limit=labels.PAGE_ROWS + 1)
        total = await store.tasks.count_tasks(work, scope=scope)
    shown = tasks[: labels.PAGE_ROWS]
    return page(
        request,
        "tasks.html",
        tasks=shown,
        total=total,
        later=labels.link("/tugas", after=shown[-1].task_id) if tasks[labels.PAGE_ROWS :] else "",
        all_organisations=scope is None,
        event_labels=labels.EVENTS,
        trouble_labels=labels.TROUBLES,
        zone=policy.zone(actor),
    )


@router.post("/tugas/{task_id}/tutup")
async def post_dismiss(request: Request, actor: Reader, task_id: Id) -> Response:
    """Close a task without sending anything again."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="dismiss") as work:

        async def dismiss() -> Response:
            await subscriptions.dismiss_task(work, task_id)
            return redirect(request, "/tugas", said=msg("The task was closed."))

        return await idempotent(request, work, key, dismiss)
