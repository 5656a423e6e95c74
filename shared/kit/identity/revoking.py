"""Where operators and data protection officers take access away and give it back: page and API of every service."""

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from shared.contracts.access import Scope
from shared.contracts.fact import Code
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import gate, revocations
from shared.kit.refusal import Refusal
from shared.kit.web.documents import KEYED
from shared.kit.web.forms import key_of
from shared.kit.web.idempotency import idempotent
from shared.kit.web.navigation import language_of, page_router, redirect
from shared.kit.web.pages import page
from shared.kit.web.problems import FieldProblem, Invalid, json_response
from shared.kit.words import msg

REVOKERS = ("operator", "data_protection_officer")
SHOWN = 200
ZONE = "Asia/Jakarta"

Revoker = Annotated[Actor, Depends(gate.require_recent(*REVOKERS, minutes=10))]
Reader = Annotated[Actor, Depends(gate.require(*REVOKERS))]

SCOPES = {
    "person": msg("A person"),
    "organisation": msg("An organisation"),
    "role": msg("A role"),
    "client": msg("A system"),
}
REASONS = {
    "left": msg("No longer works there"),
    "lost_device": msg("A device was lost"),
    "misuse": msg("Misuse"),
    "precaution": msg("As a precaution"),
}
KINDS = {
    "bar": msg("Keep out until access is given back"),
    "end": msg("End all sessions and tokens now; signing in again is possible"),
}
_code = TypeAdapter[str](Code)


class OwnAccess(Refusal):
    """Who takes the own access away could not give it back."""

    status = 409
    code = "own_access"
    title = msg("This would take your own access away")

    def __init__(self) -> None:
        super().__init__(msg("Let somebody else do it, or use “Sign out everywhere” on the page of your devices."))


class Whose(BaseModel):
    """A person (by what the provider calls them), client, role or organisation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Scope
    code: Code


class Revocation(Whose):
    """`bars`: nothing new is given until it is restored. Else only what was issued until now ends."""

    bars: bool = True
    why: Literal["left", "lost_device", "misuse", "precaution"]


def api_router() -> APIRouter:
    """`GET` and `POST /api/revocations`, `POST /api/restorations`."""
    made = APIRouter(prefix="/api", tags=["access"])

    @made.get("/revocations")
    async def get_revocations(request: Request, actor: Reader) -> Response:
        """Who is kept out at the moment, the latest first."""
        async with gate.of(request).database.work(actor, purpose="look") as work:
            barred = await revocations.list_barred(work, limit=SHOWN)
        return json_response({"revocations": barred})

    @made.post("/revocations", status_code=201, openapi_extra=KEYED)
    async def post_revocation(request: Request, actor: Revoker, wanted: Revocation) -> Response:
        """Take access away: here at once, at the other services within a second.

        A person must have signed in within the last ten minutes (else 401 `sign_in_not_recent`).
        """
        return await _revoke(request, actor, wanted, json_response(wanted, 201))

    @made.post("/restorations", status_code=201, openapi_extra=KEYED)
    async def post_restoration(request: Request, actor: Revoker, wanted: Whose) -> Response:
        """Give access back. Sessions and tokens that were ended stay ended."""
        return await _restore(request, actor, wanted, json_response(wanted, 201))

    return made


def router() -> APIRouter:
    """`GET` and `POST /{language}/pencabutan`, `POST …/pencabutan/pulih`."""
    made = page_router()

    @made.get("/pencabutan")
    async def revocations_page(request: Request, actor: Revoker) -> Response:
        """Who is kept out, and the form to take access away."""
        return await _page(request, actor, {}, [])

    @made.post("/pencabutan")
    async def post_revocation(request: Request, actor: Revoker) -> Response:
        """Take access away."""
        said, errors = _read(request, await request.form())
        if errors:
            return await _page(request, actor, said, errors)
        wanted = Revocation(
            scope=said["scope"],
            code=said["code"],
            bars=said["kind"] == "bar",
            why=said["why"],
        )
        done = redirect(request, "/pencabutan", said=msg("Done: it holds here now, and at the other services shortly."))
        return await _revoke(request, actor, wanted, done)

    @made.post("/pencabutan/pulih")
    async def post_restoration(request: Request, actor: Revoker) -> Response:
        """Give access back."""
        form = await request.form()
        try:
            wanted = Whose.model_validate({"scope": form.get("scope"), "code": form.get("code")})
        except ValidationError:
            raise Invalid([]) from None
        return await _restore(
            request, actor, wanted, redirect(request, "/pencabutan", said=msg("Access was given back."))
        )

    return made


async def _revoke(request: Request, actor: Actor, wanted: Revocation, answer: Response) -> Response:
    if (wanted.scope, wanted.code) in revocations.names_of(actor):
        raise OwnAccess
    key = await key_of(request)
    identity = gate.of(request)
    async with identity.database.work(actor, purpose="revoke") as work:

        async def act() -> Response:
            await revocations.revoke(work, scope=wanted.scope, code=wanted.code, bars=wanted.bars, why=wanted.why)
            return answer

        given = await idempotent(request, work, key, act)
    identity.revocations.changed()
    return given


async def _restore(request: Request, actor: Actor, wanted: Whose, answer: Response) -> Response:
    key = await key_of(request)
    identity = gate.of(request)
    async with identity.database.work(actor, purpose="restore") as work:

        async def act() -> Response:
            await revocations.restore(work, scope=wanted.scope, code=wanted.code)
            return answer

        given = await idempotent(request, work, key, act)
    identity.revocations.changed()
    return given


async def _page(request: Request, actor: Actor, said: dict[str, str], errors: list[FieldProblem]) -> Response:
    async with gate.of(request).database.work(actor, purpose="look") as work:
        barred = await revocations.list_barred(work, limit=SHOWN)
    return page(
        request,
        "revocations.html",
        422 if errors else 200,
        barred=barred,
        values={"scope": "person", "code": "", "kind": "bar", "why": "", **said},
        errors=errors,
        scopes=SCOPES,
        reasons=REASONS,
        kinds=KINDS,
        zone=ZONE,
    )


def _read(request: Request, form: FormData) -> tuple[dict[str, str], list[FieldProblem]]:
    """What was entered, and what is wrong with it."""
    language = language_of(request)
    said = {name: str(form.get(name, "")).strip()[:64] for name in ("scope", "code", "kind", "why")}
    problems = []
    for name, known, sentence in (
        ("scope", get_args(Scope), msg("Choose whose access is meant.")),
        ("kind", tuple(KINDS), msg("Choose what is to happen.")),
        ("why", tuple(REASONS), msg("Choose a reason.")),
    ):
        if said[name] not in known:
            problems.append(FieldProblem(name, words.translate(language, sentence)))
    try:
        _code.validate_python(said["code"])
    except ValidationError:
        problems.insert(
            0,
            FieldProblem(
                "code",
                words.translate(language, msg("Enter the code as it stands on the trail.")),
                words.translate(language, msg("Letters, digits and . _ : / - only.")),
            ),
        )
    return said, problems
