"""The versions of the rules: look, draft, try, and put in force by two people."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.referral import policy
from services.referral.actions import ruling, trying
from services.referral.domain.rulesets import RuleSet, RulesUnknown
from services.referral.rules import sheets
from services.referral.rules.findings import REMEDIES
from services.referral.rules.jdm import Jdm
from services.referral.store import rulesets
from shared.contracts.fact import Version
from shared.kit.actor import Actor
from shared.kit.identity import require, require_recent
from shared.kit.web import (
    KEYED,
    FieldProblem,
    Invalid,
    body_limit,
    idempotent,
    json_response,
    key_of,
    language_of,
    takes,
)
from shared.kit.words import Language, translate
from shared.kit.work import Work

router = APIRouter()

Anybody = Annotated[Actor, Depends(require(*policy.ANYBODY))]
Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
RecentKeeper = Annotated[Actor, Depends(require_recent(*policy.KEEPERS))]
Named = Annotated[Version, Path(description="The name of the version", examples=["2026-11"])]

TABLE = "^[a-z]{1,32}$"
Table = Annotated[str, Path(pattern=TABLE, description="The name of the table", examples=["terms"])]

MOST_BYTES = 1 << 20
KINDS: dict[str, ruling.Kind] = {"application/json": "jdm", sheets.XLSX: "xlsx", "text/csv": "csv"}


@router.get("/rules")
async def get_rules(request: Request, actor: Anybody) -> Response:
    """All versions of the rules, the latest first; one is `active`."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        return json_response({"items": [_shown(found) for found in await rulesets.list_rule_sets(work)]})


@router.get("/rules/{version}", response_model=Jdm)
async def get_version(request: Request, actor: Anybody, version: Named) -> Response:
    """The decision tables of a version, in JDM."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        return Response((await ruling.find_rules(work, version)).text, media_type="application/json")


@router.get("/rules/{version}/workbook", response_class=Response, responses={200: {"content": {sheets.XLSX: {}}}})
async def get_workbook(request: Request, actor: Anybody, version: Named) -> Response:
    """A version as a workbook (XLSX), one sheet per table. Edited, it can be posted to `/rules`."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await ruling.find_rules(work, version)
    headers = {"Content-Disposition": f'attachment; filename="{version}.xlsx"'}
    return Response(sheets.workbook(found.text), headers=headers, media_type=sheets.XLSX)


@router.get("/rules/{version}/tables/{table}", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def get_table(request: Request, actor: Anybody, version: Named, table: Table) -> Response:
    """One table of a version as CSV. Edited, it can be posted to `/rules`."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await ruling.find_rules(work, version)
    try:
        text = sheets.table(found.text, table)
    except KeyError:
        raise RulesUnknown(f"{version} {table}") from None
    return Response(text, media_type="text/csv; charset=utf-8")


@router.post(
    "/rules",
    openapi_extra=KEYED
    | {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Jdm"}},
                sheets.XLSX: {"schema": {"type": "string", "format": "binary"}},
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "id,why,need,…\r\nterms-uac,Unaccompanied or separated child,UAC,…\r\n",
                },
            },
        }
    },
)
@body_limit(MOST_BYTES)
@takes(*KINDS)
async def post_draft(
    request: Request,
    actor: Keeper,
    version: Annotated[Version, Query(description="Its name, which nobody has yet")],
    base: Annotated[Version | None, Query(description="Of sheets: the version that they went out from")] = None,
    table: Annotated[str | None, Query(pattern=TABLE, description="Of CSV: which table it is")] = None,
) -> Response:
    """Draft a version: decision tables in JDM, a workbook, or one table as CSV.

    What could not decide is refused: row, column, reason, remedy. What sheets do not hold is that of `base`, or of the
    version in force.
    """
    content, key = await request.body(), await key_of(request)
    kind = KINDS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower(), "jdm")
    upload = ruling.Upload(version, content, kind, base, table or "")
    try:
        async with request.app.state.database.work(actor, purpose="keep_rules") as work:

            async def once() -> Response:
                body = await ruling.body_of(work, upload)
                return json_response(_shown(await ruling.draft_rules(work, version, body)), 201)

            return await idempotent(request, work, key, once)
    except ruling.RulesUnusable as unusable:
        raise Invalid(_problems(language_of(request), unusable)) from None


@router.post("/rules/{version}/tries", openapi_extra=KEYED)
async def post_try(
    request: Request,
    actor: Keeper,
    version: Named,
    since: Annotated[str | None, Query(pattern=trying.MONTH)] = None,
    until: Annotated[str | None, Query(pattern=trying.MONTH)] = None,
) -> Response:
    """Try a version on who landed before; answers as `what-if` ends, and lets it be asked for from then on."""
    key = await key_of(request)
    asked = trying.Question(since=since, until=until, version=version)
    answer = await trying.prepare(request.app.state.database, actor, asked)
    async for _ in answer.run():
        pass
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            tried = await ruling.note_tried(work, version)
            return json_response(_shown(tried) | {"result": answer.trial.published()})

        return await idempotent(request, work, key, once)


@router.post("/rules/{version}/activation-requests", openapi_extra=KEYED)
async def post_activation_request(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """Ask that a version that was tried be put in force; another coordinator confirms."""
    return await _step(request, actor, ruling.ask_activation, version)


@router.post("/rules/{version}/activations", openapi_extra=KEYED)
async def post_activation(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """Put a version in force that somebody else has asked for. All services decide by it within two seconds."""
    return await _step(request, actor, ruling.activate_rules, version)


@router.post("/rules/{version}/retirements", openapi_extra=KEYED)
async def post_retirement(request: Request, actor: Keeper, version: Named) -> Response:
    """Give a draft up."""
    return await _step(request, actor, ruling.retire_rules, version)


async def _step(
    request: Request, actor: Actor, step: Callable[[Work, str], Awaitable[RuleSet]], version: str
) -> Response:
    """Take a version one step on, once for a key."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            return json_response(_shown(await step(work, version)))

        return await idempotent(request, work, key, once)


def _problems(language: Language, unusable: ruling.RulesUnusable) -> list[FieldProblem]:
    """Each finding, at the address of its cell."""
    return [
        FieldProblem(
            "/" + "/".join(part for part in (f.table, f.row, f.column) if part),
            translate(language, REMEDIES[f.reason]) % f.values,
        )
        for f in unusable.findings
    ]


def _shown(found: RuleSet) -> dict[str, Any]:
    """Not by whom: that is on the trail."""
    said = asdict(found) | {"digest": found.digest.hex(), "asked": found.asked_by is not None}
    return {name: value for name, value in said.items() if not name.endswith("_by")}
