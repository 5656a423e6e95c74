"""Households and the adults who answer for children: looked at, linked by hand, confirmed by a second person, ended."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake import policy
from services.intake.actions import households as actions
from services.intake.actions.households import HouseholdConflict, Seen
from services.intake.api.keyed import Act, once
from services.intake.domain.households import Link, LinkEnd, LinkState, Member
from services.intake.domain.refusals.households import HouseholdChangedMeanwhile
from shared.contracts.codes import AgeBand, NeedCode, Sex
from shared.contracts.fact import Id
from shared.contracts.intake.households import HouseholdReason, Relation, RelationProof, UnlinkReason
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["households"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

MOST_PROPOSALS = 500
CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: {"description": "Changed meanwhile: the answer says of which version, by whom and when; or it has ended"}
}


class JoiningIn(BaseModel):
    """`version` is that of the household as it was looked at; 0 while neither of the two is in one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    with_case_id: Id
    version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


class PartingIn(BaseModel):
    """`version` is that of the household as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Literal["not_of_it", "family_parted", "in_error"]
    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class GuardianIn(BaseModel):
    """The adult, what it is to the child, and what shows that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adult_case_id: Id
    relation: Relation
    proof: RelationProof


class ConfirmationIn(BaseModel):
    """`version` is that of the link as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class UnlinkingIn(ConfirmationIn):
    reason: UnlinkReason


class MemberOut(BaseModel):
    """Somebody who belongs to a household, or did until `parted_at`; in codes."""

    case_id: str
    sex: Sex
    age_band: AgeBand
    needs: list[NeedCode]
    joined_as: HouseholdReason
    joined_by: str
    joined_at: datetime
    parted_for: HouseholdReason | None
    parted_by: str | None
    parted_at: datetime | None


class LinkOut(BaseModel):
    """An adult who answers for a child (`confirmed`), is asked for to do so, or did. `is_listed`: by the name list.

    `due_at`: until when a second person should confirm what is asked for; null for what is not. It ends by itself four
    days later.
    """

    link_id: str
    child_case_id: str
    adult_case_id: str
    relation: Relation
    proof: RelationProof
    state: LinkState
    version: int
    is_listed: bool
    proposed_by: str
    proposed_at: datetime
    due_at: datetime | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    ended_for: LinkEnd | None
    ended_by: str | None
    ended_at: datetime | None


class HouseholdOut(BaseModel):
    """The household of a case; `household_id` is null and `version` 0 for who belongs to none."""

    household_id: str | None
    version: int
    members: list[MemberOut]
    guardians: list[LinkOut]


class LinksOut(BaseModel):
    items: list[LinkOut]


@router.get("/api/cases/{case_id}/household", response_model=HouseholdOut, summary="The household of a case")
async def show_household(request: Request, case_id: Id, actor: Reader) -> Response:
    """Who belongs to it and did, in codes, and which adult answers for which child. Of the own port."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        seen = await actions.look(work, case_id)
    return web.json_response(_household(seen))


@router.post(
    "/api/cases/{case_id}/household",
    response_model=HouseholdOut,
    summary="Put two people into one household",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def join(request: Request, case_id: Id, sent: JoiningIn, actor: Officer) -> Response:
    """They are referred together from now on. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        await actions.join(work, case_id, sent.with_case_id, version=sent.version)
        return web.json_response(_household(await actions.look(work, case_id)))

    return await _act(request, actor, act)


@router.post(
    "/api/cases/{case_id}/household/parting",
    response_model=HouseholdOut,
    summary="Part somebody from a household",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def part(request: Request, case_id: Id, sent: PartingIn, actor: Officer) -> Response:
    """Not while an adult answers for a child by it. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        await actions.part(work, case_id, version=sent.version, reason=sent.reason)
        return web.json_response(_household(await actions.look(work, case_id)))

    return await _act(request, actor, act)


@router.post(
    "/api/cases/{case_id}/guardians",
    status_code=202,
    response_model=LinkOut,
    summary="Ask to link an adult to a child",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def propose_guardian(request: Request, case_id: Id, sent: GuardianIn, actor: Officer) -> Response:
    """Another person of the port has to confirm it; until then nothing changes. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        link = await actions.propose_guardian(
            work, case_id, sent.adult_case_id, relation=sent.relation, proof=sent.proof
        )
        return web.json_response(_link(link), 202)

    return await _act(request, actor, act)


@router.get("/api/guardians", response_model=LinksOut, summary="Adults who wait for a second person")
async def list_proposed(request: Request, actor: Officer) -> Response:
    """What was asked for at the own port, the longest waiting first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found = await actions.list_proposed(work, limit=MOST_PROPOSALS)
    return web.json_response({"items": [_link(link) for link in found]})


@router.post(
    "/api/guardians/{link_id}/confirmation",
    response_model=LinkOut,
    summary="Confirm that an adult answers for a child",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def confirm_guardian(request: Request, link_id: Id, sent: ConfirmationIn, actor: Officer) -> Response:
    """By somebody else than who asked for it. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        return web.json_response(_link(await actions.confirm_guardian(work, link_id, version=sent.version)))

    return await _act(request, actor, act)


@router.post(
    "/api/guardians/{link_id}/end",
    response_model=LinkOut,
    summary="Unlink an adult from a child",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def end_guardian(request: Request, link_id: Id, sent: UnlinkingIn, actor: Officer) -> Response:
    """At once, by one person: a child that is alone by it is protected as such. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        ended = await actions.end_guardian(work, link_id, version=sent.version, reason=sent.reason)
        return web.json_response(_link(ended))

    return await _act(request, actor, act)


async def _act(request: Request, actor: Actor, act: Act) -> Response:
    """One change, once per key; whoever comes second learns who was first."""
    try:
        return await once(request, actor, act, purpose="reception")
    except HouseholdChangedMeanwhile as changed:
        raise HouseholdConflict(web.language_of(request), changed, policy.own_port(actor)) from None


def _household(seen: Seen) -> dict[str, Any]:
    return {
        "household_id": None if seen.household is None else seen.household.household_id,
        "version": seen.version,
        "members": [_named(MemberOut, member) for member in seen.members],
        "guardians": [_link(link) for link in seen.links],
    }


def _link(link: Link) -> dict[str, Any]:
    return _named(LinkOut, link)


def _named(model: type[BaseModel], one: Link | Member) -> dict[str, Any]:
    return {name: getattr(one, name) for name in model.model_fields}
