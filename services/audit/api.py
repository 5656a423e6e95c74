"""HTTP for programs: the public log (checkpoint, tiles, key, verifier) and the JSON API of auditors."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import PlainTextResponse

from services.audit import actions, policy
from services.audit.actions import Signer
from services.audit.domain import tiles, trails
from shared.contracts.fact import Id
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from shared.kit.identity import require
from shared.kit.web import json_response, reads_people
from shared.verifier import rujukan_verify

router = APIRouter(prefix="/api", tags=["audit"])
public = APIRouter(tags=["log"])

Reader = Annotated[Actor, Depends(require(*policy.READERS))]

VERIFIER = Path(rujukan_verify.__file__).read_bytes()
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}


class Octets(Response):
    media_type = "application/octet-stream"


class Script(Response):
    media_type = "text/x-python"


@public.get("/checkpoint", response_class=PlainTextResponse)
async def get_checkpoint(request: Request) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    async with database_of(request).work(system("audit", "log"), purpose="publish") as work:
        last = await actions.last_checkpoint(work)
    return PlainTextResponse(last.note, headers=FRESH)


@public.get("/tile/entries/{path:path}", response_class=Octets)
@reads_people
async def get_entries(request: Request, actor: Reader, path: str) -> Response:
    """A bundle of leaf data (C2SP tlog-tiles). For auditors: it says which case moved when."""
    index, width = tiles.named(path)
    async with database_of(request).work(actor, purpose="audit") as work:
        bundle = await actions.read_entries(work, index, width)
    return Octets(bundle)


@public.get("/tile/{level}/{path:path}", response_class=Octets)
async def get_tile(request: Request, level: int, path: str) -> Response:
    """A tile of hashes (C2SP tlog-tiles); open to all, hashes of salted commitments tell nothing."""
    index, width = tiles.named(path)
    async with database_of(request).work(system("audit", "log"), purpose="publish") as work:
        hashes = await actions.read_tile(work, level, index, width)
    return Octets(hashes, headers=FOR_EVER)


@public.get("/verifier-key", response_class=PlainTextResponse)
async def get_verifier_key(request: Request) -> Response:
    """The public key, and below it those that sign beside it. Who verifies should have them from elsewhere too."""
    return PlainTextResponse("".join(f"{key}\n" for key in signer_of(request).verifier_keys), headers=FRESH)


@public.get("/rujukan-verify.py", response_class=Script)
async def get_verifier() -> Response:
    """The verifier: one file that needs Python and the package `cryptography`."""
    return Script(VERIFIER, headers={**FRESH, "Content-Disposition": 'attachment; filename="rujukan-verify.py"'})


@router.get("/ledger")
async def get_ledger(request: Request) -> Response:
    """How far the ledger is, and whether its tiles give what was signed (recomputed for each question)."""
    async with database_of(request).work(system("audit", "log"), purpose="publish") as work:
        ledger = await actions.describe_ledger(work, signer_of(request))
    return json_response(
        {
            "size": ledger.sealed.size,
            "root": ledger.sealed.root.hex(),
            "checkpoint": ledger.sealed.note,
            "checkpoint_at": ledger.sealed.sealed_at,
            "public_key": signer_of(request).verifier_key,
            "leaves": ledger.leaves,
            "waiting": ledger.waiting,
            "lag_s": round(ledger.lag_s, 3),
            "verified": ledger.verified,
            "complaint": ledger.complaint,
            "recomputed_from": "all tiles" if ledger.lowest_level == 0 else "all tiles above the leaves",
        },
        headers=FRESH,
    )


@router.get("/ledger/consistency")
async def get_consistency(
    request: Request,
    from_: Annotated[int, Query(alias="from", ge=0)],
    to: Annotated[int, Query(ge=0)],
) -> Response:
    """The proof that the tree of `to` leaves begins with the tree of `from` leaves, for `rujukan-verify`."""
    async with database_of(request).work(system("audit", "log"), purpose="publish") as work:
        proof = await actions.prove_consistency(work, from_, to)
    return json_response(proof, headers=FRESH)


@router.get("/search")
@reads_people
async def get_search(request: Request, actor: Reader, case: str) -> Response:
    """The cases that have this code, or whose id begins so (at least eight characters); at most 20."""
    async with database_of(request).work(actor, purpose="audit") as work:
        found = await actions.find_cases(work, case)
    return json_response({"cases": found})


@router.get("/cases/{case_id}/trail")
@reads_people
async def get_trail(request: Request, actor: Reader, case_id: Id) -> Response:
    """Every event of a case from all services, in order; the reading itself is on the trail first."""
    async with database_of(request).work(actor, purpose="audit") as work:
        trail = await actions.read_trail(work, case_id)
    return json_response(
        {
            "case_id": case_id,
            "tree_size": trail.size,
            "entries": [_entry(entry) for entry in trail.entries],
            "gaps": trail.gaps,
            "conflicts": trail.conflicts,
        }
    )


@router.get("/cases/{case_id}/proof")
@reads_people
async def get_proof(request: Request, actor: Reader, case_id: Id) -> Response:
    """The proof bundle of a case, for `rujukan-verify`; the export is on the trail first."""
    async with database_of(request).work(actor, purpose="audit") as work:
        bundle = await actions.export_proof(work, signer_of(request), case_id)
    return json_response(
        bundle, headers={"Content-Disposition": f'attachment; filename="rujukan-proof-{case_id}.json"'}
    )


def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def signer_of(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer


def _entry(entry: trails.Entry) -> dict[str, Any]:
    leaf = entry.leaf
    told = leaf.told
    return {
        "leaf_index": leaf.index,
        "event_id": leaf.event_id,
        "source": leaf.source,
        "seq": leaf.case_seq,
        "type": leaf.type,
        "time": leaf.occurred_at,
        "state": entry.state,
        "redacted": leaf.redacted,
        "actor": told.get("actor"),
        "organisation": told.get("organisation"),
        "role": told.get("role"),
        "purpose": told.get("purpose"),
        "caused_by": told.get("caused_by"),
        "data": told.get("data"),
    }
