"""What waits for a second person: that a child is of age, that somebody lives who was noted as dead."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.intake import policy
from services.intake.actions import ages, deaths
from services.intake.pages import history, labels
from services.intake.pages.arrival_corrections import CORRECTED
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter()

Decider = Annotated[Actor, Depends(identity.require("port_officer", policy.SUPERVISOR_ROLE))]
MOST_PROPOSALS = 200


@router.get("/usulan-umur")
async def proposals_page(request: Request, actor: Decider) -> Response:
    """Ages that wait for a second person, the longest first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await ages.list_open(work, limit=MOST_PROPOSALS)
        now = work.now
    return web.page(
        request,
        "age_proposals.html",
        proposals=found,
        now=now,
        me=actor.id,
        ports=codes.ports(),
        case_code=labels.case_code,
        age_bands=labels.AGE_BANDS,
        proofs=history.PROOFS,
        reasons=history.REASONS,
        at_port=actor.port is not None,
    )


@router.post("/usulan-umur/{proposal_id}")
async def decide(request: Request, proposal_id: Id, actor: Decider) -> Response:
    """Confirm that somebody is of age, or refuse it; who asked for it takes it back."""
    return await _decided(
        *(request, actor, "/usulan-umur"),
        confirm=lambda work: ages.confirm(work, request.app.state.vault, proposal_id),
        refuse=lambda work: ages.refuse(work, proposal_id),
        refused=msg("The person stays a child."),
    )


@router.get("/ternyata-hidup")
async def doubts_page(request: Request, actor: Decider) -> Response:
    """People who live though they were noted as dead, until a second person has confirmed it."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await deaths.list_open(work, limit=MOST_PROPOSALS)
    return web.page(
        request,
        "death_doubts.html",
        doubts=found,
        me=actor.id,
        ports=codes.ports(),
        case_code=labels.case_code,
        reasons=history.DOUBTS,
        at_port=actor.port is not None,
    )


@router.post("/ternyata-hidup/{doubt_id}")
async def decide_doubt(request: Request, doubt_id: Id, actor: Decider) -> Response:
    """Confirm that somebody lives, or refuse it; who said it takes it back."""
    return await _decided(
        *(request, actor, "/ternyata-hidup"),
        confirm=lambda work: deaths.confirm(work, doubt_id),
        refuse=lambda work: deaths.refuse(work, doubt_id),
        refused=msg("The death stands as it was noted."),
    )


Step = Callable[[Work], Awaitable[object]]


async def _decided(request: Request, actor: Actor, back: str, *, confirm: Step, refuse: Step, refused: str) -> Response:
    """What the form says, done once; then back to what still waits."""
    form = await request.form()
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:

        async def act() -> Response:
            if form.get("decision") == "confirmed":
                await confirm(work)
                return web.redirect(request, back, said=CORRECTED)
            await refuse(work)
            return web.redirect(request, back, said=refused)

        return await web.idempotent(request, work, await web.key_of(request), act)
