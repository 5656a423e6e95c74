"""What if: other rules or a directory without some offices, on who landed before; and noting that a draft was tried."""

import re
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import ruling
from services.referral.actions.keeping import AgencyUnknown
from services.referral.actions.running import Run, Runs
from services.referral.actions.trying import MONTH, Question
from services.referral.domain.agencies import Directory
from services.referral.domain.figures import FEWEST, RESTRICTED
from services.referral.domain.rulesets import RulesUnknown
from services.referral.domain.trials import TOTALS
from services.referral.pages import forms, labels
from services.referral.rules import reasons
from services.referral.store import rulesets
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg, translate

router = page_router()

Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
Text = Annotated[str, Query(max_length=400)]

FIELDS = ("rules", "since", "until", "port", "without")
OFFICES = re.compile(r"[\s,;]+")
MOST_OFFICES = 50
MONTHS = msg("Write a month, for example 2026-11.")
NO_SUCH_OFFICE = msg("The directory has no office %(agency)s. Look its number up in the directory.")
NO_SUCH_RULES = msg("There is no such version of the rules. Choose one of the list.")


@router.get("/bagaimana-jika")
async def what_if_page(
    request: Request,
    actor: Keeper,
    rules: Text = "",
    since: Text = "",
    until: Text = "",
    port: Text = "",
    without: Text = "",
    go: bool = False,
) -> Response:
    """The form, and once it was sent how far the answer is, or the answer."""
    typed = dict(zip(FIELDS, (rules, since, until, port, without), strict=True))
    return await _page(request, actor, typed, go=go)


@router.get("/bagaimana-jika/hasil")
async def result(
    request: Request,
    actor: Keeper,
    rules: Text = "",
    since: Text = "",
    until: Text = "",
    port: Text = "",
    without: Text = "",
) -> Response:
    """How far the answer is, or the answer, by itself."""
    typed = dict(zip(FIELDS, (rules, since, until, port, without), strict=True))
    asked = _asked(language_of(request), typed)
    if isinstance(asked, list):
        return redirect(request, "/bagaimana-jika")
    return page(request, "whatif_result.html", typed=typed, **await _answer(request, actor, typed, asked))


@router.post("/aturan/{version}/uji")
async def note_tried(request: Request, actor: Keeper, version: str) -> Response:
    """A coordinator has looked at what a version would have made of the past."""
    form, key = await request.form(), await key_of(request)
    typed = {name: forms.text(form, name).strip() for name in FIELDS} | {"rules": version}
    asked = _asked(language_of(request), typed)
    if isinstance(asked, list):
        return await _page(request, actor, typed, go=True)
    runs: Runs = request.app.state.runs
    await (await runs.of(actor, asked)).finished()
    async with request.app.state.database.work(actor, purpose="keep_rules") as work:

        async def once() -> Response:
            await ruling.note_tried(work, version)
            return redirect(request, f"/aturan/{version}", said=msg("Noted that it was tried."))

        return await idempotent(request, work, key, once)


async def _page(request: Request, actor: Actor, typed: dict[str, str], *, go: bool) -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        versions = await rulesets.list_rule_sets(work)
    asked: Question | list[FieldProblem] = _asked(language, typed) if go else []
    answer: dict[str, Any] = {}
    if isinstance(asked, Question):
        try:
            answer = await _answer(request, actor, typed, asked)
        except AgencyUnknown as unknown:
            asked = [FieldProblem("without", translate(language, NO_SUCH_OFFICE) % {"agency": unknown})]
        except RulesUnknown:
            asked = [FieldProblem("rules", translate(language, NO_SUCH_RULES))]
    errors = asked if isinstance(asked, list) else []
    return page(
        request,
        "whatif.html",
        422 if errors else 200,
        typed=typed,
        versions=[(one.version, one.version) for one in versions if one.state != "active"],
        ports=[(code, labels.port(code)) for code in codes.ports()],
        errors=errors,
        **({"run": None} | answer),
    )


def _asked(language: Language, typed: dict[str, str]) -> Question | list[FieldProblem]:
    """What the form asks, or what is wrong with it."""
    wrong = [
        FieldProblem(name, translate(language, MONTHS))
        for name in ("since", "until")
        if typed[name] and not re.fullmatch(MONTH, typed[name])
    ]
    offices = tuple(sorted({office for office in OFFICES.split(typed["without"].strip()) if office}))
    port = typed["port"] if typed["port"] in codes.ports() else None
    return wrong or Question(
        since=typed["since"] or None,
        until=typed["until"] or None,
        port=port,
        without=offices[:MOST_OFFICES],
        version=typed["rules"] or None,
    )


async def _answer(request: Request, actor: Actor, typed: dict[str, str], asked: Question) -> dict[str, Any]:
    runs: Runs = request.app.state.runs
    run = await runs.of(actor, asked)
    async with request.app.state.database.work(actor, purpose="look") as work:
        versions = {one.version: one.state for one in await rulesets.list_rule_sets(work)}
        directory = (await request.app.state.routing.router(work)).directory
    return {
        "run": run,
        "here": "/bagaimana-jika/hasil?" + urlencode(typed),
        "fewest": FEWEST,
        "shown": _shown(language_of(request), directory, run),
        "may_note": asked.version is not None and versions.get(asked.version) in {"draft", "tried"},
    }


def _shown(language: Language, directory: Directory, run: Run) -> dict[str, Any] | None:
    """The result in words; None while it is not there."""
    found = run.result
    if found is None:
        return None

    def need(code: str) -> str:
        return translate(language, msg("restricted needs")) if code == RESTRICTED else labels.need(language, code)

    def office(agency_id: str | None) -> str:
        if agency_id is None:
            return translate(language, msg("nobody"))
        return "–" if agency_id == RESTRICTED else labels.agency(directory, agency_id)

    def span(times: Sequence[Any]) -> str:
        answer, service, counted = times
        return f"{answer} / {service}, {translate(language, reasons.COUNTED[counted])}"

    return {
        "totals": {name: found[name] for name in TOTALS},
        "moved": [
            (
                need(line["need"]),
                "–" if line["province"] == RESTRICTED else labels.region(line["province"]),
                office(line["before"]),
                office(line["after"]),
                line["needs"],
            )
            for line in found["moved"]
        ],
        "deadlines": [
            (
                need(line["need"]),
                office(line["agency_id"]),
                span(line["before"]),
                span(line["after"]),
                line["needs"],
            )
            for line in found["deadlines"]
        ],
        "load": [(office(line["agency_id"]), line["before"], line["after"]) for line in found["load"]],
    }
