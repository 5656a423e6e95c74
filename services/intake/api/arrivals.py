"""Arrivals one by one and in batches. These are the busy endpoints: plain routes, no framework between."""

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from starlette.routing import Route

from services.intake import policy
from services.intake.actions.accompanied import record_accompanied, record_some
from services.intake.actions.arrivals import Desk, Item, Recorded, day_at, landed_at, port_of
from services.intake.actions.held import settle_recorded
from services.intake.domain import cells, dates, niks, people
from services.intake.domain.arrivals import Arrival, OnwardWish
from services.intake.domain.cells import BadCell
from services.intake.domain.companions import UNFIT, Unfit
from services.intake.domain.completing import Group, guessed
from services.intake.domain.households import ALONE, CHILDREN, Companion
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.arrivals import (
    ArrivalInFuture,
    ArrivalLongAgo,
    CaseIdTaken,
    RecordedAndErased,
    RecordedDifferently,
)
from services.intake.domain.refusals.voyages import VoyageUnknown
from shared.contracts import codes
from shared.contracts.codes import NeedCode, Sex
from shared.contracts.fact import AwareDatetime, Id, Identifying, RegencyCode
from shared.contracts.intake.households import Relation, RelationProof
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.ids import is_id
from shared.kit.short_codes import NotACode, tail_of
from shared.kit.web import validation
from shared.kit.words import Language, msg

router = APIRouter(tags=["arrivals"])

port_actor = identity.require(*policy.PORT_ROLES)

MOST_IN_BATCH = 500
MOST_BYTES = 2 << 20

A = TypeVar("A", bound="ArrivalIn")

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"), Identifying()
]


VERSION_7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""RFC 9562, 5.7. Only ids that grow with time: others would cost every index its order."""


class CompanionIn(BaseModel):
    """The adult who answers for a child that is recorded: what it is to the child, and what shows that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adult: Annotated[str, StringConstraints(strip_whitespace=True, min_length=9, max_length=36)] = Field(
        examples=["7K9M-Q2TX-5"]
    )
    """The case of who was recorded on the same voyage, or its code; also of who stands anywhere in the same batch. Of a
    child without a voyage: of who landed at the port at most 14 days before or after it."""
    relation: Relation = "not_stated"
    proof: RelationProof = "none"

    @field_validator("adult")
    @classmethod
    def _is_case(cls, value: str) -> str:
        if not is_id(value):
            try:
                tail_of(value)
            except NotACode:
                raise ValueError(msg("This is neither the id nor the code of a case.")) from None
        return value


class ArrivalIn(BaseModel):
    """One person who landed. Everything that can identify the person is sealed before it is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_id: Annotated[str, StringConstraints(pattern=VERSION_7)] | None = None
    """Made by who sends it, a UUID of version 7, so that the slip has its code without a server; else made here."""
    unfinished: Annotated[bool, Field(strict=True)] = False
    """Logged in a hurry: who it is is completed later."""
    full_name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$"),
        Identifying(),
    ] = Field("", validate_default=True)
    """As on the document; one word is enough. Left out of somebody who is logged in a hurry and cannot say it."""
    looks: Group | None = None
    """How old somebody looks whose age nobody has asked for yet."""
    sex: Sex
    birth_date: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"), Identifying()] | None = None
    """`1987-08-05`, `1987-08` or `1987`."""
    age: Annotated[int, Field(ge=0, le=people.OLDEST, strict=True), Identifying()] | None = None
    """Where no birth date is known; beside one it must go with it. Neither: the person is treated as a child."""
    nik: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{15}$"), Identifying()] | None = None
    document_type: Annotated[
        str, StringConstraints(pattern="^(SPLP|passport|border_pass_PLB|identity_card|other|none)$"), Identifying()
    ] = ""
    document_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,29}$"), Identifying()] = (
        ""
    )
    alias: Text = ""
    birthplace: Text = ""
    mother_name: Text = ""
    """Tells namesakes apart when earlier returns are looked for."""
    origin_village: Text = ""
    family_contact: Text = ""
    health_note: Text = ""
    language: Text = ""
    country_from: Text = ""
    region_from: Text = ""
    detained_at: Text = ""
    employer: Text = ""
    sector: Text = ""
    return_reason: Text = ""
    origin_regency: RegencyCode | None = None
    needs: tuple[NeedCode, ...] = ()
    """What the screening found. Age and company add theirs; NEED is always one of them."""
    accompanied: Annotated[bool, Field(strict=True)] = False
    """Takes no protection away by itself: a child counts as alone unless `companion` says who is with it."""
    companion: CompanionIn | None = None
    """Who answers for a child. Of others than children it is not kept."""
    onward_wish: OnwardWish = "unknown"
    voyage_id: Id | None = None
    arrived_at: AwareDatetime | None = None
    """Now, when it is left out; at most a year ago."""

    @field_validator("full_name")
    @classmethod
    def _is_named(cls, value: str, told: ValidationInfo) -> str:
        if not value and not told.data.get("unfinished"):
            raise ValueError(msg("The name is missing; log the person as unfinished when nobody knows it."))
        return value

    @model_validator(mode="after")
    def _is_known(self) -> "ArrivalIn":
        if self.origin_regency is not None and self.origin_regency not in codes.regencies():
            raise ValueError(msg("There is no regency or city with this code."))
        if self.birth_date is not None:
            try:
                dates.read_birth(self.birth_date)
            except dates.BadDate:
                raise ValueError(msg("There is no such birth date.")) from None
        return self

    def arrival(self, on: date) -> Arrival:
        """The arrival of somebody who landed, and whose age was told, on that day. Raises `BadCell`."""
        birth = None
        if self.birth_date is not None:
            birth = dates.read_birth(self.birth_date)
            cells.in_life(birth, on, self.age)
        elif self.age is not None:
            birth = people.aged(self.age, on)
        elif self.looks is not None:
            birth = guessed(self.looks, on)
        return Arrival(
            people.Identity(
                full_name=" ".join(self.full_name.split()),
                alias=self.alias,
                birth=birth.text if birth else "",
                birthplace=self.birthplace,
                mother_name=self.mother_name,
                nik=self.nik or "",
                document_type=self.document_type,
                document_number=self.document_number.upper(),
                origin_village=self.origin_village,
                family_contact=self.family_contact,
                health_note=self.health_note,
                language=self.language,
                country_from=self.country_from,
                region_from=self.region_from,
                detained_at=self.detained_at,
                employer=self.employer,
                sector=self.sector,
                return_reason=self.return_reason,
            ),
            self.sex,
            birth,
            self.origin_regency,
            frozenset(self.needs),
            onward_wish=self.onward_wish,
        )

    def item(self, key: str, arrival: Arrival) -> Item:
        """The arrival as something to record."""
        told = (self.voyage_id, self.arrived_at, self.case_id, self.unfinished)
        return Item(key, arrival, *told, claimed=self.accompanied)

    def answers(self) -> Companion | None:
        """Who is said to answer for the person."""
        said = self.companion
        return None if said is None else Companion(said.adult, said.relation, said.proof)


class KeyedArrival(ArrivalIn):
    """One of a batch; `key` makes it repeatable, as the header Idempotency-Key does for a single one."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class ArrivalOut(BaseModel):
    """What was recorded."""

    case_id: str
    age_band: str
    needs: tuple[str, ...]
    warnings: list["WarningOut"] = []
    """What was not taken as it was sent; the person is recorded all the same."""


class WarningOut(BaseModel):
    """`reason` and `remedy`: why whoever was named does not answer for the child, and what to do."""

    code: Literal["companion_unnamed", "companion_unfit", "nik_elsewhere"]
    title: str
    reason: Unfit | None = None
    remedy: str | None = None


class ProblemOut(BaseModel):
    code: str
    title: str
    errors: list[dict[str, str]] = []


class ItemOut(BaseModel):
    """What became of one of a batch: `recorded`, `known` (the key was used before) or `refused`."""

    key: str | None
    status: str
    arrival: ArrivalOut | None = None
    problem: ProblemOut | None = None


class BatchOut(BaseModel):
    results: list[ItemOut]


class BatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    arrivals: Annotated[list[KeyedArrival], Field(max_length=MOST_IN_BATCH)]


async def record_arrival(request: Request) -> Response:
    """POST /api/arrivals."""
    actor = await port_actor(request)
    key = await web.key_of(request)
    sent = _parsed(request, ArrivalIn, await request.body())
    arrival = _told(request, actor, sent)
    desk: Desk = request.app.state.desk
    companion = sent.answers()
    if companion is None:
        recorded = await desk.record(
            actor,
            arrival,
            key=key,
            voyage_id=sent.voyage_id,
            arrived_at=sent.arrived_at,
            case_id=sent.case_id,
            unfinished=sent.unfinished,
            claimed=sent.accompanied,
        )
    else:
        database, vault = request.app.state.database, request.app.state.vault
        item = sent.item(key, arrival)
        recorded = await record_accompanied(database, vault, desk, actor, item, companion, "single")
    await settle_recorded(
        request.app.state.database, request.app.state.vault, actor, [(sent.voyage_id, arrival, recorded.case_id)]
    )
    headers = None if recorded.new else {"Idempotent-Replay": "true"}
    return web.json_response(_out(request, sent, recorded), 201, headers)


@web.body_limit(MOST_BYTES)
async def record_batch(request: Request) -> Response:
    """POST /api/arrivals/batch."""
    actor = await port_actor(request)
    items = _items(request, await request.body())
    results: list[dict[str, Any]] = [{} for _ in items]
    good: list[tuple[int, KeyedArrival, Arrival]] = []
    for n, item in enumerate(items):
        try:
            sent = _parsed(request, KeyedArrival, _bytes_of(request, item))
            good.append((n, sent, _told(request, actor, sent)))
        except (web.Invalid, ArrivalInFuture, ArrivalLongAgo) as refused:
            key = item.get("key") if isinstance(item, dict) else None
            results[n] = _refused(request, key if isinstance(key, str) else None, refused)
    desk: Desk = request.app.state.desk
    recorded = await record_some(
        *(request.app.state.database, request.app.state.vault, desk, actor),
        [(sent.item(sent.key, arrival), sent.answers()) for _, sent, arrival in good],
    )
    taken = [
        (sent.voyage_id, arrival, result.case_id)
        for (_, sent, arrival), result in zip(good, recorded, strict=True)
        if isinstance(result, Recorded)
    ]
    await settle_recorded(request.app.state.database, request.app.state.vault, actor, taken)
    for (n, sent, _), result in zip(good, recorded, strict=True):
        if isinstance(result, Recorded):
            status = "recorded" if result.new else "known"
            results[n] = {"key": sent.key, "status": status, "arrival": _out(request, sent, result)}
        else:
            results[n] = _refused(request, sent.key, result)
    return web.json_response({"results": results})


CODES: dict[type[Refused], str] = {
    ArrivalInFuture: "arrival_in_future",
    ArrivalLongAgo: "arrival_long_ago",
    CaseIdTaken: "case_id_taken",
    RecordedDifferently: "idempotency_key_reused",
    RecordedAndErased: "identity_erased",
    VoyageUnknown: "voyage_unknown",
}

hot_routes = [
    Route("/api/arrivals", record_arrival, methods=["POST"]),
    Route("/api/arrivals/batch", record_batch, methods=["POST"]),
]


# The plain routes above stand first and answer; these two are there for the OpenAPI document.


@router.post(
    "/api/arrivals",
    status_code=201,
    response_model=ArrivalOut,
    summary="Record one arrival",
    dependencies=[Depends(port_actor)],
    openapi_extra=web.KEYED,
)
async def documented_arrival(request: Request, _: ArrivalIn) -> Response:
    """Needs the header Idempotency-Key; the same key answers the same case."""
    return await record_arrival(request)


@router.post(
    "/api/arrivals/batch",
    response_model=BatchOut,
    summary="Record up to 500 arrivals",
    dependencies=[Depends(port_actor)],
)
async def documented_batch(request: Request, _: BatchIn) -> Response:
    """Each item has a key of its own and a result of its own; one that is refused fails no other."""
    return await record_batch(request)


def _told(request: Request, actor: Actor, sent: ArrivalIn) -> Arrival:
    """What was sent, as of the day of arrival at the actor's port. Raises `Invalid` for a birth that cannot be."""
    landed = landed_at(sent.arrived_at, request.app.state.database.clock.now())
    try:
        return sent.arrival(day_at(port_of(actor), landed))
    except BadCell as bad:
        field = "/age" if bad.code == "age_differs" else "/birth_date"
        message, remedy = (words.translate(web.language_of(request), text) for text in CELL_PROBLEMS[bad.code])
        raise web.Invalid([web.FieldProblem(field, message, remedy)]) from None


def _parsed(request: Request, kind: type[A], body: bytes) -> A:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = validation.field_problems(
            web.language_of(request), error.errors(include_input=False, include_url=False)
        )
        raise web.Invalid(found) from None


def _bytes_of(request: Request, item: object) -> bytes:
    """One item of a batch as JSON again; what is nested deeper than that can be written is refused."""
    try:
        return orjson.dumps(item)
    except orjson.JSONEncodeError:
        message, remedy = (words.translate(web.language_of(request), text) for text in validation.FALLBACK)
        raise web.Invalid([web.FieldProblem("", message, remedy)]) from None


def _items(request: Request, body: bytes) -> list[Any]:
    """The items of a batch, each to be validated by itself."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        sent = None
    items = sent.get("arrivals") if isinstance(sent, dict) else None
    language = web.language_of(request)
    if not isinstance(items, list):
        message = words.translate(language, msg("Send an object with a list `arrivals`."))
        raise web.Invalid([web.FieldProblem("/arrivals", message)])
    if len(items) > MOST_IN_BATCH:
        message = words.translate(language, msg("A batch holds at most %(most)s arrivals."), most=MOST_IN_BATCH)
        raise web.Invalid([web.FieldProblem("/arrivals", message)])
    return items


def _refused(request: Request, key: str | None, refused: web.Invalid | Refused) -> dict[str, Any]:
    """The result of an item of a batch that was refused."""
    if isinstance(refused, web.Invalid):
        code, sentence, errors = refused.code, refused.title, refused.errors
    else:
        code, sentence, errors = CODES[type(refused)], str(refused), []
    problem = {"code": code, "title": words.translate(web.language_of(request), sentence), "errors": errors}
    return {"key": key, "status": "refused", "problem": problem}


UNNAMED = msg("Nobody was named who answers for this child, so the child counts as unaccompanied.")
UNLINKED = msg("Nobody answers for this child any more, so the child counts as unaccompanied.")
COUNTS_AS_ALONE = msg("The child counts as unaccompanied.")


def _out(request: Request, sent: ArrivalIn, recorded: Recorded) -> dict[str, Any]:
    language = web.language_of(request)
    warnings: list[dict[str, str]] = []
    if recorded.age_band in CHILDREN and ALONE in recorded.needs and ALONE not in sent.needs:
        if sent.companion:
            warnings.append(_unfit(language, recorded.unfit))
        elif sent.accompanied:
            warnings.append({"code": "companion_unnamed", "title": words.translate(language, UNNAMED)})
    if niks.elsewhere(sent.nik or "", sent.origin_regency):
        title, _ = CELL_PROBLEMS["nik_elsewhere"]
        warnings.append({"code": "nik_elsewhere", "title": words.translate(language, title)})
    return {
        "case_id": recorded.case_id,
        "age_band": recorded.age_band,
        "needs": recorded.needs,
        "warnings": warnings,
    }


def _unfit(language: Language, why: Unfit | None) -> dict[str, str]:
    """Why who was named does not answer for the child. None: an earlier write had linked them, and they are no more."""
    if why is None:
        return {"code": "companion_unfit", "title": words.translate(language, UNLINKED)}
    title, remedy = (words.translate(language, text) for text in UNFIT[why])
    alone = words.translate(language, COUNTS_AS_ALONE)
    return {"code": "companion_unfit", "title": f"{title} {alone}", "reason": why, "remedy": remedy}
