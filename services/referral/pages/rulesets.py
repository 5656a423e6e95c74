"""The rules for coordinators: the versions, one to read, a file in as a draft, and putting one in force by two."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import ruling
from services.referral.actions.ruling import RulesUnusable, Upload
from services.referral.domain.rulesets import RuleSet, RulesKnown, RulesNeedAnother, RulesNotThere, RulesUnknown
from services.referral.pages import forms, rulewords
from services.referral.rules import lint
from services.referral.rules.findings import REMEDIES, Finding
from services.referral.store import rulesets
from shared.contracts.fact import Version
from shared.kit.actor import Actor
from shared.kit.identity import require, require_recent
from shared.kit.web import FieldProblem, body_limit, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg, translate
from shared.kit.work import Work

router = page_router()

Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
RecentKeeper = Annotated[Actor, Depends(require_recent(*policy.KEEPERS))]
Named = Annotated[Version, Path()]
NAME = TypeAdapter(Version)
Act = Callable[[Work, str], Awaitable[RuleSet]]

MOST_BYTES = 1 << 20
MOST_FINDINGS = 50
KNOWN = msg("There is a version with this name, or with these tables, already. Give another name, or change something.")
NO_NAME = msg("Give a name of small letters, digits, dots and hyphens, for example 2027-01.")
NO_FILE = msg("Choose a file.")
NO_TABLE = msg("Say which table the CSV file holds.")


@router.get("/aturan")
async def rules_page(request: Request, actor: Keeper) -> Response:
    """The versions, the latest first, and the form for a draft."""
    return await _list(request, actor)


@router.post("/aturan")
@body_limit(MOST_BYTES)
async def draft(request: Request, actor: Keeper) -> Response:
    """Take a file in as a draft, once it is such that it could decide."""
    form, key = await request.form(), await key_of(request)
    typed = {name: forms.text(form, name).strip() for name in ("version", "base", "table")}
    chosen = form.get("file")
    content = await chosen.read() if isinstance(chosen, UploadFile) else b""
    kind = _kind(chosen.filename if isinstance(chosen, UploadFile) else None, content)
    if problems := _missing(typed, content, kind):
        return await _list(request, actor, typed, problems)
    upload = Upload(typed["version"], content, kind, typed["base"] or None, typed["table"])
    try:
        async with request.app.state.database.work(actor, purpose="keep_rules") as work:

            async def once() -> Response:
                await ruling.draft_rules(work, upload.version, await ruling.body_of(work, upload))
                return redirect(request, f"/aturan/{upload.version}", said=msg("The draft was taken in. Try it next."))

            return await idempotent(request, work, key, once)
    except RulesUnusable as unusable:
        return await _list(request, actor, typed, _said(language_of(request), unusable.findings))
    except RulesKnown:
        return await _list(request, actor, typed, [("version", KNOWN)])


@router.get("/aturan/{version}")
async def version_page(request: Request, actor: Keeper, version: Named) -> Response:
    """One version: how far it is, and its tables to read."""
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:
        found = await _found(work, version)
        text = (await ruling.find_rules(work, version)).text
    return page(
        request,
        "ruleset.html",
        rules=rulewords.version(language, found, actor),
        steps=rulewords.steps(language, found),
        tables=rulewords.tables(language, text),
        zone=policy.zone(actor),
    )


@router.get("/aturan/{version}/berlaku")
async def activation_page(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """What putting a version in force means; asked for by one, confirmed by another."""
    return await _activation(request, actor, version)


@router.post("/aturan/{version}/minta")
async def ask(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """Ask that a version be put in force."""
    said = msg("Asked. Another coordinator has to confirm.")
    return await _step(request, actor, version, ruling.ask_activation, said)


@router.post("/aturan/{version}/berlaku")
async def confirm(request: Request, actor: RecentKeeper, version: Named) -> Response:
    """Put a version in force that somebody else has asked for."""
    return await _step(request, actor, version, ruling.activate_rules, msg("The version is in force."))


@router.post("/aturan/{version}/berhenti")
async def retire(request: Request, actor: Keeper, version: Named) -> Response:
    """Give a draft up."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            await ruling.retire_rules(work, version)
            return redirect(request, "/aturan", said=msg("The draft was given up."))

        return await idempotent(request, work, key, once)


async def _step(request: Request, actor: Actor, version: str, act: Act, said: str) -> Response:
    """One step towards being in force; where it is not due, the page says how it stands now."""
    key = await key_of(request)
    try:
        async with request.app.state.database.work(actor, purpose="keep_rules") as work:

            async def once() -> Response:
                await act(work, version)
                return redirect(request, f"/aturan/{version}", said=said)

            return await idempotent(request, work, key, once)
    except (RulesNotThere, RulesNeedAnother):
        return await _activation(request, actor, version, 409)


async def _list(
    request: Request,
    actor: Actor,
    typed: dict[str, str] | None = None,
    problems: list[tuple[str, str]] | None = None,
) -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:
        found = await rulesets.list_rule_sets(work)
    errors = [FieldProblem(field, translate(language, said)) for field, said in problems or ()]
    return page(
        request,
        "rulesets.html",
        422 if errors else 200,
        versions=[rulewords.version(language, one, actor) for one in found],
        bases=[(one.version, one.version) for one in found],
        typed=typed or {"version": "", "base": "", "table": ""},
        tables=[(name, translate(language, rulewords.TABLES[name])) for name in lint.SHAPES],
        errors=errors[:MOST_FINDINGS],
        more=max(0, len(errors) - MOST_FINDINGS),
        zone=policy.zone(actor),
    )


async def _activation(request: Request, actor: Actor, version: str, status: int = 200) -> Response:
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:
        found = await _found(work, version)
        active = await rulesets.find_active(work)
    return page(
        request,
        "ruleset_force.html",
        status,
        rules=rulewords.version(language_of(request), found, actor),
        active=active.version if active else "",
        zone=policy.zone(actor),
    )


async def _found(work: Work, version: str) -> RuleSet:
    found = next((one for one in await rulesets.list_rule_sets(work) if one.version == version), None)
    if found is None:
        raise RulesUnknown(version)
    return found


def _kind(name: str | None, content: bytes) -> ruling.Kind:
    if content.startswith(b"PK"):
        return "xlsx"
    return "csv" if (name or "").lower().endswith(".csv") else "jdm"


def _missing(typed: dict[str, str], content: bytes, kind: ruling.Kind) -> list[tuple[str, str]]:
    """What the form lacks, by field."""
    problems = []
    try:
        NAME.validate_python(typed["version"])
    except ValidationError:
        problems.append(("version", NO_NAME))
    if not content:
        problems.append(("file", NO_FILE))
    if kind == "csv" and not typed["table"]:
        problems.append(("table", NO_TABLE))
    return problems


def _said(language: Language, findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """The findings in sentences: where it is, what it is, what to do."""
    return [
        (
            "file",
            f"{' '.join(part for part in (f.table, f.row, f.column) if part)}: "
            f"{translate(language, REMEDIES[f.reason]) % f.values}",
        )
        for f in findings
    ]
