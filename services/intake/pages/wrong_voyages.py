"""A list of another voyage: how many would be taken back, who is left and why, and one press that does it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.intake.actions import voyages, wrong_voyages
from services.intake.domain.wrong_voyages import LeftFor
from services.intake.pages import labels
from services.intake.pages.keyed import once_prepared
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg, msg_count
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
MOST_LEFT = 500
REASONS: Mapping[LeftFor, str] = {
    "died": msg("The person has died"),
    "erased": msg("Erased"),
    "corrected": msg("Corrected, or a correction was asked for"),
    "screened": msg("Screened"),
    "consented": msg("Consent was recorded"),
    "compared": msg("Decided whether the person came before"),
    "linked": msg("Household or guardian was said by people"),
    "helped": msg("Shown to an agency, or helped"),
    "answers_for": msg("Answers for a child that stays"),
}


@router.get("/daftar/{manifest_id}/pelayaran-lain")
async def list_page(request: Request, manifest_id: Id, actor: Officer) -> Response:
    """Who of the list can be taken back and who is left; once it was pressed, what became of them."""
    database: Database = request.app.state.database
    seen = await wrong_voyages.look(database, actor, manifest_id)
    voyage = await voyages.find_voyage(database, actor, seen.taken.voyage_id)
    language = web.language_of(request)
    said = {code: words.translate(language, text) for code, text in REASONS.items()}
    return web.page(
        request,
        "wrong_voyage.html",
        voyage=voyage,
        zone=labels.zone_of(voyage),
        manifest_id=manifest_id,
        taken=seen.taken,
        standing=seen.standing,
        reasons=[(said[code], n) for code, n in seen.standing.reasons.items()],
        left=[(id_, labels.case_code(id_), said[code]) for id_, code in [*seen.standing.left.items()][:MOST_LEFT]],
    )


@router.post("/daftar/{manifest_id}/pelayaran-lain")
async def take_back(request: Request, manifest_id: Id, actor: Officer) -> Response:
    """Take the list back, and show what became of it."""

    async def prepare() -> Callable[[Work], Awaitable[Response]]:
        done = await wrong_voyages.take_back(request.app.state.database, actor, manifest_id)

        async def answer(_: Work) -> Response:
            told = msg_count("%(n)s person was taken back.", "%(n)s people were taken back.")
            return web.redirect(request, f"/daftar/{manifest_id}/pelayaran-lain", said=told, n=done.now)

        return answer

    return await once_prepared(request, actor, prepare)
