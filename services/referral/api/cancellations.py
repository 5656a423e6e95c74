"""Help of your agency that the sender has ended, and that your agency knows it."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.referral import policy
from services.referral.actions import cancelling
from services.referral.actions.cancelling import Result
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain.refusals import Refused
from services.referral.store import cancellations
from shared.contracts.fact import Code, Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500


class Known(BaseModel):
    """One cancellation that your agency knows of."""

    model_config = ConfigDict(extra="forbid")

    assignment_id: Id


class KnownResult(Verdict):
    assignment_id: Id
    confirmed_at: datetime | None = None


class KnownResults(BaseModel):
    items: list[KnownResult]


class ShownCancellation(BaseModel):
    assignment_id: Id
    case_id: Id
    cancelled_at: datetime
    confirm_by: datetime
    reason: Code | None = None
    """Why the need ended, like `DECEASED` or `ENTERED_IN_ERROR`; null while it goes on with others."""


class ShownCancellations(BaseModel):
    items: list[ShownCancellation]
    now: datetime


@router.get("/cancellations", response_model=ShownCancellations)
async def get_cancellations(
    request: Request, actor: Worker, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100
) -> Response:
    """What your agency helped with and was cancelled, and has still to be confirmed, the soonest first."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await cancellations.list_open(work, limit)
        why = await cancellations.list_reasons(work, [one.assignment_id for one in found])
        now = work.now
    names = ("assignment_id", "case_id", "cancelled_at", "confirm_by")
    items = [{**{n: getattr(one, n) for n in names}, "reason": why.get(one.assignment_id)} for one in found]
    return json_response({"items": items, "now": now.isoformat()})


@router.post("/cancellations/confirmations", response_model=KnownResults, openapi_extra=KEYED)
async def post_known(request: Request, actor: Worker, posted: Items[Known]) -> Response:
    """Say that your agency knows, and that nobody is on the way any more."""
    ids = [item.assignment_id for item in posted.items]

    def say(language: Language, n: int, result: Result) -> KnownResult:
        said = {"assignment_id": ids[n], "confirmed_at": None if isinstance(result, Refused) else result.confirmed_at}
        return verdict(language, KnownResult, result, **said)

    act = partial(cancelling.confirm_cancellations, assignment_ids=ids)
    return await answer_each(request, actor, "serve", act, say)
