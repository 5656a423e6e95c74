"""The statement of refusal: the paper to be signed, and the record of what was signed, with which the need ends."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import answering, disclosing, refusing
from services.referral.actions.answering import Answer
from services.referral.actions.refusing import Signed, Signing
from services.referral.domain import assignments, referrals
from services.referral.domain.agencies import Directory
from services.referral.domain.needs import Need
from services.referral.domain.refusals import (
    DisclosureEnded,
    IdentityErased,
    IdentityFollows,
    IdentityWithheld,
    PlaceUnknown,
    ReasonMissing,
    Refused,
    RefuserUnfit,
    SignatureMissing,
)
from services.referral.domain.statements import Statement
from services.referral.pages import forms, labels
from services.referral.pages.cases import Worker
from services.referral.pages.signing import NUMBER, ON_PAPER, Problems, missing, moment_of, options, places, record
from services.referral.pages.supervision import Duty, duty_of
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, language_of, page, page_router, reads_people, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

router = page_router()

PROBLEMS: Problems = {
    ReasonMissing: (
        "explained",
        msg("Nobody can refuse what was not explained: at least what was offered and what follows."),
    ),
    PlaceUnknown: ("place", msg("Choose the regency.")),
    RefuserUnfit: (
        "incapacity",
        msg("Family refuses only for whoever cannot decide itself: give the number of the document that says so."),
    ),
    SignatureMissing: (
        "signed_at",
        msg("Record the statement when both have signed: first the refusal, then the signatures."),
    ),
}

NAMES = {
    "number": msg("Number of the statement"),
    "incapacity": msg("Number of the document that says that the person cannot decide"),
    "refused_at": msg("Refused at"),
    "signed_at": msg("Both have signed"),
}
"""Fields of which two may be told the same."""


@router.get("/rujukan/{assignment_id}/penolakan")
async def refusal_page(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """What is recorded, and the form for what was signed. Looking is on the trail."""
    return await _show(request, actor, assignment_id)


@router.post("/rujukan/{assignment_id}/penolakan")
async def record_refusal(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Record a signed statement; the need is refused."""

    async def act(work: Work, signed: Signed, version: int | None) -> None:
        [result] = await refusing.record_refusals(work, [Answer(assignment_id, version=version)], signed=signed)
        if isinstance(result, Refused):
            raise result

    show = partial(_show, request, actor, assignment_id)
    return await _record(request, actor, act, show, f"/rujukan/{assignment_id}", "serve")


@router.get("/eskalasi/{referral_id}/penolakan")
async def overseen_page(request: Request, actor: Duty, referral_id: Id) -> Response:
    """The same before who oversees the need."""
    return await _show_overseen(request, actor, referral_id)


@router.post("/eskalasi/{referral_id}/penolakan")
async def record_overseen(request: Request, actor: Duty, referral_id: Id) -> Response:
    """Record a statement that was signed before who oversees the need; it is refused."""
    await duty_of(request, actor)

    async def act(work: Work, signed: Signed, version: int | None) -> None:
        [result] = await refusing.record_as_supervisor(work, [Signing(referral_id, version)], signed=signed)
        if isinstance(result, Refused):
            raise result

    show = partial(_show_overseen, request, actor, referral_id)
    return await _record(request, actor, act, show, f"/eskalasi/{referral_id}/penolakan", "supervise")


@router.get("/eskalasi/{referral_id}/penolakan/cetak")
async def overseen_paper(request: Request, actor: Duty, referral_id: Id) -> Response:
    """The statement for paper, before who oversees the need; who it is, is written by hand."""
    await duty_of(request, actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        need, recorded = await refusing.find_refusable(work, referral_id)
        directory = (await request.app.state.routing.router(work)).directory
        now = work.now
    return _paper(request, actor, need, recorded, directory, {}, now)


async def _record(
    request: Request,
    actor: Actor,
    act: Callable[[Work, Signed, int | None], Awaitable[None]],
    show: Callable[..., Awaitable[Response]],
    path: str,
    purpose: str,
) -> Response:
    """What a form says of a statement, recorded once; what stood in the way is said on the form as it is now."""
    form = await request.form()
    number, incapacity = forms.text(form, "number").strip(), forms.text(form, "incapacity").strip()
    language, zone = language_of(request), ZoneInfo(policy.zone(actor))
    refused_at, signed_at = (moment_of(forms.text(form, name), zone) for name in ("refused_at", "signed_at"))
    problems = [
        missing(language, NAMES, name, text)
        for name, text, is_wrong in (
            ("number", NUMBER, not assignments.is_handover_ref(number)),
            ("incapacity", NUMBER, bool(incapacity) and not assignments.is_handover_ref(incapacity)),
            ("refuser", msg("Choose who refuses."), forms.text(form, "refuser") not in labels.REFUSERS),
            ("witness", msg("Choose the witness."), forms.text(form, "witness") not in labels.WITNESSES),
            ("language", msg("Choose the language."), forms.text(form, "language") not in labels.LANGUAGES),
            ("refused_at", msg("Give day and time."), refused_at is None),
            ("signed_at", msg("Give day and time."), signed_at is None),
        )
        if is_wrong
    ]
    if problems or refused_at is None or signed_at is None:
        return await show(status=422, errors=problems, form=form)
    signed = Signed(
        number=number,
        refuser=forms.text(form, "refuser"),
        incapacity=incapacity or None,
        witness=forms.text(form, "witness"),
        place=forms.text(form, "place"),
        language=forms.text(form, "language"),
        explained=tuple(str(one) for one in form.getlist("explained")),
        refused_at=refused_at,
        signed_at=signed_at,
    )
    version = forms.version(request, form)

    async def once(work: Work) -> None:
        await act(work, signed, version)

    said = msg("The statement is recorded. The need is refused; nobody is asked any more.")
    return await record(request, actor, once, show, PROBLEMS, purpose=purpose, path=path, said=said)


@router.get("/rujukan/{assignment_id}/penolakan/cetak")
@reads_people
async def paper(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The statement for paper (Annex III), with who it is where that is shown to the agency; else by hand."""
    state = request.app.state
    identity: dict[str, str] = {}
    with suppress(IdentityFollows, IdentityErased, IdentityWithheld, DisclosureEnded):
        identity = await disclosing.read_identity(
            state.database, state.disclosure, state.identity.service_token, actor, assignment_id
        )
    async with state.database.work(actor, purpose="read_case") as work:
        need, _ = await answering.read_case(work, assignment_id)
        recorded = await refusing.find_statements(work, need)
        directory = (await state.routing.router(work)).directory
        now = work.now
    if need.referral.child:
        return redirect(request, f"/rujukan/{assignment_id}")
    return _paper(request, actor, need, recorded, directory, identity, now)


def _paper(
    request: Request,
    actor: Actor,
    need: Need,
    recorded: Sequence[Statement],
    directory: Directory,
    identity: Mapping[str, str],
    now: datetime,
) -> Response:
    language = language_of(request)
    said = labels.disclosed(language, identity)
    known = [(translate(language, labels.FIELDS.get(n, n)), value) for n, value in said.items() if n in ON_PAPER]
    return page(
        request,
        "refusal_paper.html",
        identity=known or [(translate(language, labels.FIELDS[name]), "") for name in ("full_name", "birth", "nik")],
        reference=labels.reference(need.referral.case_id),
        need=labels.need(language, need.referral.need),
        agency=labels.agency(directory, actor.organisation),
        statement=recorded[-1] if recorded else None,
        refusers=labels.REFUSERS,
        witnesses=labels.WITNESSES,
        languages=labels.LANGUAGES,
        explanations=labels.EXPLAINED,
        region=labels.region,
        now=now,
        zone=policy.zone(actor),
    )


async def _show(
    request: Request,
    actor: Actor,
    assignment_id: str,
    *,
    status: int = 200,
    errors: list[FieldProblem] | None = None,
    conflict: str = "",
    form: FormData | None = None,
) -> Response:
    async with request.app.state.database.work(actor, purpose="read_case") as work:
        need, assignment = await answering.read_case(work, assignment_id)
        recorded = await refusing.find_statements(work, need)
    return _page(
        request,
        actor,
        need,
        recorded,
        f"/rujukan/{assignment_id}",
        status=status,
        errors=errors,
        conflict=conflict,
        form=form,
        version=assignment.version,
        may_refuse=assignment.is_live and not need.referral.child,
    )


async def _show_overseen(
    request: Request,
    actor: Actor,
    referral_id: str,
    *,
    status: int = 200,
    errors: list[FieldProblem] | None = None,
    conflict: str = "",
    form: FormData | None = None,
) -> Response:
    await duty_of(request, actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        need, recorded = await refusing.find_refusable(work, referral_id)
    return _page(
        request,
        actor,
        need,
        recorded,
        f"/eskalasi/{referral_id}",
        status=status,
        errors=errors,
        conflict=conflict,
        form=form,
        version=need.version,
        may_refuse=(need.referral.state, "consent_refused") in referrals.MOVES,
    )


def _page(
    request: Request,
    actor: Actor,
    need: Need,
    recorded: Sequence[Statement],
    path: str,
    *,
    status: int,
    errors: list[FieldProblem] | None,
    conflict: str,
    form: FormData | None,
    version: int,
    may_refuse: bool,
) -> Response:
    language = language_of(request)
    return page(
        request,
        "refusal.html",
        status=status,
        errors=errors or [],
        conflict=conflict,
        path=path,
        back=path if path.startswith("/rujukan") else f"{path}/alasan",
        version=version,
        reference=labels.reference(need.referral.case_id),
        need=labels.need(language, need.referral.need),
        may_refuse=may_refuse,
        child=need.referral.child,
        recorded=recorded,
        refusers=options(language, labels.REFUSERS),
        witnesses=options(language, labels.WITNESSES),
        languages=options(language, labels.LANGUAGES),
        explanations=options(language, labels.EXPLAINED),
        names=labels.REFUSERS,
        places=places(need),
        typed={} if form is None else {name: form.getlist(name) for name in form},
        zone=policy.zone(actor),
    )
