"""The statement of refusal: the paper to be signed, and the record of what was signed, with which the need ends."""

from contextlib import suppress
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import answering, disclosing, refusing
from services.referral.actions.answering import Answer
from services.referral.actions.refusing import Signed
from services.referral.domain import assignments
from services.referral.domain.refusals import (
    AssignmentUnknown,
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
from services.referral.pages import conflicts, forms, labels
from services.referral.pages.cases import Worker
from services.referral.pages.handovers import NUMBER, ON_PAPER, moment_of, options, places
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.web import (
    FieldProblem,
    idempotent,
    key_of,
    language_of,
    page,
    page_router,
    reads_people,
    redirect,
)
from shared.kit.words import msg, translate

router = page_router()

PROBLEMS: dict[type[Refused], tuple[str, str]] = {
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
"""At which field a refusal is shown, and in which words."""


@router.get("/rujukan/{assignment_id}/penolakan")
async def refusal_page(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """What is recorded, and the form for what was signed. Looking is on the trail."""
    return await _show(request, actor, assignment_id)


@router.post("/rujukan/{assignment_id}/penolakan")
async def record_refusal(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Record a signed statement; the need is refused."""
    form, key = await request.form(), await key_of(request)
    number, incapacity = forms.text(form, "number").strip(), forms.text(form, "incapacity").strip()
    language, zone = language_of(request), ZoneInfo(policy.zone(actor))
    refused_at, signed_at = (moment_of(forms.text(form, name), zone) for name in ("refused_at", "signed_at"))
    missing = [
        FieldProblem(name, translate(language, text))
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
    if missing or refused_at is None or signed_at is None:
        return await _show(request, actor, assignment_id, status=422, errors=missing, form=form)
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
    try:
        async with request.app.state.database.work(actor, purpose="serve") as work:

            async def once() -> Response:
                answer = Answer(assignment_id, version=forms.version(request, form))
                [result] = await refusing.record_refusals(work, [answer], signed=signed)
                if isinstance(result, Refused):
                    raise result
                said = msg("The statement is recorded. The need is refused; nobody is asked any more.")
                return redirect(request, f"/rujukan/{assignment_id}", said=said)

            return await idempotent(request, work, key, once)
    except AssignmentUnknown:
        raise
    except Refused as refused:
        if type(refused) in PROBLEMS:
            field, text = PROBLEMS[type(refused)]
            errors = [FieldProblem(field, translate(language, text))]
            return await _show(request, actor, assignment_id, status=422, errors=errors, form=form)
        conflict = conflicts.sentence(language, refused, policy.zone(actor))
        return await _show(request, actor, assignment_id, status=409, conflict=conflict, form=form)


@router.get("/rujukan/{assignment_id}/penolakan/cetak")
@reads_people
async def paper(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The statement for paper (Annex III), with who it is where that is shown to the agency; else by hand."""
    state, language = request.app.state, language_of(request)
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
    known = [(translate(language, labels.FIELDS.get(n, n)), value) for n, value in identity.items() if n in ON_PAPER]
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
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="read_case") as work:
        need, assignment = await answering.read_case(work, assignment_id)
        recorded = await refusing.find_statements(work, need)
    return page(
        request,
        "refusal.html",
        status=status,
        errors=errors or [],
        conflict=conflict,
        a=assignment,
        reference=labels.reference(need.referral.case_id),
        need=labels.need(language, need.referral.need),
        may_refuse=assignment.is_live and not need.referral.child,
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
