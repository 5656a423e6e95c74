"""The ledger itself, and how anybody can verify it."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.audit import actions, policy
from services.audit.actions import Signer
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity import require
from shared.kit.web import page, page_router

router = page_router()

Reader = Annotated[Actor, Depends(require(*policy.READERS))]

ZONE = "Asia/Jakarta"
SHOWN_CHECKPOINTS = 20


@router.get("/ledger")
async def ledger_page(request: Request, actor: Reader) -> Response:
    """Size, newest checkpoints, and whether the tree is what was signed."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="audit") as work:
        ledger = await actions.describe_ledger(work, _signer(request))
        checkpoints = await actions.list_checkpoints(work, SHOWN_CHECKPOINTS)
    return page(
        request,
        "ledger.html",
        ledger=ledger,
        checkpoints=checkpoints,
        public_key=_signer(request).verifier_key,
        zone=ZONE,
    )


@router.get("/verifikasi")
async def verification_page(request: Request, actor: Reader) -> Response:  # noqa: ARG001 - the gate
    """How to verify a case and the ledger without trusting this server."""
    return page(request, "verification.html", public_key=_signer(request).verifier_key)


def _signer(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer
