"""The directory for coordinators: the list, an entry with its history, changing it, files out and in."""

import base64
import zlib
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import importing, keeping
from services.referral.domain import hsds
from services.referral.domain.agencies import FRESH_FOR, KEPT, Agency
from services.referral.domain.refusals import Refused, VersionChanged
from services.referral.pages import entries, forms, labels
from services.referral.store import agencies, places
from services.referral.store.agencies import Version
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, body_limit, idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import Language, msg, translate

router = page_router()

Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
Office = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,63}$")]

PAGE_ROWS = 100
MOST_VERSIONS = 100
ROWS_SHOWN = 500
MOST_PACKED = 1_000_000
"""Form fields hold a million characters; larger files go through the API or the command line."""
CHANGED = msg("The entry changed since you opened this page. Look at it as it is now.")
FATES: dict[str, tuple[str, str]] = {
    "added": (msg("new"), "info"),
    "changed": (msg("changed"), "warn"),
    "suspended": (msg("would be suspended"), "warn"),
    "untouched": (msg("unchanged"), "neutral"),
    "bad": (msg("cannot be taken in"), "bad"),
}


@router.get("/direktori")
async def directory_page(
    request: Request,
    actor: Keeper,
    kind: Annotated[str, Query(pattern=r"^[A-Z0-9-]{0,32}$")] = "",
    region: Annotated[str, Query(pattern=r"^([0-9]{2}(\.[0-9]{2})?)?$")] = "",
    need: Annotated[str, Query(pattern=r"^[A-Z]{0,16}$")] = "",
    stale: bool = False,
    after: Annotated[str, Query(pattern=r"^[A-Z0-9.-]{0,64}$")] = "",
) -> Response:
    """The offices by id, by kind, region and need, or only those that nobody has confirmed of late."""
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        found = await agencies.list_agencies(
            work,
            kind=kind or None,
            region=region or None,
            need=need or None,
            confirmed_before=work.now - FRESH_FOR if stale else None,
            after=after,
            limit=PAGE_ROWS + 1,
        )
        kinds, now = await agencies.list_kinds(work), work.now
    shown = found[:PAGE_ROWS]
    chosen = f"kind={kind}&region={region}&need={need}" + ("&stale=1" if stale else "")
    return page(
        request,
        "directory.html",
        rows=[{"agency": agency, "is_fresh": agency.is_fresh(now)} for agency in shown],
        kinds=[(name, name) for name in kinds],
        needs=[(code, labels.need(language_of(request), code)) for code in codes.needs()],
        regions=[(p.code, p.name) for p in codes.provinces().values()],
        chosen={"kind": kind, "region": region, "need": need, "stale": stale},
        further=f"/direktori?{chosen}&after={shown[-1].agency_id}" if len(found) > PAGE_ROWS else "",
    )


@router.get("/direktori/berkas")
async def file_page(request: Request, actor: Keeper) -> Response:  # noqa: ARG001
    """Take the directory out as a file, or choose one to take in."""
    return _file_page(request)


@router.get("/direktori/berkas.{format_}")
async def download(request: Request, actor: Keeper, format_: importing.Format) -> Response:
    """The whole directory as a file."""
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        found = await agencies.list_agencies(work)
    headers = {"Content-Disposition": f'attachment; filename="direktori.{format_}"'}
    media = "application/json" if format_ == "json" else "text/csv; charset=utf-8"
    return Response(importing.exported(found, format_), headers=headers, media_type=media)


@router.post("/direktori/berkas")
@body_limit(importing.MOST_BYTES)
async def preview(request: Request, actor: Keeper) -> Response:
    """Show what a file would change; nothing is stored."""
    chosen = (await request.form()).get("file")
    content = await chosen.read() if isinstance(chosen, UploadFile) else b""
    return await _preview(request, actor, content)


@router.post("/direktori/berkas/terima")
@body_limit(importing.MOST_BYTES)
async def take_in(request: Request, actor: Keeper) -> Response:
    """Take the file in as it was shown."""
    form, key = await request.form(), await key_of(request)
    content = _unpacked(forms.text(form, "content"))
    try:
        async with request.app.state.database.work(actor, purpose="keep_directory") as work:

            async def once() -> Response:
                ruled = request.app.state.routing.rules.kinds
                await importing.take_in(work, content, forms.text(form, "digest"), ruled=ruled)
                return redirect(request, "/direktori", said=msg("The file was taken in."))

            return await idempotent(request, work, key, once)
    except (importing.NotAsSeen, importing.RowsBad):
        return await _preview(request, actor, content, again=True)
    except (importing.FileUnusable, importing.FileTooLarge) as unusable:
        return _file_page(request, unusable)


@router.get("/direktori/{office}")
async def entry_page(request: Request, actor: Keeper, office: Office) -> Response:
    """One office: what is known of it, its places, the form that changes it, and its history."""
    return await _entry_page(request, actor, office)


@router.post("/direktori/{office}")
async def change(request: Request, actor: Keeper, office: Office) -> Response:
    """Change the entry, field by field."""
    form, key = await request.form(), await key_of(request)
    language, said = language_of(request), entries.texts(form, KEPT)
    values, problems = hsds.values_of(said)
    if problems:
        return await _entry_page(request, actor, office, said, entries.said(language, problems))
    try:
        async with request.app.state.database.work(actor, purpose="keep_directory") as work:

            async def once() -> Response:
                await keeping.change_agency(work, office, values, version=forms.version(request, form))
                return redirect(request, f"/direktori/{office}", said=msg("The entry was changed."))

            return await idempotent(request, work, key, once)
    except keeping.EntryUnusable as unusable:
        return await _entry_page(request, actor, office, said, entries.said(language, unusable.problems))
    except VersionChanged:
        return await _entry_page(request, actor, office, None, [FieldProblem("version", translate(language, CHANGED))])


@router.post("/direktori/{office}/jeda")
async def suspend(request: Request, actor: Keeper, office: Office) -> Response:
    """Route nothing more there, or route there again."""
    form, key = await request.form(), await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:

        async def once() -> Response:
            suspends, found = forms.text(form, "suspend") == "yes", await agencies.find_agency(work, office)
            if found is None or found.is_suspended is not suspends:
                await (keeping.suspend_agency if suspends else keeping.resume_agency)(work, office)
            return redirect(request, f"/direktori/{office}", said=msg("The entry was changed."))

        return await idempotent(request, work, key, once)


async def _entry_page(
    request: Request,
    actor: Actor,
    office: str,
    typed: dict[str, str] | None = None,
    errors: list[FieldProblem] | None = None,
) -> Response:
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        agency = await agencies.find_agency(work, office)
        if agency is None:
            raise keeping.AgencyUnknown(office)
        versions = await agencies.list_versions(work, office, limit=MOST_VERSIONS)
        published, now = await places.list_places(work, office, everywhere=True), work.now
    return page(
        request,
        "entry.html",
        422 if errors else 200,
        agency=agency,
        region=labels.region(agency.region) if agency.region else "",
        fields=entries.fields(language, typed if typed is not None else hsds.row(agency), KEPT),
        errors=errors or [],
        is_fresh=agency.is_fresh(now),
        places=[(place, place.free(now)) for place in published],
        history=_history(language, versions, policy.zone(actor)),
        zone=policy.zone(actor),
    )


def _history(language: Language, versions: list[Version], zone: str) -> list[dict[str, Any]]:
    """What changed from version to version, the latest first."""
    shown = []
    for n, version in enumerate(versions):
        before: Agency | None = versions[n + 1].agency if n + 1 < len(versions) else None
        was, will = hsds.row(before) if before else {}, hsds.row(version.agency)
        shown.append(
            {
                "what": translate(language, entries.CHANGES[version.change]),
                "when": version.changed_at,
                "zone": zone,
                "who": translate(language, entries.ROLES.get(version.by_role, version.by_role)),
                "changes": [
                    (
                        translate(language, entries.FIELDS[field]),
                        entries.value(language, field, was.get(field, "")),
                        entries.value(language, field, will[field]),
                    )
                    for field in version.fields
                ],
            }
        )
    return shown


async def _preview(request: Request, actor: Actor, content: bytes, *, again: bool = False) -> Response:
    language = language_of(request)
    packed = base64.urlsafe_b64encode(zlib.compress(content, 6)).decode()
    try:
        async with request.app.state.database.work(actor, purpose="keep_directory") as work:
            looked = await importing.preview(work, content, ruled=request.app.state.routing.rules.kinds)
    except (importing.FileUnusable, importing.FileTooLarge) as unusable:
        return _file_page(request, unusable)
    touched = [row for row in looked.rows if row.fate != "untouched"]
    return page(
        request,
        "directory_preview.html",
        409 if again else 200,
        again=again,
        looked=looked,
        counts=[(FATES[fate], n) for fate, n in looked.counts.items()],
        rows=[
            {
                "row": row,
                "fate": FATES[row.fate],
                "changes": [
                    (
                        translate(language, entries.FIELDS[field]),
                        entries.value(language, field, before),
                        entries.value(language, field, after),
                    )
                    for field, before, after in row.changes
                ],
                "problems": entries.said(language, row.problems),
            }
            for row in sorted(touched, key=lambda row: row.fate != "bad")[:ROWS_SHOWN]
        ],
        more=max(0, len(touched) - ROWS_SHOWN),
        packed=packed if len(packed) <= MOST_PACKED else "",
    )


def _file_page(request: Request, unusable: Refused | None = None) -> Response:
    known = {
        importing.FileUnusable: msg(
            "This is no directory: send HSDS JSON, or CSV with the headings of an exported file"
        ),
        importing.FileTooLarge: msg("A file has at most 10,000 rows and 16 MiB: send it in parts"),
    }
    said = [] if unusable is None else [FieldProblem("file", translate(language_of(request), known[type(unusable)]))]
    return page(request, "directory_file.html", 422 if said else 200, errors=said)


def _unpacked(packed: str) -> bytes:
    """The file that a form has carried; nothing of what is none."""
    try:
        opened = zlib.decompressobj()
        return opened.decompress(base64.urlsafe_b64decode(packed), importing.MOST_BYTES)
    except (ValueError, zlib.error):
        return b""
