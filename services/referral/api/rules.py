"""The versions of the rules: look, draft, try, and put in force by two people."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.referral import policy
from services.referral.actions import ruling, trying
from services.referral.domain.rulesets import RuleSet
from services.referral.store import rulesets
from shared.contracts.fact import Version
from shared.kit.actor import Actor
from shared.kit.identity import require, require_recent
from shared.kit.web import KEYED, FieldProblem, Invalid, body_limit, idempotent, json_response, key_of, takes

router = APIRouter()

Anybody = Annotated[Actor, Depends(require(*policy.ANYBODY))]
Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
RecentKeeper = Annotated[Actor, Depends(require_recent(*policy.KEEPERS))]
Named = Annotated[Version, Path(description="The name of the version", examples=["2026-11"])]

MOST_BYTES = 1 << 20


@router.get("/rules")
async def get_rules(request: Request, actor: Anybody) -> Response:
    """All versions of the rules, the latest first; one is `active`."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        return json_response({"items": [_shown(found) for found in await rulesets.list_rule_sets(work)]})


@router.get("/rules/{version}")
async def get_version(request: Request, actor: Anybody, version: Named) -> Response:
    """The decision tables of a version, in JDM."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        return Response((await ruling.find_rules(work, version)).text, media_type="application/json")


@router.post("/rules", openapi_extra=KEYED)
@body_limit(MOST_BYTES)
@takes("application/json")
async def post_draft(
    request: Request, actor: Keeper, version: Annotated[Version, Query(description="Its name, which nobody has yet")]
) -> Response:
    """Draft a version: decision tables in JDM. What could not decide is refused: row, column, reason, remedy."""
    content, key = await request.body(), await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            return json_response(_shown(await ruling.draft_rules(work, version, content)), 201)

        try:
            return await idempotent(request, work, key, once)
        except ruling.RulesUnusable as unusable:
            raise Invalid(_problems(unusable)) from None


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
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            return json_response(_shown(await ruling.ask_activation(work, version)))

        return await idempotent(request, work, key, once)


@router.post("/rules/{version}/activations", openapi_extra=KEYED)
async def post_activation(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """Put a version in force that somebody else has asked for. All services decide by it within two seconds."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            return json_response(_shown(await ruling.activate_rules(work, version)))

        return await idempotent(request, work, key, once)


@router.post("/rules/{version}/retirements", openapi_extra=KEYED)
async def post_retirement(request: Request, actor: Keeper, version: Named) -> Response:
    """Give a draft up."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            return json_response(_shown(await ruling.retire_rules(work, version)))

        return await idempotent(request, work, key, once)


def _problems(unusable: ruling.RulesUnusable) -> list[FieldProblem]:
    """Each finding, at the address of its cell."""
    if not unusable.findings:
        return [FieldProblem("/", str(unusable))]
    return [FieldProblem(f"/{f.table}/{f.row}/{f.column}".rstrip("/"), f.said) for f in unusable.findings]


def _shown(found: RuleSet) -> dict[str, Any]:
    """Not by whom: that is on the trail."""
    said = asdict(found) | {"digest": found.digest.hex(), "asked": found.asked_by is not None}
    return {name: value for name, value in said.items() if not name.endswith("_by")}
