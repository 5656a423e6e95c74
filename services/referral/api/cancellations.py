"""Help of your agency that the sender has ended, and that your agency knows it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.referral import policy
from services.referral.actions import cancelling
from services.referral.api.items import Items, answer_of, note_denied
from services.referral.domain.refusals import Refused
from services.referral.store import cancellations
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of, language_of

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500


class Known(BaseModel):
    """One cancellation that your agency knows of."""

    model_config = ConfigDict(extra="forbid")

    assignment_id: Id


class KnownResult(BaseModel):
    """What became of one item. `ok` false: `code`, `title` say why."""

    assignment_id: Id
    ok: bool
    status: int
    confirmed_at: datetime | None = None
    code: str | None = None
    title: str | None = None


class KnownResults(BaseModel):
    items: list[KnownResult]


class ShownCancellation(BaseModel):
    assignment_id: Id
    case_id: Id
    cancelled_at: datetime
    confirm_by: datetime


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
        now = work.now
    names = ("assignment_id", "case_id", "cancelled_at", "confirm_by")
    return json_response({"items": [{n: getattr(one, n) for n in names} for one in found], "now": now.isoformat()})


@router.post("/cancellations/confirmations", response_model=KnownResults, openapi_extra=KEYED)
async def post_known(request: Request, actor: Worker, posted: Items[Known]) -> Response:
    """Say that your agency knows, and that nobody is on the way any more."""
    key, language = await key_of(request), language_of(request)
    ids = [item.assignment_id for item in posted.items]
    async with request.app.state.database.work(actor, purpose="serve") as work:

        async def respond() -> Response:
            results = await cancelling.confirm_cancellations(work, ids)
            note_denied(request, work, results)
            said = []
            for id_, result in zip(ids, results, strict=True):
                if isinstance(result, Refused):
                    status, code, title = answer_of(result)
                    text = words.translate(language, title)
                    said.append(KnownResult(assignment_id=id_, ok=False, status=status, code=code, title=text))
                else:
                    at = result.confirmed_at
                    said.append(KnownResult(assignment_id=id_, ok=True, status=200, confirmed_at=at))
            return json_response(KnownResults(items=said))

        return await idempotent(request, work, key, respond)
