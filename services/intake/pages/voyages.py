"""Today's voyages, one voyage as it stands, and announcing one."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import drafts, voyages
from services.intake.actions.arrivals import port_of
from services.intake.actions.totals import Said
from services.intake.domain.refusals.voyages import ExpectedFarOff
from services.intake.domain.voyages import FIRST_DAY, LAST_DAY, MOST_ANNOUNCED, Modality, is_near
from services.intake.pages import labels
from services.intake.pages.reconciliation import read_paper, read_text, typed_paper
from services.intake.store import arrivals as arrivals_store
from services.intake.store import manifests as manifests_store
from services.intake.store import matches as matches_store
from services.intake.store import voyages as store
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Anybody = Annotated[
    Actor, Depends(identity.require(*policy.PORT_ROLES, policy.PROTECTION_ROLE, policy.SUPERVISOR_ROLE))
]

MOST_VOYAGES = 100
LINES_PER_PAGE = 100
HEADS = re.compile(r"[0-9]{1,7}")


@router.get("/")
async def todays_voyages(
    request: Request, actor: Anybody, hari: Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY)] = None
) -> Response:
    """The voyages of a day at the officer's port; `hari` is the day, today when it is left out.

    Who has no port begins elsewhere: at personal data, or at the ages that wait for a second person.
    """
    if not actor.has(*policy.PORT_ROLES):
        return web.redirect(request, "/data-pribadi" if actor.has(policy.PROTECTION_ROLE) else "/usulan-umur")
    database: Database = request.app.state.database
    port = port_of(actor)
    zone = ZoneInfo(port.zone)
    today = database.clock.now().astimezone(zone).date()
    day = hari or today
    start = datetime.combine(day, time(), zone)
    async with database.work(actor, purpose="look") as work:
        found = await store.expected_between(work, start, start + timedelta(days=1), limit=MOST_VOYAGES)
    return web.page(
        request,
        "voyages.html",
        port=port,
        day=day,
        today=today,
        yesterday=day - timedelta(days=1),
        tomorrow=day + timedelta(days=1),
        sightings=found,
        modalities=labels.MODALITIES,
    )


@router.get("/pelayaran/baru")
async def announce_page(request: Request, actor: Officer) -> Response:
    """The empty form of a voyage, expected today."""
    port = port_of(actor)
    now = request.app.state.database.clock.now().astimezone(ZoneInfo(port.zone))
    typed = {"day": now.day, "month": now.month, "year": now.year, "time": "", "modality": "deportation"}
    return _announce_page(request, port, typed, [])


@router.post("/pelayaran/baru")
async def announce(request: Request, actor: Officer) -> Response:
    """Announce a voyage and go to it."""
    database: Database = request.app.state.database
    port = port_of(actor)
    form = await request.form()
    read, errors = _read_voyage(web.language_of(request), form, port, database.clock.now())
    if errors:
        return _announce_page(request, port, _typed(form), errors)
    async with database.work(actor, purpose="reception") as work:

        async def act() -> Response:
            voyage = await voyages.announce_voyage(work, **read)
            return web.redirect(request, f"/pelayaran/{voyage.voyage_id}", said=msg("The voyage was announced."))

        return await web.idempotent(request, work, await web.key_of(request), act)


@router.get("/pelayaran/{voyage_id}")
async def voyage_page(
    request: Request, voyage_id: Id, actor: Officer, setelah: Annotated[Id | None, Query()] = None
) -> Response:
    """One voyage: counts, lists, needs, and each person's case as it is referred. `setelah` pages on."""
    return web.page(request, "voyage.html", **await _standing(request, actor, voyage_id, setelah))


@router.get("/pelayaran/{voyage_id}/jalannya")
async def voyage_progress(request: Request, voyage_id: Id, actor: Officer) -> Response:
    """The part of the voyage's page that changes by itself."""
    return web.fragment(request, "voyage.html", "progress", **await _standing(request, actor, voyage_id, None))


async def _standing(request: Request, actor: Actor, voyage_id: str, after: str | None) -> dict[str, Any]:
    database: Database = request.app.state.database
    report = await voyages.report_voyage(database, actor, voyage_id)
    port = codes.ports()[report.voyage.port]
    async with database.work(actor, purpose="look") as work:
        lists = await manifests_store.of_voyage(work, voyage_id)
        lines = await arrivals_store.of_voyage(work, voyage_id, after=after, limit=LINES_PER_PAGE + 1)
        returns = await matches_store.count_undecided(work, voyage_id)
    language = web.language_of(request)
    names = labels.needs(language)
    return {
        "voyage": report.voyage,
        "counts": report.counts,
        "history": labels.voyage_steps(language, report.voyage, report.steps),
        "port": port,
        "lists": lists,
        "returns": returns,
        "under_way": await drafts.list_drafts(database, actor, voyage_id=voyage_id),
        "is_moving": report.counts.not_referred > 0 or any(one.finished_at is None for one in lists),
        "needs": [
            (names[need], people, report.opened.get(need, 0))
            for need, people in sorted(report.needs.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "lines": lines[:LINES_PER_PAGE],
        "next_after": lines[LINES_PER_PAGE - 1].case_id if len(lines) > LINES_PER_PAGE else "",
        "is_first": after is None,
        "need_names": names,
        "case_code": labels.case_code,
        "sexes": labels.SEXES,
        "age_bands": labels.AGE_BANDS,
        "modalities": labels.MODALITIES,
    }


def _announce_page(
    request: Request, port: codes.Port, typed: dict[str, Any], errors: list[web.FieldProblem]
) -> Response:
    return web.page(
        request,
        "announce.html",
        422 if errors else 200,
        port=port,
        typed=typed,
        errors=errors,
        modalities=labels.options(web.language_of(request), labels.MODALITIES),
        zone_name=words.ZONE_NAMES[port.zone],
    )


def _typed(form: FormData) -> dict[str, Any]:
    return typed_ship(form) | typed_paper(form) | {"announced": str(form.get("announced", ""))}


def _read_voyage(
    language: Language, form: FormData, port: codes.Port, now: datetime
) -> tuple[dict[str, Any], list[web.FieldProblem]]:
    """What the form says, or what is wrong with it."""
    typed = _typed(form)
    paper, errors = read_paper(language, form)
    wrong = _blaming(language, errors)
    vessel, modality, expected = read_ship(language, form, port, errors)
    announced = typed["announced"].strip().replace(".", "")
    if not HEADS.fullmatch(announced) or int(announced) > MOST_ANNOUNCED:
        wrong("announced", msg("This is not a head count."), msg("Write a whole number; 0 when nobody announced them."))
    if expected is not None and not is_near(expected, now):
        wrong("expected", ExpectedFarOff.detail, "")
    if errors:
        return {}, errors
    letter = Said("letter", int(announced), *paper) if int(announced) or any(paper) else None
    read = {
        "modality": modality,
        "vessel": vessel,
        "announced": int(announced),
        "expected_at": expected,
        "letter": letter,
    }
    return read, []


def read_ship(
    language: Language, form: FormData, port: codes.Port, errors: list[web.FieldProblem]
) -> tuple[str, Modality, datetime | None]:
    """By what people come, as what kind of return, and when; what is wrong with it is added to `errors`."""
    typed = typed_ship(form)
    wrong = _blaming(language, errors)
    vessel = read_text(language, form, "vessel", errors)
    if typed["modality"] not in labels.MODALITIES:
        wrong("modality", msg("The kind of return is missing."), msg("Choose one."))
    expected = _moment(typed, port)
    if expected is None:
        wrong("expected", msg("This is not a day and time."), msg("For example 23 11 2026 and 14.30."))
    return vessel, cast(Modality, typed["modality"]), expected


def typed_ship(form: FormData) -> dict[str, Any]:
    """The same as it was typed, to be shown again."""
    typed: dict[str, Any] = {name: str(form.get(name, "")) for name in ("vessel", "modality", "time")}
    return typed | {part: str(form.get(f"expected_{part}", "")) for part in ("day", "month", "year")}


def _blaming(language: Language, errors: list[web.FieldProblem]) -> Callable[[str, str, str], None]:
    def wrong(field: str, message: str, remedy: str) -> None:
        errors.append(web.FieldProblem(field, words.translate(language, message), words.translate(language, remedy)))

    return wrong


def _moment(typed: dict[str, Any], port: codes.Port) -> datetime | None:
    month = words.month_number(typed["month"])
    clock = typed["time"].strip().replace(".", ":")
    try:
        hour, _, minute = clock.partition(":")
        return datetime(
            int(typed["year"]), month or 0, int(typed["day"]), int(hour), int(minute or 0), tzinfo=ZoneInfo(port.zone)
        )
    except (ValueError, OverflowError):
        return None
