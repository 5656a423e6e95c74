"""Minutes of a handover: the paper to be signed, and the record of what was signed."""

from functools import partial
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import answering, disclosing, handing
from services.referral.actions.handing import Handed, Signed
from services.referral.domain import assignments
from services.referral.domain.refusals import (
    DisclosureEnded,
    GuardianCheckMissing,
    IdentityErased,
    IdentityFollows,
    IdentityWithheld,
    PlaceUnknown,
    ReasonMissing,
    Refused,
    SignatureMissing,
    WitnessUnfit,
)
from services.referral.pages import forms, labels
from services.referral.pages.cases import Worker
from services.referral.pages.signing import NUMBER, ON_PAPER, Problems, missing, moment_of, options, places, record
from services.referral.store import handovers as store
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, language_of, page, page_router, reads_people, redirect
from shared.kit.words import msg, translate
from shared.kit.work import Work

router = page_router()

PROBLEMS: Problems = {
    ReasonMissing: ("documents", msg("Choose what is on the minutes: documents, or that there were none.")),
    PlaceUnknown: ("place", msg("Choose the regency.")),
    WitnessUnfit: ("witness", msg("Family receives before a witness of the village or the local government.")),
    GuardianCheckMissing: (
        "guardian_check",
        msg("A child goes to family only after a check: give its number, or hand over to the social ministry."),
    ),
    SignatureMissing: (
        "signed_at",
        msg("Record the minutes when both have signed: first the handover, then the signatures."),
    ),
}

NAMES = {
    "number": msg("Number of the minutes"),
    "guardian_check": msg("Number of the guardian's check"),
    "handed_at": msg("Handed over"),
    "signed_at": msg("Both have signed"),
}
"""Fields of which two may be told the same."""


@router.get("/rujukan/{assignment_id}/berita-acara")
async def minutes_page(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """What is recorded, and the form for what was signed. Looking is on the trail."""
    return await _show(request, actor, assignment_id)


@router.post("/rujukan/{assignment_id}/berita-acara")
async def record_minutes(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Record signed minutes of one person."""
    form = await request.form()
    number, check = forms.text(form, "number").strip(), forms.text(form, "guardian_check").strip()
    language, zone = language_of(request), ZoneInfo(policy.zone(actor))
    handed_at, signed_at = (moment_of(forms.text(form, name), zone) for name in ("handed_at", "signed_at"))
    problems = [
        missing(language, NAMES, name, text)
        for name, text, is_wrong in (
            ("number", NUMBER, not assignments.is_handover_ref(number)),
            ("guardian_check", NUMBER, bool(check) and not assignments.is_handover_ref(check)),
            ("receiver", msg("Choose who received."), forms.text(form, "receiver") not in labels.RECEIVERS),
            ("witness", msg("Choose the witness."), forms.text(form, "witness") not in labels.WITNESSES),
            ("condition", msg("Choose how the person was."), forms.text(form, "condition") not in labels.CONDITIONS),
            ("handed_at", msg("Give day and time."), handed_at is None),
            ("signed_at", msg("Give day and time."), signed_at is None),
        )
        if is_wrong
    ]
    if problems or handed_at is None or signed_at is None:
        return await _show(request, actor, assignment_id, status=422, errors=problems, form=form)
    receiver, witness, place = (forms.text(form, name) for name in ("receiver", "witness", "place"))
    signed = Signed(number, receiver, witness, place, handed_at, signed_at)
    person = Handed(
        assignment_id,
        version=forms.version(request, form),
        documents=tuple(str(one) for one in form.getlist("documents")),
        condition=forms.text(form, "condition"),
        guardian_check=check or None,
    )

    async def act(work: Work) -> None:
        [result] = await handing.record_handovers(work, [person], signed=signed)
        if isinstance(result, Refused):
            raise result

    return await record(
        request,
        actor,
        act,
        partial(_show, request, actor, assignment_id),
        PROBLEMS,
        purpose="serve",
        path=f"/rujukan/{assignment_id}",
        said=msg("The minutes are recorded."),
    )


@router.get("/rujukan/{assignment_id}/berita-acara/cetak")
@reads_people
async def paper(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """The minutes for paper, with who it is, asked of intake for this page alone; other names are written by hand."""
    state, language = request.app.state, language_of(request)
    try:
        identity = await disclosing.read_identity(
            state.database, state.disclosure, state.identity.service_token, actor, assignment_id
        )
    except (IdentityFollows, IdentityErased, IdentityWithheld, DisclosureEnded):
        return redirect(request, f"/rujukan/{assignment_id}")
    async with state.database.work(actor, purpose="read_case") as work:
        need, _ = await answering.read_case(work, assignment_id)
        recorded = (await store.find_handovers(work, [assignment_id])).get(assignment_id, [])
        directory = (await state.routing.router(work)).directory
        now = work.now
    return page(
        request,
        "handover_paper.html",
        identity=[
            (translate(language, labels.FIELDS.get(name, name)), value)
            for name, value in labels.disclosed(language, identity).items()
            if name in ON_PAPER
        ],
        reference=labels.reference(need.referral.case_id),
        agency=labels.agency(directory, actor.organisation),
        child=need.referral.child,
        minutes=recorded[-1] if recorded else None,
        receivers=labels.RECEIVERS,
        witnesses=labels.WITNESSES,
        papers=labels.PAPERS,
        conditions=labels.CONDITIONS,
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
        recorded = (await store.find_handovers(work, [assignment_id])).get(assignment_id, [])
    return page(
        request,
        "handover.html",
        status=status,
        errors=errors or [],
        conflict=conflict,
        a=assignment,
        reference=labels.reference(need.referral.case_id),
        is_helping=assignment.state in assignments.HELPING,
        child=need.referral.child,
        recorded=recorded,
        receivers=options(language, labels.RECEIVERS),
        witnesses=options(language, labels.WITNESSES),
        papers=options(language, labels.PAPERS),
        conditions=options(language, labels.CONDITIONS),
        names=labels.RECEIVERS,
        places=places(need),
        typed={} if form is None else {name: form.getlist(name) for name in form},
        zone=policy.zone(actor),
    )
