"""Emergency access: a case is opened for a time to somebody outside its team, read, and judged by somebody else."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import breaking
from services.referral.actions.breaking import Emergency
from services.referral.domain import assignments, glass
from services.referral.domain.agencies import Directory
from services.referral.domain.glass import Glass
from services.referral.domain.needs import Need
from services.referral.domain.refusals import CaseUnknown, GlassExpired
from services.referral.pages import consentwords, forms, labels
from services.referral.store import glasses
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require, require_recent
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, reads_people, redirect
from shared.kit.words import Language, msg, msg_count, translate

router = page_router()

Breaker = Annotated[Actor, Depends(require(*policy.GLASS_BREAKERS))]
RecentBreaker = Annotated[Actor, Depends(require_recent(*policy.GLASS_BREAKERS))]
Reviewer = Annotated[Actor, Depends(require_recent(*policy.OVERSEERS))]

MOST_OPEN = 50
EMPTY = {"number": "", "matter": "", "reason": "", "reference": "", "hours": "1"}
HOURS = (msg_count("%(n)s hour", "%(n)s hours"), "%(n)s hours")


@router.get("/darurat")
@reads_people
async def emergency_page(request: Request, actor: RecentBreaker) -> Response:
    """What opening a case means, the form to do it, and what is open."""
    return await _form(request, actor)


@router.post("/darurat")
@reads_people
async def break_glass(request: Request, actor: RecentBreaker) -> Response:
    """Open one case, for a reason, for some hours; somebody else is told at once."""
    form, key = await request.form(), await key_of(request)
    typed = {name: forms.text(form, name).strip() for name in EMPTY}
    if problems := _problems(typed):
        return await _form(request, actor, status=422, typed=typed, problems=problems)
    emergency = Emergency(
        number=typed["number"],
        matter=labels.as_matter(typed["matter"]),
        reason=labels.as_reason(typed["reason"]),
        reference=typed["reference"],
        hours=int(typed["hours"]),
    )
    try:
        async with request.app.state.database.work(actor, purpose="break_glass") as work:

            async def once() -> Response:
                broken = await breaking.break_glass(work, emergency)
                return redirect(request, f"/darurat/{broken.glass_id}")

            return await idempotent(request, work, key, once)
    except CaseUnknown:
        # On the trail: who tries numbers is seen.
        await request.app.state.identity.refusals.record(actor, "not_yours", "break_glass")
        problem = msg("There is no such case in your region, or the number is not whole.")
        return await _form(request, actor, status=422, typed=typed, problems={"number": problem})


@router.get("/darurat/{glass_id}")
@reads_people
async def glass_page(request: Request, actor: Breaker, glass_id: Id) -> Response:
    """The case, to read, until its time is over; each look is on the trail."""
    language, zone = language_of(request), policy.zone(actor)
    try:
        async with request.app.state.database.work(actor, purpose="emergency") as work:
            seen = await breaking.look_through(work, glass_id)
            directory = (await request.app.state.routing.router(work)).directory
            now = work.now
    except GlassExpired:
        return page(request, "glass_over.html", status=410)
    return page(
        request,
        "glass_case.html",
        glass=shown(language, seen.glass),
        needs=[
            {
                **_need(language, need, directory),
                "consents": consentwords.lines(
                    language, seen.consents, need.referral.need, need.referral.age_band, now=now, zone=zone
                ),
            }
            for need in seen.needs
        ],
        earlier=labels.earlier(language, seen.earlier),
        now=now,
        zone=zone,
    )


@router.post("/darurat/{glass_id}/tinjauan")
async def review(request: Request, actor: Reviewer, glass_id: Id) -> Response:
    """Judge what somebody else has opened; that closes the task."""
    form, key = await request.form(), await key_of(request)
    decision = labels.as_decision(forms.text(form, "decision"))
    if decision is None:
        return redirect(request, "/pengawasan", said=msg("Choose whether it was justified."))
    async with request.app.state.database.work(actor, purpose="review_glass") as work:

        async def once() -> Response:
            await breaking.review_glass(work, glass_id, decision)
            return redirect(request, "/pengawasan", said=msg("Your judgement is on the trail."))

        return await idempotent(request, work, key, once)


def shown(language: Language, opened: Glass) -> dict[str, Any]:
    """One opening as pages show it."""
    return {
        "glass_id": opened.glass_id,
        "reference": labels.reference(opened.case_id),
        "region": labels.region(opened.region),
        "matter": translate(language, labels.MATTERS[opened.matter]),
        "reason": translate(language, labels.GLASS_REASONS[opened.reason]),
        "note": opened.reference,
        "by": opened.broken_by,
        "broken_at": opened.broken_at,
        "expires_at": opened.expires_at,
        "review_by": opened.review_by,
    }


def _problems(typed: dict[str, str]) -> dict[str, str]:
    """What is missing or wrong, by field."""
    wrong = {
        "number": "" if typed["number"] else msg("Give the number of the case, for example 21A0-MH32-B."),
        "matter": "" if typed["matter"] in labels.MATTERS else msg("Choose what you need to see."),
        "reason": "" if typed["reason"] in labels.GLASS_REASONS else msg("Choose a reason."),
        "reference": ""
        if assignments.is_handover_ref(typed["reference"])
        else msg("A reference has letters, digits and . / - _, no spaces, for example BAST/12/2026."),
        "hours": "" if typed["hours"] in {str(n) for n in glass.HOURS} else msg("Choose for how long."),
    }
    return {field: problem for field, problem in wrong.items() if problem}


async def _form(
    request: Request,
    actor: Actor,
    *,
    status: int = 200,
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        opened = await glasses.list_own(work, MOST_OPEN)
        now = work.now
    number = request.query_params.get("kasus", "")
    return page(
        request,
        "glass.html",
        status=status,
        errors=[FieldProblem(field, translate(language, text)) for field, text in (problems or {}).items()],
        typed=typed or {**EMPTY, "number": number if labels.is_reference(number) else ""},
        matters=[(code, translate(language, text)) for code, text in labels.MATTERS.items()],
        reasons=[(code, translate(language, text)) for code, text in labels.GLASS_REASONS.items()],
        hours=[(str(n), words.translate_count(language, *HOURS, n)) for n in glass.HOURS],
        review_hours=glass.REVIEW_WITHIN // timedelta(hours=1),
        opened=[shown(language, one) for one in opened],
        now=now,
        zone=policy.zone(actor),
    )


def _need(language: Language, need: Need, directory: Directory) -> dict[str, Any]:
    """One need with its attempts: what its agency sees, without the identity and without anything to press."""
    r = need.referral
    state, kind = labels.NEEDS.get(r.state, (r.state, "neutral"))
    return {
        "need": labels.need(language, r.need),
        "restricted": r.restricted,
        "state": (translate(language, state), kind),
        "summary": [
            (
                msg("Person"),
                f"{translate(language, labels.SEXES[r.sex])}, {translate(language, labels.AGES[r.age_band])}",
            ),
            (msg("Arrived at"), labels.port(r.port)),
            (msg("Help is due in"), f"{labels.region(r.regency)}, {labels.region(r.province)}"),
            (msg("Wish"), translate(language, labels.WISHES[r.onward_wish])),
        ],
        "attempts": [
            {
                "n": a.attempt,
                "agency": labels.agency(directory, a.agency_id),
                "state": (translate(language, labels.STATES[a.state][0]), labels.STATES[a.state][1]),
                "sent_at": a.sent_at,
                "ended_at": a.ended_at,
            }
            for a in need.attempts
        ],
    }
