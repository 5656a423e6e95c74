"""Open tasks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify import policy, store
from services.notify.actions import subscriptions
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of

router = APIRouter(prefix="/api", tags=["notify"])

Reader = Annotated[Actor, Depends(require(*policy.READERS))]


@router.get("/tasks")
async def get_tasks(
    request: Request, actor: Reader, after: Id | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """Open tasks, oldest first: notices whose attempts ended, subscribers that are gone."""
    scope = policy.scope(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        tasks = await store.tasks.list_tasks(work, scope=scope, after=after, limit=limit)
        total = await store.tasks.count_tasks(work, scope=scope)
    return json_response({"open": total, "tasks": tasks})


@router.delete("/tasks/{task_id}", openapi_extra=KEYED)
async def delete_task(request: Request, actor: Reader, task_id: Id) -> Response:
    """Close a task without sending anything again."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="dismiss") as work:

        async def dismiss() -> Response:
            await subscriptions.dismiss_task(work, task_id)
            return json_response({"task_id": task_id, "status": "dismissed"})

        return await idempotent(request, work, key, dismiss)
