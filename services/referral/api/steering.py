"""What a supervisor does about requests that went wrong and needs that wait; and agencies that are passed over."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referral import policy
from services.referral.actions import pausing, steering
from services.referral.actions.steering import Error, Hold, Recall, Resumption
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.api.supervision import Item, NeedResults, Supervisor, post
from services.referral.domain.pauses import Pause
from services.referral.store import pauses
from shared.contracts.fact import AwareDatetime, Code, Id
from shared.contracts.referral.assignments import RecallReason
from shared.contracts.referral.households import SaidOfSplit
from shared.contracts.referral.referrals import HoldReason
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500


class Recalled(Item):
    """`agency_id`: whom to ask instead; without it the next candidate."""

    reason: RecallReason = Field(examples=["WRONG_AGENCY"])
    agency_id: Code | None = Field(default=None, examples=["DINSOS-73"])
    split: SaidOfSplit | None = None
    """Why the household is parted by it, where it is."""

    def asked(self) -> Recall:
        return Recall(**self.model_dump())


class Mistake(Item):
    """`attempt`: the number of the attempt that should never have been made."""

    attempt: int = Field(ge=1, le=10_000, strict=True, examples=[1])

    def asked(self) -> Error:
        return Error(**self.model_dump())


class Held(Item):
    """`until`: when it goes on by itself, at most 90 days from now. `personally`: you answer for it by name."""

    reason: HoldReason = Field(examples=["IN_HOSPITAL"])
    until: AwareDatetime = Field(examples=["2026-12-01T08:00:00+08:00"])
    personally: bool = Field(default=False, strict=True)

    def asked(self) -> Hold:
        return Hold(**self.model_dump())


class Resumed(Item):
    """`agency_id`: whom to ask; without it the first candidate."""

    agency_id: Code | None = Field(default=None, examples=["DINSOS-73"])

    def asked(self) -> Resumption:
        return Resumption(**self.model_dump())


class Lifting(BaseModel):
    """One pause to end."""

    model_config = ConfigDict(extra="forbid")

    pause_id: Id


class LiftingResult(Verdict):
    pause_id: Id


class LiftingResults(BaseModel):
    items: list[LiftingResult]


class ShownPause(BaseModel):
    """An agency that is passed over. `need` is the agency's alone to know where it came of a restricted one."""

    pause_id: Id
    agency_id: Code
    need: str | None
    reason: str
    since: datetime
    until: datetime


class ShownPauses(BaseModel):
    own: list[ShownPause]
    region: list[ShownPause]


@router.post("/referrals/recalls", response_model=NeedResults, openapi_extra=KEYED)
async def post_recalls(request: Request, actor: Supervisor, posted: Items[Recalled]) -> Response:
    """Take requests back that are not accepted yet; somebody else is asked at once."""
    act = partial(steering.recall_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, act)


@router.post("/referrals/errors", response_model=NeedResults, openapi_extra=KEYED)
async def post_errors(request: Request, actor: Supervisor, posted: Items[Mistake]) -> Response:
    """Attempts that should never have been made, also such as were accepted; the next candidate is asked."""
    act = partial(steering.note_errors, routing=request.app.state.routing)
    return await post(request, actor, posted, act)


@router.post("/referrals/holds", response_model=NeedResults, openapi_extra=KEYED)
async def post_holds(request: Request, actor: Supervisor, posted: Items[Held]) -> Response:
    """Let needs wait until a day; nobody is asked meanwhile."""
    return await post(request, actor, posted, steering.hold_needs)


@router.post("/referrals/resumptions", response_model=NeedResults, openapi_extra=KEYED)
async def post_resumptions(request: Request, actor: Supervisor, posted: Items[Resumed]) -> Response:
    """Let needs go on before their day; an agency is asked at once."""
    act = partial(steering.resume_needs, routing=request.app.state.routing)
    return await post(request, actor, posted, act)


@router.get("/pauses", response_model=ShownPauses)
async def get_pauses(request: Request, actor: Worker) -> Response:
    """For which needs your agency is passed over, until when and why; for a supervisor those of the region too."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        own = await pauses.list_own(work)
        region = await pauses.list_overseen(work, MOST_ROWS) if policy.overseen_by(actor) else []
    return json_response({"own": [_shown(actor, p) for p in own], "region": [_shown(actor, p) for p in region]})


@router.post("/pauses/liftings", response_model=LiftingResults, openapi_extra=KEYED)
async def post_liftings(request: Request, actor: Supervisor, posted: Items[Lifting]) -> Response:
    """Let agencies of your region be asked again before their pause ends."""
    ids = [item.pause_id for item in posted.items]

    def say(language: Language, n: int, result: object) -> LiftingResult:
        return verdict(language, LiftingResult, result, pause_id=ids[n])

    return await answer_each(request, actor, "supervise", partial(pausing.lift_pauses, pause_ids=ids), say)


def _shown(actor: Actor, pause: Pause) -> dict[str, Any]:
    names = ("pause_id", "agency_id", "reason", "since", "until")
    shown = {name: value for name, value in asdict(pause).items() if name in names}
    return shown | {"need": pause.need if policy.may_know_need(actor, pause) else None}
