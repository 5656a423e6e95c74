"""An office and its own entry: is it still right, what to change of it, and how many places there are."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import keeping, leasing
from services.referral.domain import capacity, hsds
from services.referral.domain.agencies import OWN
from services.referral.domain.capacity import Place, PlacesTaken, PlacesUnusable
from services.referral.domain.refusals import VersionChanged
from services.referral.pages import entries, forms, labels
from services.referral.store import agencies, places
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, translate

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]

OFFER = ("sex", "age_band", "accessible", "offered", "days")
NUMBER = re.compile(r"[0-9]{1,4}")
CHANGED = msg("The entry changed since you opened this page. Look at it as it is now.")
UNUSABLE = msg("These places cannot be published.")
UNUSABLE_REMEDY = msg("Give a number between 0 and 1,000, and one to seven days.")
SEXES = {"F": msg("Women"), "M": msg("Men"), "any": msg("Anybody")}
AGES = {"child": msg("under 18"), "adult": msg("18 to 59"), "elderly": msg("60 or older"), "any": msg("any age")}


@router.get("/kantor")
async def office_page(request: Request, actor: Worker) -> Response:
    """What the directory says of the own office, and its places."""
    return await _page(request, actor)


@router.post("/kantor")
async def change_entry(request: Request, actor: Supervisor) -> Response:
    """Bring the own entry up to date."""
    form, key = await request.form(), await key_of(request)
    language = language_of(request)
    try:
        async with request.app.state.database.work(actor, purpose="keep_own_entry") as work:
            found = await agencies.find_agency(work, actor.organisation)
            said = entries.texts(form, [field for field in OWN if found is None or field not in found.reserved])
            values, problems = hsds.values_of(said)
            if problems:
                return await _page(request, actor, said, entries.said(language, problems))

            async def once() -> Response:
                await keeping.change_own_entry(work, values, version=forms.version(request, form))
                return redirect(request, "/kantor", said=msg("The entry was changed."))

            return await idempotent(request, work, key, once)
    except keeping.EntryUnusable as unusable:
        return await _page(request, actor, said, entries.said(language, unusable.problems))
    except VersionChanged:
        return await _page(request, actor, None, [FieldProblem("version", translate(language, CHANGED))])


@router.post("/kantor/benar")
async def confirm_entry(request: Request, actor: Supervisor) -> Response:
    """The entry is still right: one click in the inbox."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_own_entry") as work:

        async def once() -> Response:
            await keeping.confirm_own_entry(work)
            return redirect(request, "/", said=msg("Thank you. The entry is marked as right."))

        return await idempotent(request, work, key, once)


@router.post("/kantor/tempat")
async def publish_places(request: Request, actor: Worker) -> Response:
    """Say how many places of a sort there are."""
    form, key = await request.form(), await key_of(request)
    language = language_of(request)
    try:
        async with request.app.state.database.work(actor, purpose="publish_places") as work:
            place = _place(form, actor.organisation, work.now)

            async def once() -> Response:
                await leasing.publish_places(work, [place])
                return redirect(request, "/kantor", said=msg("The places are published."))

            return await idempotent(request, work, key, once)
    except PlacesUnusable:
        wrong = FieldProblem("offered", translate(language, UNUSABLE), translate(language, UNUSABLE_REMEDY))
    except PlacesTaken as taken:
        wrong = FieldProblem(
            "offered",
            translate(language, capacity.TOO_FEW) % {"offered": taken.offered, "taken": taken.taken},
            translate(language, capacity.TOO_FEW_REMEDY) % {"taken": taken.taken},
        )
    return await _page(request, actor, None, [wrong], offer=forms.typed(form, OFFER))


def _place(form: FormData, agency_id: str, now: datetime) -> Place:
    """The places that a form publishes. Raises `PlacesUnusable`."""
    offered, days = forms.text(form, "offered").strip(), forms.text(form, "days").strip()
    if not (NUMBER.fullmatch(offered) and NUMBER.fullmatch(days)):
        raise PlacesUnusable
    return Place(
        agency_id=agency_id,
        sex=forms.text(form, "sex"),
        age_band=forms.text(form, "age_band"),
        accessible=forms.text(form, "accessible") == "1",
        offered=int(offered),
        taken=0,
        expires_at=now + timedelta(days=int(days)),
    )


async def _page(
    request: Request,
    actor: Actor,
    typed: dict[str, str] | None = None,
    errors: list[FieldProblem] | None = None,
    offer: dict[str, str] | None = None,
) -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        agency = await agencies.find_agency(work, actor.organisation)
        published, now = await places.list_places(work, actor.organisation), work.now
    row = hsds.row(agency) if agency else {}
    own = [field for field in OWN if agency and field not in agency.reserved]
    return page(
        request,
        "office.html",
        422 if errors else 200,
        agency=agency,
        region=labels.region(agency.region) if agency and agency.region else "",
        known=[
            (translate(language, entries.FIELDS[field]), entries.value(language, field, row[field]))
            for field in entries.FIELDS
            if agency
        ],
        fields=entries.fields(language, {**row, **(typed or {})}, own),
        may_change=policy.may_keep_own_entry(actor) and agency is not None,
        is_fresh=agency is not None and agency.is_fresh(now),
        places=[(place, SEXES[place.sex], AGES[place.age_band], place.free(now)) for place in published],
        sexes=[(code, translate(language, word)) for code, word in SEXES.items()],
        offer=offer or dict.fromkeys(OFFER, "") | {"days": "1"},
        ages=[(code, translate(language, word)) for code, word in AGES.items()],
        errors=errors or [],
        zone=policy.zone(actor),
    )
