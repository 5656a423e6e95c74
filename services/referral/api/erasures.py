"""What an agency has to erase because the person's identity was erased, and that it has done so."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.referral import policy
from services.referral.actions import erasing
from services.referral.actions.erasing import Result
from services.referral.api.items import Items, answer_of, note_denied
from services.referral.domain.refusals import Refused
from services.referral.store import erasures
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of, language_of
from shared.kit.words import Language

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500


class Confirmation(BaseModel):
    """One copy that was erased."""

    model_config = ConfigDict(extra="forbid")

    task_id: Id


class ConfirmationResult(BaseModel):
    """What became of one item. `ok` false: `code`, `title` say why."""

    task_id: Id
    ok: bool
    status: int
    confirmed_at: datetime | None = None
    code: str | None = None
    title: str | None = None


class ConfirmationResults(BaseModel):
    items: list[ConfirmationResult]


@router.get("/erasures")
async def get_erasures(
    request: Request, actor: Worker, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100
) -> Response:
    """The cases whose identity your agency has still to erase from its own files, the soonest limit first."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await erasures.list_open(work, limit)
        now = work.now
    shown = [
        {
            name: value
            for name, value in asdict(task).items()
            if name in ("task_id", "case_id", "asked_at", "confirm_by")
        }
        for task in found
    ]
    return json_response({"items": shown, "now": now.isoformat()})


@router.post("/erasures/confirmations", response_model=ConfirmationResults, openapi_extra=KEYED)
async def post_confirmations(request: Request, actor: Worker, posted: Items[Confirmation]) -> Response:
    """Say that the own copies are erased: names, papers, contacts, in files, on paper and with whoever got them."""
    key = await key_of(request)
    task_ids = [item.task_id for item in posted.items]
    async with request.app.state.database.work(actor, purpose="erase") as work:

        async def respond() -> Response:
            results = await erasing.confirm_erasures(work, task_ids)
            note_denied(request, work, results)
            language = language_of(request)
            said = [_result(language, id_, result) for id_, result in zip(task_ids, results, strict=True)]
            return json_response(ConfirmationResults(items=said))

        return await idempotent(request, work, key, respond)


def _result(language: Language, task_id: str, result: Result) -> ConfirmationResult:
    if isinstance(result, Refused):
        status, code, title = answer_of(result)
        return ConfirmationResult(
            task_id=task_id, ok=False, status=status, code=code, title=words.translate(language, title)
        )
    return ConfirmationResult(task_id=task_id, ok=True, status=200, confirmed_at=result.confirmed_at)
