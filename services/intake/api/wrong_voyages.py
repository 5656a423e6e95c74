"""A whole list is of another voyage: whom it recorded is entered in error in one call."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake.actions import wrong_voyages
from services.intake.api.keyed import Act, once_prepared
from services.intake.domain.wrong_voyages import LeftFor
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.work import Work

router = APIRouter(tags=["lists"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
MOST_LEFT = 1000


class ListErrorIn(BaseModel):
    """Why the list was none of this voyage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Literal["wrong_voyage"]


class LeftOut(BaseModel):
    """Somebody who was worked on since, for a person to decide on. `reason`: what was done, the first that fits.

    `helped`: shown to an agency, or helped to an end; `answers_for`: an adult whose child is left, or of another list.
    """

    case_id: str
    reason: LeftFor


class ListErrorOut(BaseModel):
    """Whom the list recorded: `recorded` = `in_error` + `left_total`. `taken_back`: of `in_error`, by this call.

    `held`: rows of it that are still held back; they stay with this voyage.
    """

    manifest_id: str
    voyage_id: str
    recorded: int = Field(examples=[312])
    taken_back: int = Field(examples=[309])
    in_error: int = Field(examples=[309])
    left: list[LeftOut] = Field(description=f"The first {MOST_LEFT}")
    left_total: int = Field(examples=[3])
    left_by_reason: dict[LeftFor, int] = Field(examples=[{"screened": 2, "corrected": 1}])
    held: int = Field(examples=[0])


@router.post(
    "/api/manifests/{manifest_id}/error",
    response_model=ListErrorOut,
    responses={409: {"description": "It is still being recorded, or nobody of it is left to be taken back"}},
    summary="Take back a list that is of another voyage",
    openapi_extra=web.KEYED,
)
async def take_back_list(
    request: Request,
    manifest_id: Id,
    sent: ListErrorIn,  # noqa: ARG001 - the reason is said, and is one
    actor: Officer,
) -> Response:
    """Enter in error everybody whom the list recorded and nobody has worked on since. Needs Idempotency-Key.

    Each ends as by `POST /api/arrivals/{case_id}/error`. Interrupted, it is sent again and goes on. Sent to the right
    voyage, the same file records everybody.
    """

    async def prepare() -> Act:
        done = await wrong_voyages.take_back(request.app.state.database, actor, manifest_id)
        standing = done.seen.standing
        body = {
            "manifest_id": manifest_id,
            "voyage_id": done.seen.taken.voyage_id,
            "recorded": standing.recorded,
            "taken_back": done.now,
            "in_error": standing.in_error,
            "left": [{"case_id": id_, "reason": reason} for id_, reason in [*standing.left.items()][:MOST_LEFT]],
            "left_total": len(standing.left),
            "left_by_reason": standing.reasons,
            "held": done.seen.taken.held,
        }

        async def answer(_: Work) -> Response:
            return web.json_response(body)

        return answer

    return await once_prepared(request, actor, prepare)
