"""Help that the sender ended: the agency confirms that it knows; if not in time, its supervisor does, after a check."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import cancelling
from services.referral.domain.refusals import Refused
from services.referral.pages import forms
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import page_router
from shared.kit.words import msg
from shared.kit.work import Work

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]


@router.post("/pembatalan/{assignment_id}/konfirmasi")
async def confirm(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The own agency knows, and nobody is on the way any more."""

    async def act(work: Work) -> None:
        [result] = await cancelling.confirm_cancellations(work, [assignment_id])
        if isinstance(result, Refused):
            raise result

    said = msg("Confirmed: your agency knows that its part has ended.")
    return await forms.once(request, actor, act, purpose="serve", path="/", said=said)


@router.post("/pembatalan/{assignment_id}/wakili")
async def confirm_for_agency(request: Request, actor: Supervisor, assignment_id: Id) -> Response:
    """The agency knows: its supervisor has made sure, and says so by name."""

    async def act(work: Work) -> None:
        await cancelling.confirm_for_agency(work, assignment_id)

    said = msg("Confirmed for the agency, in your name.")
    return await forms.once(request, actor, act, purpose="serve", path="/pengawasan", said=said)
