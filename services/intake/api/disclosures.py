"""The one synchronous call between services: referral pulls an identity for the agency that accepted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from services.intake.actions.disclosures import Ask, Disclosed, disclose_identity
from services.intake.domain.refusals.identities import DisclosureNotAllowed, IdentityErased
from shared.contracts.fact import Code, Id, Identifying
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.refusal import Refusal
from shared.kit.words import msg

router = APIRouter(tags=["disclosures"])

Caller = Annotated[Actor, Depends(identity.require("service"))]


class AcceptanceNotHeard(Refusal):
    """The acceptance is on its way through Kafka, or there is none."""

    status = 409
    code = "acceptance_not_heard"
    title = msg("The acceptance is not known here yet")

    def __init__(self) -> None:
        super().__init__(
            msg("Intake has not heard of the acceptance of this assignment yet. Ask again in a moment."),
            headers={"Retry-After": "1"},
        )


class DisclosureIn(BaseModel):
    """Who wants to see whom, and what for. `reader` is the person or system at the agency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_id: Id
    assignment_id: Id
    agency_id: Code
    reader: Code
    purpose: Code


class DisclosureOut(BaseModel):
    """The fields that the accepted need allows and that have a value."""

    case_id: str
    fields: Annotated[dict[str, str], Identifying()]


@router.post(
    "/api/disclosures",
    response_model=DisclosureOut,
    responses={
        403: {"description": "Not for this agency"},
        409: {"description": "Acceptance not heard yet"},
        410: {"description": "The identity was erased"},
    },
)
async def disclose(request: Request, sent: DisclosureIn, actor: Caller) -> Response:
    """Release an identity. What is released or refused is on the trail before the answer leaves."""
    ask = Ask(sent.case_id, sent.assignment_id, sent.agency_id, sent.reader)
    async with request.app.state.database.work(actor, purpose=sent.purpose) as work:
        answer = await disclose_identity(work, request.app.state.vault, ask)
    crash_point("disclosure.after_commit")
    if isinstance(answer, Disclosed):
        return web.json_response({"case_id": sent.case_id, "fields": answer.fields})
    if answer == "not_accepted":
        raise AcceptanceNotHeard()
    if answer == "erased":
        raise IdentityErased
    raise DisclosureNotAllowed
