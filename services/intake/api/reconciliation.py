"""The counts of a voyage by source, side by side, and what is said of their differences."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy
from services.intake.actions import reconciliation, totals
from services.intake.actions.reconciliation import Moved
from services.intake.actions.totals import problem_of_part
from services.intake.api.keyed import once
from services.intake.domain.reconciliation import CandidateCode, Difference, Pair, Reason, Reconciliation, Rolled
from services.intake.domain.refusals.reconciliation import DifferenceMoved
from services.intake.domain.refusals.totals import PartTwice, PartUnknown
from services.intake.domain.totals import LONGEST, MOST_PARTS, Dimension, Kind, Part, Totals, WithdrawReason
from services.intake.domain.voyages import MOST_ANNOUNCED
from services.intake.store import differences as store
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["voyages"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
MOST_OPEN = 200

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")]
Heads = Annotated[int, Field(ge=0, le=MOST_ANNOUNCED, strict=True)]


class PartIn(BaseModel):
    """So many of the heads. `value`: `men`, `women`, `boys`, `girls` or `children` of a `group`; a province's code or
    `unknown` or `other` of an `origin`; the words of the source for a `depot` or a `reason`."""

    model_config = ConfigDict(extra="forbid")

    dimension: Dimension
    value: Annotated[Words, StringConstraints(min_length=1)]
    heads: Heads


class LetterIn(BaseModel):
    """What a consular letter says besides the head count, each as far as it is known."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{
                "number": "00062/PK/01/2025/10104", "dated": "2026-11-21", "issued_by": "KJRI Kota Kinabalu",
                "parts": [{"dimension": "group", "value": "women", "heads": 26},
                          {"dimension": "depot", "value": "DTI Tawau", "heads": 92}],
            }]
        },
    )  # fmt: skip

    number: Words = ""
    dated: date | None = None
    issued_by: Words = ""
    parts: Annotated[list[PartIn], Field(max_length=MOST_PARTS)] = []


class TotalsIn(LetterIn):
    """What a letter, the minutes of one handover or a count on the quay says. `replaces`: the source it corrects."""

    kind: Kind
    heads: Heads
    depot: Words = ""
    replaces: Id | None = None


class TotalsOut(BaseModel):
    """`withdrawn_as` is None while it counts."""

    source_id: str
    voyage_id: str
    kind: Kind
    heads: int
    number: str
    dated: date | None
    issued_by: str
    depot: str
    parts: list[PartIn]
    recorded_by: str
    recorded_at: datetime
    withdrawn_as: WithdrawReason | None


class WithdrawIn(BaseModel):
    """Why a source counts no more."""

    model_config = ConfigDict(extra="forbid")

    reason: WithdrawReason


class GapOut(BaseModel):
    """`difference`: the second count of the pair less the first; `left` = `difference` - `settled` - `open`."""

    pair: Pair
    difference: int
    settled: int
    open: int
    left: int


class LineOut(BaseModel):
    """Heads of one value by source, None where none tells; `differs`: arrived less what the closest source says,
    of those that say it of everybody.

    `came_over`: of those who arrived, who was carried over from an earlier voyage.
    """

    dimension: Dimension
    value: str
    announced: int | None
    handed: int | None
    counted: int | None
    arrived: int
    came_over: int
    differs: int | None


class CandidateOut(BaseModel):
    """What may be the reason for a part of these differences; a person judges it."""

    code: CandidateCode
    pairs: list[Pair]
    heads: int
    about: str


class RolledOut(BaseModel):
    """People who were carried from one voyage over to another: the voyage at the other end, of any port.

    `listed`: who is on a list there that was taken in; `arrived`: who was recorded there by it.
    """

    voyage_id: str
    port: str
    vessel: str
    expected_at: datetime
    carried: int
    listed: int
    arrived: int


class DifferenceOut(BaseModel):
    """`reason` is None while it is open with its owner. Changes name the `version` that they saw."""

    difference_id: str
    voyage_id: str
    pair: Pair
    heads: int
    owner: str
    opened_by: str
    opened_at: datetime
    reason: Reason | None
    next_voyage_id: str | None
    settled_by: str | None
    settled_at: datetime | None
    version: int


class ReconciliationOut(BaseModel):
    """`announced` by letters, `handed` by minutes, `counted` on the quay: None where nobody has.

    `came_over`: who was carried over here, by earlier voyage; `went_over`: who was carried on, by later voyage.
    """

    voyage_id: str
    announced: int | None
    handed: int | None
    counted: int | None
    listed: int
    arrived: int
    gaps: list[GapOut]
    candidates: list[CandidateOut]
    lines: list[LineOut]
    differences: list[DifferenceOut]
    sources: list[TotalsOut]
    came_over: list[RolledOut]
    went_over: list[RolledOut]


class DifferenceIn(BaseModel):
    """A part of a difference, with the sign it has there. Without a reason it stays open, and who sends it owns it."""

    model_config = ConfigDict(extra="forbid")

    pair: Pair
    heads: Annotated[int, Field(ge=-MOST_ANNOUNCED, le=MOST_ANNOUNCED, strict=True)]
    reason: Reason | None = None
    next_voyage_id: Id | None = None


class SettleIn(BaseModel):
    """Why it is so. `next_voyage_id`: the voyage that people come with who roll over, where it is known."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1)]
    reason: Reason
    next_voyage_id: Id | None = None


class TakeIn(BaseModel):
    """The version that was seen."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1)]


class OpenOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[DifferenceOut]
    next: str | None


@router.post(
    "/api/voyages/{voyage_id}/totals",
    status_code=201,
    response_model=TotalsOut,
    summary="Keep a head count of a voyage",
    openapi_extra=web.KEYED,
)
async def record_totals(request: Request, voyage_id: Id, sent: TotalsIn, actor: PortActor) -> Response:
    """What a letter, the minutes of a handover or a count says. Needs the header Idempotency-Key."""
    said = totals.Said(sent.kind, sent.heads, sent.number, sent.dated, sent.issued_by, sent.depot, parts_of(sent.parts))

    async def act(work: Work) -> Response:
        kept = await totals.record_totals(work, voyage_id, said, replaces=sent.replaces)
        return web.json_response(_totals(kept), 201)

    try:
        return await once(request, actor, act, purpose="reconcile")
    except (PartUnknown, PartTwice) as wrong:
        raise web.Invalid([web.FieldProblem("/parts", *problem_of_part(web.language_of(request), wrong))]) from None


def parts_of(sent: list[PartIn]) -> list[Part]:
    return [Part(part.dimension, part.value, part.heads) for part in sent]


@router.post(
    "/api/totals/{source_id}/withdraw",
    response_model=TotalsOut,
    summary="Let a head count of a source count no more",
    openapi_extra=web.KEYED,
)
async def withdraw_totals(request: Request, source_id: Id, sent: WithdrawIn, actor: PortActor) -> Response:
    """It stays on record. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        withdrawn = await totals.withdraw_totals(work, source_id, reason=sent.reason)
        return web.json_response({**_totals(withdrawn), "withdrawn_as": sent.reason})

    return await once(request, actor, act, purpose="reconcile")


@router.get(
    "/api/voyages/{voyage_id}/reconciliation",
    response_model=ReconciliationOut,
    summary="All counts of a voyage side by side",
)
async def show_reconciliation(request: Request, voyage_id: Id, actor: PortActor) -> Response:
    """Announced, handed over, counted, listed and arrived, by group, depot, reason and origin. It is on the trail."""
    state = request.app.state
    found = await reconciliation.reconcile_voyage(state.database, state.vault, actor, voyage_id)
    return web.json_response(_reconciliation(found))


@router.post(
    "/api/voyages/{voyage_id}/differences",
    status_code=201,
    response_model=DifferenceOut,
    summary="Explain a part of a difference, or look after it",
    openapi_extra=web.KEYED,
)
async def say_difference(request: Request, voyage_id: Id, sent: DifferenceIn, actor: PortActor) -> Response:
    """Needs the header Idempotency-Key."""
    if sent.heads == 0:
        say = words.translate
        language = web.language_of(request)
        message, remedy = msg("This is no difference."), msg("Write how many, with a minus where they are missing.")
        raise web.Invalid([web.FieldProblem("/heads", say(language, message), say(language, remedy))])

    async def act(work: Work) -> Response:
        if sent.reason is None:
            said = await reconciliation.open_difference(work, voyage_id, pair=sent.pair, heads=sent.heads)
        else:
            said = await reconciliation.explain_difference(
                work,
                voyage_id,
                pair=sent.pair,
                heads=sent.heads,
                reason=sent.reason,
                next_voyage_id=sent.next_voyage_id,
            )
        return web.json_response(_difference(said), 201)

    return await once(request, actor, act, purpose="reconcile")


@router.post(
    "/api/differences/{difference_id}/settle",
    response_model=DifferenceOut,
    summary="Give an open difference its reason",
    openapi_extra=web.KEYED,
    responses={409: {"description": "Somebody else was first; the answer says who"}},
)
async def settle_difference(request: Request, difference_id: Id, sent: SettleIn, actor: PortActor) -> Response:
    """Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        settled = await reconciliation.settle_difference(
            work,
            difference_id,
            version=sent.version,
            reason=sent.reason,
            next_voyage_id=sent.next_voyage_id,
        )
        return web.json_response(_difference(settled))

    try:
        return await once(request, actor, act, purpose="reconcile")
    except DifferenceMoved as moved:
        raise Moved(web.language_of(request), moved) from None


@router.post(
    "/api/differences/{difference_id}/take",
    response_model=DifferenceOut,
    summary="Look after a difference instead of who did",
    openapi_extra=web.KEYED,
    responses={409: {"description": "Somebody else was first; the answer says who"}},
)
async def take_difference(request: Request, difference_id: Id, sent: TakeIn, actor: PortActor) -> Response:
    """Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        taken = await reconciliation.take_difference(work, difference_id, version=sent.version)
        return web.json_response(_difference(taken))

    try:
        return await once(request, actor, act, purpose="reconcile")
    except DifferenceMoved as moved:
        raise Moved(web.language_of(request), moved) from None


@router.get("/api/differences", response_model=OpenOut, summary="Differences that are open at the port")
async def list_differences(
    request: Request,
    actor: PortActor,
    after: Annotated[Id | None, Query(description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_OPEN)] = 50,
) -> Response:
    """The oldest first."""
    database: Database = request.app.state.database
    policy.own_port(actor)
    async with database.work(actor, purpose="look") as work:
        found = [one for one, _ in await store.list_open(work, after=after, limit=limit + 1)]
    next_ = found[limit - 1].difference_id if len(found) > limit else None
    return web.json_response({"items": [_difference(one) for one in found[:limit]], "next": next_})


def _totals(totals: Totals) -> dict[str, Any]:
    told = {name: getattr(totals, name) for name in TotalsOut.model_fields if name != "parts"}
    parts = [{"dimension": one.dimension, "value": one.value, "heads": one.heads} for one in totals.parts]
    return {**told, "parts": parts}


def _difference(difference: Difference) -> dict[str, Any]:
    return {name: getattr(difference, name) for name in DifferenceOut.model_fields}


def _reconciliation(found: Reconciliation) -> dict[str, Any]:
    return {
        "voyage_id": found.voyage.voyage_id,
        "announced": found.announced,
        "handed": found.handed,
        "counted": found.counted,
        "listed": found.counts.listed,
        "arrived": found.counts.arrived,
        "gaps": [{name: getattr(gap, name) for name in GapOut.model_fields} for gap in found.gaps],
        "candidates": [{name: getattr(one, name) for name in CandidateOut.model_fields} for one in found.candidates],
        "lines": [{name: getattr(line, name) for name in LineOut.model_fields} for line in found.lines],
        "differences": [_difference(one) for one in found.differences],
        "sources": [_totals(one) for one in found.sources],
        "came_over": [_rolled(one) for one in found.came_over],
        "went_over": [_rolled(one) for one in found.went_over],
    }


def _rolled(one: Rolled) -> dict[str, Any]:
    voyage = {name: getattr(one.voyage, name) for name in ("voyage_id", "port", "vessel", "expected_at")}
    return {**voyage, "carried": one.carried, "listed": one.listed, "arrived": one.arrived}
