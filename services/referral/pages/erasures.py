"""Own copies to erase: an agency confirms that it has; if not in time, who oversees it does, after a check."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import erasing
from services.referral.domain.erasures import ErasureTask
from services.referral.domain.refusals import Refused
from services.referral.pages import forms, labels
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, Invalid, idempotent, key_of, language_of, page_router, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Overseer = Annotated[Actor, Depends(require(*policy.OVERSEERS))]


@router.post("/penghapusan/{task_id}/konfirmasi")
async def confirm(request: Request, actor: Worker, task_id: Id) -> Response:
    """The own copy is erased; who is signed in says so."""

    async def act(work: Work) -> None:
        [result] = await erasing.confirm_erasures(work, [task_id])
        if isinstance(result, Refused):
            raise result

    return await _confirm(request, actor, act, "/", msg("Confirmed: your agency has erased its copy."))


@router.post("/penghapusan/{task_id}/wakili")
async def confirm_for_agency(request: Request, actor: Overseer, task_id: Id) -> Response:
    """The agency's copy is erased: who oversees it has checked that, and says so by name."""

    async def act(work: Work) -> None:
        await erasing.confirm_for_agency(work, task_id)

    return await _confirm(request, actor, act, "/pengawasan", msg("Confirmed for the agency, in your name."))


async def _confirm(
    request: Request, actor: Actor, act: Callable[[Work], Awaitable[None]], path: str, said: str
) -> Response:
    form, key = await request.form(), await key_of(request)
    if forms.text(form, "erased") != "1":
        problem = msg("Tick that the copy is erased; only then it can be confirmed.")
        raise Invalid([FieldProblem("erased", translate(language_of(request), problem))])
    async with request.app.state.database.work(actor, purpose="erase") as work:

        async def once() -> Response:
            await act(work)
            return redirect(request, path, said=said)

        return await idempotent(request, work, key, once)


def shown(tasks: Sequence[ErasureTask], names: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """These tasks as pages show them; with `names` of the agencies where others than the agency look."""
    return [
        {
            "task_id": task.task_id,
            "reference": labels.reference(task.case_id),
            "agency": (names or {}).get(task.agency_id, task.agency_id),
            "asked_at": task.asked_at,
            "confirm_by": task.confirm_by,
        }
        for task in tasks
    ]
