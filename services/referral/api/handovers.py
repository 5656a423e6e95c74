"""Minutes of handovers: recorded by the agency that hands over, for one person or a group."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.referral.actions import handing
from services.referral.actions.handing import Handed, Signed
from services.referral.api import assignments
from services.referral.api.assignments import HandoverRef, Item, Results, Worker
from services.referral.api.items import Items
from shared.contracts.fact import AwareDatetime, RegencyCode
from shared.contracts.referral.assignments import HandoverReceiver
from shared.contracts.referral.referrals import HandoverWitness
from shared.kit.web import KEYED

router = APIRouter()

Document = Literal[
    "passport",
    "travel_letter",
    "identity_card",
    "family_card",
    "birth_certificate",
    "fit_to_travel_letter",
    "medical_record",
    "belongings",
    "none",
]
Condition = Literal["well", "sick_travelling", "under_treatment", "deceased"]


class Person(Item):
    """One person on the minutes. `guardian_check`: number of the document, without which no child goes to family."""

    documents: Annotated[list[Document], Field(min_length=1, max_length=8, examples=[["travel_letter", "belongings"]])]
    condition: Condition
    guardian_check: HandoverRef | None = None

    def answer(self) -> Handed:
        said = self.model_dump()
        return Handed(**said | {"documents": tuple(said["documents"])})


class Minutes(Items[Person]):
    """What was signed for all `items`. Names stay on the paper; `signed_at`: since when both signatures stand on it."""

    number: Annotated[HandoverRef, Field(examples=["BAST/12/2026"])]
    receiver: HandoverReceiver
    witness: HandoverWitness
    place: Annotated[RegencyCode, Field(examples=["73.06"])]
    handed_at: AwareDatetime
    signed_at: AwareDatetime


@router.post("/assignments/handovers", response_model=Results, openapi_extra=KEYED)
async def post_handovers(request: Request, actor: Worker, posted: Minutes) -> Response:
    """Record signed minutes of people you hand over; complete each with `handover_ref`, their number, afterwards."""
    signed = Signed(
        number=posted.number,
        receiver=posted.receiver,
        witness=posted.witness,
        place=posted.place,
        handed_at=posted.handed_at,
        signed_at=posted.signed_at,
    )
    return await assignments.post(request, actor, posted, "serve", partial(handing.record_handovers, signed=signed))
