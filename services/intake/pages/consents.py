"""Consent: what holds and how it came so; an answer recorded, taken back, printed; a lawful basis named and ended."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from services.intake import policy
from services.intake.actions import consents as actions
from services.intake.actions.consents import Consents, Spoken
from services.intake.domain import dates
from services.intake.domain.consents import ENDING_SOON, REASONS, EndReason, Entry, Scope, Words, withdrawable
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.consents import (
    BasisUnfit,
    ConsentExpiresBadly,
    ConsentNotHeld,
    ConsentsChanged,
    NeedsNotOfCase,
    NobodyToConsent,
    SpeakerUnfit,
    SpeakerUnnamed,
)
from services.intake.pages import consentwords, guarding, labels
from shared.contracts import codes
from shared.contracts.codes import (
    ConsentHow,
    ConsentPurpose,
    GivenBy,
    LawfulBasis,
    LawfulReason,
    NeedCode,
    RecipientClass,
)
from shared.contracts.fact import Id
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter()

Recorder = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE, "port_officer"))]

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
MOST_ENDING = 200

FIELDS: Mapping[type[Refused], str] = {
    SpeakerUnfit: "by",
    SpeakerUnnamed: "speaker",
    NeedsNotOfCase: "needs",
    ConsentExpiresBadly: "expires",
    BasisUnfit: "basis",
    NobodyToConsent: "",
    ConsentNotHeld: "",
}
"""What can be mended in a form, and where."""
SPOKEN = {"by": consentwords.SPEAKERS, "how": consentwords.HOWS, "language": consentwords.LANGUAGES}
SCOPE = {"purpose": consentwords.PURPOSES, "recipient_class": consentwords.CLASSES}


@router.get("/data-pribadi/{case_id}/persetujuan")
@web.reads_people
async def consents_page(request: Request, case_id: Id, actor: Recorder) -> Response:
    """What holds for a case, and everything that was recorded, in codes."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found = await actions.read_consents(work, case_id)
        now = work.now
    language = web.language_of(request)
    zone = guarding.zone_of(found.case)
    ended = {one.ends for one in found.entries}
    may_end = {e.entry_id for e in found.entries if e.kind == "basis" and e.entry_id not in ended}
    return web.page(
        request,
        "consents.html",
        case=found.case,
        case_code=labels.case_code,
        protects=policy.may_protect(actor),
        version=found.version,
        speakers=found.person.speakers,
        rows=consentwords.standings(language, found.entries, found.person, now=now),
        entries=consentwords.described(language, found.kept, zone)[::-1],
        may_withdraw={e.entry_id for e in found.entries if withdrawable(found.entries, e)},
        may_end=may_end,
        end_reasons=labels.options(language, consentwords.END_REASONS),
        now=now,
        zone=zone,
    )


@router.get("/data-pribadi/{case_id}/persetujuan/catat")
async def record_page(request: Request, case_id: Id, actor: Recorder) -> Response:
    """The form for an answer."""
    return await _case_form(request, actor, "consent_record.html", case_id, {}, [])


@router.post("/data-pribadi/{case_id}/persetujuan/catat")
async def record(request: Request, case_id: Id, actor: Recorder) -> Response:
    """Record a yes or a no; of a no its statement can be printed."""
    form = await request.form()
    typed = {**_typed(form), "needs": [str(need) for need in form.getlist("needs")]}
    missing = _missing(request, typed, {**SPOKEN, **SCOPE, "answer": consentwords.ANSWERS})
    day = _day(typed)
    if isinstance(day, str):
        missing.append(_problem(request, "expires", day, msg("Type day, month and year, for example 17 8 2027.")))
        day = None
    if missing:
        return await _case_form(request, actor, "consent_record.html", case_id, typed, missing)
    given = typed["answer"] == "yes"
    vault = request.app.state.vault
    spoken = _spoken(typed, "" if given else typed["statement"])

    async def act(work: Work) -> Response:
        ends = None if day is None or not given else _end_of(day, await actions.find_zone(work, case_id))
        kept = await actions.record_consent(
            work,
            vault,
            case_id,
            version=_version(typed),
            scope=_scope(typed),
            given=given,
            spoken=spoken,
            expires_at=ends,
        )
        said = msg("The consent was recorded.") if given else msg("The refusal was recorded. Print it to be signed.")
        back = f"/data-pribadi/{case_id}/persetujuan"
        return web.redirect(request, back if given else f"/persetujuan/{kept.entry.entry_id}/pernyataan", said=said)

    return await _act(
        request, actor, act, lambda p, s: _case_form(request, actor, "consent_record.html", case_id, typed, p, s)
    )


@router.get("/data-pribadi/{case_id}/persetujuan/dasar")
async def basis_page(request: Request, case_id: Id, actor: Recorder) -> Response:
    """The form by which a lawful basis is named."""
    return await _case_form(request, actor, "consent_basis.html", case_id, {}, [])


@router.post("/data-pribadi/{case_id}/persetujuan/dasar")
async def name_basis(request: Request, case_id: Id, actor: Recorder) -> Response:
    """Say which law decides whatever the person says."""
    form = await request.form()
    typed = {**_typed(form), "needs": [str(need) for need in form.getlist("needs")]}
    known = {f"{b}.{r}": "" for b, reasons in REASONS.items() for r in reasons}
    missing = _missing(request, typed, {**SCOPE, "basis": known})
    if missing:
        return await _case_form(request, actor, "consent_basis.html", case_id, typed, missing)
    basis, _, reason = typed["basis"].partition(".")
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        await actions.name_basis(
            work,
            vault,
            case_id,
            version=_version(typed),
            scope=_scope(typed),
            basis=cast(LawfulBasis, basis),
            reason=cast(LawfulReason, reason),
        )
        return web.redirect(request, f"/data-pribadi/{case_id}/persetujuan", said=msg("The lawful basis was recorded."))

    return await _act(
        request, actor, act, lambda p, s: _case_form(request, actor, "consent_basis.html", case_id, typed, p, s)
    )


@router.get("/persetujuan-berakhir")
async def ending_page(request: Request, actor: Officer) -> Response:
    """Consents of the own port that end soon, the first to end first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found = await actions.list_ending(work, limit=MOST_ENDING)
        now = work.now
    language = web.language_of(request)
    return web.page(
        request,
        "consents_ending.html",
        entries=[(one, consentwords.scope(language, one.scope)) for one in found],
        case_code=labels.case_code,
        days=ENDING_SOON.days,
        now=now,
        zone=codes.ports()[policy.own_port(actor)].zone,
    )


@router.get("/persetujuan/{consent_id}/cabut")
@web.reads_people
async def withdraw_page(request: Request, consent_id: Id, actor: Recorder) -> Response:
    """What taking a consent back does, and the form for it."""
    return await _withdraw_form(request, actor, consent_id, {}, [])


@router.post("/persetujuan/{consent_id}/cabut")
async def withdraw(request: Request, consent_id: Id, actor: Recorder) -> Response:
    """Take a consent back, for some of its needs or all."""
    form = await request.form()
    typed = {**_typed(form), "needs": [str(need) for need in form.getlist("needs")]}
    missing = _missing(request, typed, SPOKEN)
    if missing:
        return await _withdraw_form(request, actor, consent_id, typed, missing)
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        kept = await actions.withdraw_consent(
            work,
            vault,
            consent_id,
            version=_version(typed),
            spoken=_spoken(typed, ""),
            needs=cast(tuple[NeedCode, ...], tuple(typed["needs"])),
        )
        back = f"/data-pribadi/{kept.entry.case_id}/persetujuan"
        return web.redirect(request, back, said=msg("The consent was taken back."))

    return await _act(request, actor, act, lambda p, s: _withdraw_form(request, actor, consent_id, typed, p, s))


@router.post("/dasar-hukum/{basis_id}/akhiri")
async def end_basis(request: Request, basis_id: Id, actor: Recorder) -> Response:
    """A lawful basis stands no longer."""
    typed = _typed(await request.form())
    chosen = typed["reason"] if typed["reason"] in consentwords.END_REASONS else "no_longer_needed"
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        kept = await actions.end_basis(work, vault, basis_id, version=_version(typed), reason=cast(EndReason, chosen))
        back = f"/data-pribadi/{kept.entry.case_id}/persetujuan"
        return web.redirect(request, back, said=msg("The lawful basis was ended."))

    return await _act(request, actor, act, None)


@router.get("/persetujuan/{consent_id}/pernyataan")
@web.reads_people
async def statement_page(request: Request, consent_id: Id, actor: Recorder) -> Response:
    """The statement of a refusal, to be printed and signed; on the trail before it leaves."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        refused = await actions.read_statement(work, request.app.state.vault, consent_id)
        now = work.now
    language = web.language_of(request)
    return web.page(
        request,
        "refusal_paper.html",
        refused=refused,
        entry=refused.entry,
        case_code=labels.case_code,
        facts=guarding.describe_case(language, refused.case)[:2],
        scope=consentwords.scope(language, refused.entry.scope),
        speakers=consentwords.SPEAKERS,
        hows=consentwords.HOWS,
        languages=consentwords.LANGUAGES,
        now=now,
        zone=guarding.zone_of(refused.case),
    )


Show = Callable[[list[web.FieldProblem], int], Awaitable[Response]]


async def _act(
    request: Request, actor: Actor, act: Callable[[Work], Awaitable[Response]], show: Show | None
) -> Response:
    """One change, once per key; with the form again, and all that was typed, where something stands in the way."""
    vault = request.app.state.vault
    # Under a key: what is kept to know a repeated write must not tell the names that are in it.
    digest = vault.digest_of(await web.digest_of(request))
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="consent") as work:

            async def answered() -> Response:
                return await act(work)

            return await web.idempotent(request, work, await web.key_of(request), answered, digest=digest)
    except ConsentsChanged as refused:
        async with database.work(actor, purpose="consent") as work:
            changed = await actions.changed(work, web.language_of(request), refused)
        if show is None:
            raise changed from None
        return await show([web.FieldProblem("", changed.detail, "")], 409)
    except tuple(FIELDS) as refused:
        if show is None:
            raise
        return await show([_problem(request, FIELDS[type(refused)], refused.detail)], 422)


async def _case_form(
    request: Request,
    actor: Actor,
    template: str,
    case_id: str,
    typed: dict[str, Any],
    errors: list[web.FieldProblem],
    status: int = 422,
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found = await actions.read_consents(work, case_id)
    return web.page(request, template, status if errors else 200, **_form(request, found, typed, errors))


async def _withdraw_form(
    request: Request,
    actor: Actor,
    consent_id: str,
    typed: dict[str, Any],
    errors: list[web.FieldProblem],
    status: int = 422,
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found, kept = await actions.find_consent(work, consent_id)
    language = web.language_of(request)
    return web.page(
        request,
        "consent_withdraw.html",
        status if errors else 200,
        consent=kept.entry,
        scope=consentwords.scope(language, kept.entry.scope),
        **_form(request, found, typed, errors, of=kept.entry),
    )


def _form(
    request: Request,
    found: Consents,
    typed: dict[str, Any],
    errors: list[web.FieldProblem],
    of: Entry | None = None,
) -> dict[str, Any]:
    """What every form shows: the case's needs, who may speak, and what was typed."""
    language = web.language_of(request)
    names = labels.needs(language)
    open_ = found.case.needs if of is None else withdrawable(found.entries, of)
    speakers = found.person.speakers
    names_of_texts = ("answer", "purpose", "recipient_class", "how", "speaker", "witness", "statement", "basis")
    blank = dict.fromkeys(names_of_texts, "") | {"language": "id", "by": speakers[0] if len(speakers) == 1 else ""}
    return {
        "case_id": found.case.case_id,
        "case_code": labels.case_code,
        "version": found.version,
        "is_child": found.person.is_child,
        "may_speak": bool(speakers),
        "is_open": bool(open_),
        "needs": [(need, names[need]) for need in found.case.needs if need in open_],
        "answers": labels.options(language, consentwords.ANSWERS),
        "purposes": labels.options(language, consentwords.PURPOSES),
        "classes": labels.options(language, consentwords.CLASSES),
        "speakers": labels.options(language, {code: consentwords.SPEAKERS[code] for code in speakers}),
        "hows": labels.options(language, consentwords.HOWS),
        "languages": labels.options(language, consentwords.LANGUAGES),
        "bases": consentwords.basis_options(language, is_child=found.person.is_child),
        "typed": {"needs": [], **blank, **typed},
        "expires": {part: typed.get(f"expires_{part}", "") for part in ("day", "month", "year")},
        "errors": errors,
    }


def _typed(form: FormData) -> dict[str, Any]:
    names = (
        *("answer", "purpose", "recipient_class", "by", "how", "language", "speaker", "witness", "statement", "basis"),
        *("reason", "version", "expires_day", "expires_month", "expires_year"),
    )
    return {name: str(form.get(name, "")).strip()[: 2000 if name == "statement" else 200] for name in names}


def _missing(
    request: Request, typed: Mapping[str, Any], choices: Mapping[str, Mapping[str, str]]
) -> list[web.FieldProblem]:
    return [
        _problem(request, name, msg("Nothing is chosen here."), msg("Choose one."))
        for name, known in choices.items()
        if typed[name] not in known
    ]


def _problem(request: Request, field: str, message: str, remedy: str = "") -> web.FieldProblem:
    language = web.language_of(request)
    return web.FieldProblem(field, words.translate(language, message), remedy and words.translate(language, remedy))


def _version(typed: Mapping[str, str]) -> int | None:
    return int(typed["version"]) if typed["version"].isdecimal() and len(typed["version"]) < 10 else None


def _scope(typed: Mapping[str, Any]) -> Scope:
    return Scope(
        cast(ConsentPurpose, typed["purpose"]),
        cast(RecipientClass, typed["recipient_class"]),
        cast(tuple[NeedCode, ...], tuple(typed["needs"])),
    )


def _spoken(typed: Mapping[str, str], statement: str) -> Spoken:
    said = Words(typed["speaker"], typed["witness"], statement)
    return Spoken(cast(GivenBy, typed["by"]), cast(ConsentHow, typed["how"]), typed["language"], said)


def _day(typed: Mapping[str, str]) -> date | str | None:
    """The last day of a consent; None where none was typed, and what is wrong with what is no day."""
    day, month, year = (typed[f"expires_{part}"] for part in ("day", "month", "year"))
    if not (day or month or year):
        return None
    try:
        return date(int(year), dates.month_number(month), int(day))
    except (ValueError, OverflowError):
        return msg("There is no such day.")


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
