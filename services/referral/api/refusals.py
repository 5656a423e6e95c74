"""Statements of refusal: recorded by the agency that is asked, or helps; with them the need ends."""

from functools import partial
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.referral.actions import refusing
from services.referral.actions.refusing import Signed, Signing
from services.referral.api import assignments, supervision
from services.referral.api.assignments import HandoverRef, Item, Results, Worker
from services.referral.api.items import Items
from services.referral.api.supervision import Duty, NeedResults
from services.referral.api.supervision import Item as NeedItem
from shared.contracts.fact import AwareDatetime, RegencyCode
from shared.contracts.referral.referrals import HandoverWitness, Refuser
from shared.kit.web import KEYED

router = APIRouter()

SomeItem = TypeVar("SomeItem", bound=BaseModel)
Explained = Literal["help_offered", "who_helps", "what_follows", "may_ask_again", "what_is_kept"]


class Signatures(Items[SomeItem]):
    """What was signed about all `items`, needs of one adult. Names stay on the paper.

    `incapacity`: number of the document that says that the person cannot decide itself, with `family` only.
    `explained_in`: a language, ISO 639. `explained`: at least what was offered and what follows. `signed_at`: since
    when both signatures stand on it.
    """

    number: Annotated[HandoverRef, Field(examples=["PNL/3/2026"])]
    refuser: Refuser
    incapacity: HandoverRef | None = None
    witness: HandoverWitness
    place: Annotated[RegencyCode, Field(examples=["73.06"])]
    explained_in: Annotated[str, Field(pattern=r"^[a-z]{2,3}$", examples=["id"])]
    explained: Annotated[
        list[Explained], Field(min_length=2, max_length=5, examples=[["help_offered", "what_follows"]])
    ]
    refused_at: AwareDatetime
    signed_at: AwareDatetime

    def signed(self) -> Signed:
        said = self.model_dump(exclude={"items", "explained_in"})
        return Signed(**said | {"explained": tuple(said["explained"]), "language": self.explained_in})


class Refusals(Signatures[Item]):
    """Of needs that you are asked about, or help with."""


class OverseenItem(NeedItem):
    def asked(self) -> Signing:
        return Signing(self.referral_id, self.version)


class OverseenRefusals(Signatures[OverseenItem]):
    """Of needs that you oversee, signed before you."""


@router.post("/assignments/refusals", response_model=Results, openapi_extra=KEYED)
async def post_refusals(request: Request, actor: Worker, posted: Refusals) -> Response:
    """Record a signed statement of refusal (Permen P2MI 32/2025 Annex III); each need ends refused.

    Never a child's, which is answered like a missing one.
    """
    act = partial(refusing.record_refusals, signed=posted.signed())
    return await assignments.post(request, actor, posted, "serve", act)


@router.post("/referrals/refusals", response_model=NeedResults, openapi_extra=KEYED)
async def post_overseen(request: Request, actor: Duty, posted: OverseenRefusals) -> Response:
    """Record a statement of refusal that was signed before you; each need of your region, or the country, ends refused.

    Never a child's, nor any restricted one, which are answered like missing ones.
    """
    return await supervision.post(
        request, actor, posted, partial(refusing.record_as_supervisor, signed=posted.signed())
    )
