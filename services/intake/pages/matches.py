"""Who may have come before: the port's list, two people side by side with what differs, and the decision."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import policy
from services.intake.actions import matches
from services.intake.actions.matches import MatchConflict, Side
from services.intake.domain.matches import DECISIONS, UNDO_REASONS, Decision, Match, UndoReason, covered
from services.intake.domain.matching.fields import FIELDS
from services.intake.domain.refusals.matches import (
    MatchChangedMeanwhile,
    MatchContradicts,
    MatchDecided,
    MatchEnded,
    MatchNotDecided,
)
from services.intake.pages import labels, matchwords
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]

PER_PAGE = 50
OF_IDENTITY = {
    "name": ("full_name", "alias"), "mother": ("mother_name",), "birth": ("birth",), "nik": ("nik",),
    "document": ("document_number",), "birthplace": ("birthplace",),
}  # fmt: skip
"""Which fields of an identity stand in the row of a field that is compared; the father's name stands in the name."""


@router.get("/kecocokan")
async def matches_page(
    request: Request,
    actor: Officer,
    pelayaran: Annotated[Id | None, Query()] = None,
    setelah: Annotated[Id | None, Query()] = None,
) -> Response:
    """What is to be decided at the own port, or of one voyage (`pelayaran`); `setelah` pages on."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found, following = await matches.list_undecided(work, voyage_id=pelayaran, after=setelah, limit=PER_PAGE)
    language = web.language_of(request)
    return web.page(
        request,
        "matches.html",
        matches=found,
        reasons={one.match_id: matchwords.reasons(language, one.agreements) for one in found},
        voyage_id=pelayaran or "",
        next_after=following or "",
        is_first=setelah is None,
        zone=codes.ports()[policy.own_port(actor)].zone,
        case_code=labels.case_code,
        strengths=matchwords.STRENGTHS,
        states=matches.STATES,
    )


@router.get("/kecocokan/{match_id}")
@web.reads_people
async def match_page(request: Request, match_id: Id, actor: Officer) -> Response:
    """Two people side by side; that they were looked at is on the trail of both first."""
    return await _page(request, actor, match_id)


@router.post("/kecocokan/{match_id}")
async def decide(request: Request, match_id: Id, actor: Officer) -> Response:
    """The same person, different people, or later."""
    form = await request.form()
    chosen = str(form.get("decision", ""))
    decision: Decision = chosen if chosen in DECISIONS else "later"

    async def act(work: Work) -> tuple[Match, str]:
        return await matches.decide(work, match_id, decision, version=_version(form)), matchwords.SAID[decision]

    return await _act(request, actor, match_id, act)


@router.post("/kecocokan/{match_id}/tarik")
async def take_back(request: Request, match_id: Id, actor: Officer) -> Response:
    """Take the decision back, with a reason."""
    form = await request.form()
    chosen = str(form.get("reason", ""))
    reason: UndoReason = chosen if chosen in UNDO_REASONS else UNDO_REASONS[0]

    async def act(work: Work) -> tuple[Match, str]:
        match = await matches.take_back(work, match_id, reason=reason, version=_version(form))
        return match, matchwords.SAID["ended" if match.state == "ended" else "undone"]

    return await _act(request, actor, match_id, act)


Act = Callable[[Work], Awaitable[tuple[Match, str]]]
"""Decides, and answers the pair as it is by then and what to say of it."""


async def _act(request: Request, actor: Actor, match_id: str, act: Act) -> Response:
    """One decision, once per form; what stands in its way is shown beside the two."""
    database: Database = request.app.state.database
    language = web.language_of(request)
    try:
        async with database.work(actor, purpose="match") as work:

            async def once() -> Response:
                match, said = await act(work)
                at = "/kecocokan" if match.state == "ended" else f"/kecocokan/{match_id}"
                return web.redirect(request, at, said=said)

            return await web.idempotent(request, work, await web.key_of(request), once)
    except MatchChangedMeanwhile as changed:
        problem = MatchConflict(language, changed, policy.own_port(actor)).detail
        return await _page(request, actor, match_id, problem=problem, status=409)
    except (MatchContradicts, MatchDecided, MatchNotDecided) as refused:
        return await _page(request, actor, match_id, problem=words.translate(language, refused.detail), status=409)


async def _page(request: Request, actor: Actor, match_id: str, *, problem: str = "", status: int = 200) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="match") as work:
        seen = await matches.read_side_by_side(work, request.app.state.vault, match_id)
    language = web.language_of(request)
    return web.page(
        request,
        "match.html",
        status,
        match=seen.match,
        closed=words.translate(language, MatchEnded.detail) if seen.closed else "",
        rows=_rows(language, seen.match, seen.sides) if seen.sides else [],
        landed=[_month(language, side) for side in seen.sides or ()],
        history=seen.history,
        problem=problem,
        zone=codes.ports()[policy.own_port(actor)].zone,
        case_code=labels.case_code,
        strengths=matchwords.STRENGTHS,
        states=matches.STATES,
        taken=matchwords.DECISIONS,
        undo_names=matchwords.UNDO_REASONS,
        undo_options=labels.options(language, matchwords.UNDO_REASONS),
    )


def _rows(language: Language, match: Match, sides: tuple[Side, Side]) -> list[dict[str, str]]:
    """Field by field, in one order: what each of the two says, and how far they agree."""
    found = {one.field: one for one in match.agreements}
    rows = []
    for field in FIELDS:
        one = found.get(field)
        if one is None:
            continue
        later, earlier = (_said(language, field, side) for side in sides)
        rows.append(
            {
                "field": words.translate(language, matchwords.FIELDS[field]),
                "later": later,
                "earlier": earlier,
                "level": matchwords.level(language, one),
                "kind": matchwords.kind(one),
            }
        )
    return rows


def _said(language: Language, field: str, side: Side) -> str:
    """What one of the two says in a row; empty for what stands in another or is not known."""
    if field == "sex":
        return words.translate(language, labels.SEXES[side.sex])
    if field == "regency":
        return codes.regencies()[side.regency].name if side.regency else ""
    told = [covered(name, value) for name in OF_IDENTITY.get(field, ()) if (value := getattr(side.identity, name))]
    return " / ".join(words.born(language, one) if field == "birth" else one for one in told)


def _month(language: Language, side: Side) -> str:
    """The month of landing: enough to ask the person about, and no more of the earlier one."""
    return f"{words.LONG_MONTHS[language][side.landed.month - 1]} {side.landed.year}"


def _version(form: Mapping[str, Any]) -> int:
    text = str(form.get("version", ""))
    return int(text) if text.isdecimal() and len(text) < 9 else 0
