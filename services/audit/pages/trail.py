"""Finding a case and reading its trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from services.audit import actions, policy
from services.audit.domain import trails
from services.audit.domain.refusals import SearchTooShort
from services.audit.pages import wording
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity import require
from shared.kit.short_codes import is_code_of, short_code
from shared.kit.web import FieldProblem, language_of, page, page_router, reads_people, redirect
from shared.kit.words import Language, msg

router = page_router()

Reader = Annotated[Actor, Depends(require(*policy.READERS))]

DEFAULT_ZONE = "Asia/Jakarta"
"""Where a trail names no port, times are Western Indonesian Time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a trail as it is shown."""

    anchor: str
    index: int
    source: str
    seq: int
    what: str
    type: str
    when: datetime
    who: str
    role: str
    automatic: bool
    purpose: str
    cause: tuple[str, str] | None
    """The event that caused this: anchor on the page (empty when it is not here) and what it was."""
    gist: list[tuple[str, str]]
    """What a reader wants to know at once: the facts without ids."""
    facts: list[tuple[str, str]]
    state: str
    redacted: bool
    raw: str


@router.get("/")
@reads_people
async def search_page(request: Request, actor: Reader, case: str = "") -> Response:
    """A field for a case; what begins so is listed, a whole id or the code of a single case leads to its trail."""
    if not case.strip():
        return page(request, "search.html", case="", found=None, zone=DEFAULT_ZONE)
    try:
        async with _database(request).work(actor, purpose="audit") as work:
            found = await actions.find_cases(work, case)
    except SearchTooShort:
        problem = words.translate(
            language_of(request),
            msg("Enter the code as it stands on the slip, or at least the first eight characters of the case id."),
        )
        return page(
            request,
            "search.html",
            status=422,
            case=case[:64],
            found=None,
            zone=DEFAULT_ZONE,
            errors=[FieldProblem("case", problem)],
        )
    if len(found) == 1 and (found[0].case_id == case.strip().lower() or is_code_of(case, found[0].case_id)):
        return redirect(request, f"/kasus/{found[0].case_id}")
    return page(request, "search.html", case=case[:64], found=found, zone=DEFAULT_ZONE)


@router.get("/kasus/{case_id}")
@reads_people
async def trail_page(request: Request, actor: Reader, case_id: Id) -> Response:
    """Every event of a case in order: who, what, when, why, and whether it is what was sealed."""
    async with _database(request).work(actor, purpose="audit") as work:
        trail = await actions.read_trail(work, case_id)
    language = language_of(request)
    zone = _zone(trail)
    return page(
        request,
        "trail.html",
        trail=trail,
        code=short_code(case_id),
        lines=_lines(language, trail, zone),
        zone=zone,
        waiting=sum(entry.state == "waiting" for entry in trail.entries),
        altered=sum(entry.state == "altered" for entry in trail.entries),
        service_name=lambda source: wording.service(language, source),
    )


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _zone(trail: trails.Trail) -> str:
    """The zone of the port where the person landed."""
    for entry in trail.entries:
        port = codes.ports().get(str(_data(entry).get("port")))
        if port is not None:
            return port.zone
    return DEFAULT_ZONE


def _data(entry: trails.Entry) -> dict[str, Any]:
    data = entry.leaf.told.get("data")
    return data if isinstance(data, dict) else {}


def _lines(language: Language, trail: trails.Trail, zone: str) -> list[Line]:
    known = {entry.leaf.event_id: entry.leaf.type for entry in trail.entries}
    return [_line(language, entry, known, zone) for entry in trail.entries]


def _line(language: Language, entry: trails.Entry, known: dict[str, str], zone: str) -> Line:
    leaf, told = entry.leaf, entry.leaf.told
    cause = told.get("caused_by")
    facts = [(name, value) for name, value in _data(entry).items() if name not in wording.HIDDEN]
    return Line(
        anchor=f"e-{leaf.event_id}",
        index=leaf.index,
        source=wording.service(language, leaf.source),
        seq=leaf.case_seq,
        what=wording.event(language, leaf.type),
        type=leaf.type,
        when=leaf.occurred_at,
        who=" · ".join(str(part) for part in (told.get("actor"), told.get("organisation")) if part),
        role=str(told.get("role") or ""),
        automatic=told.get("role") == "system",
        purpose=wording.purpose(language, str(told.get("purpose") or "")),
        cause=_cause(language, str(cause), known) if cause else None,
        gist=_worded(language, [(n, v) for n, v in facts if not n.endswith("_id") or n == "agency_id"], zone),
        facts=_worded(language, facts, zone),
        state=entry.state,
        redacted=leaf.redacted,
        raw=_raw(entry),
    )


def _worded(language: Language, facts: list[tuple[str, Any]], zone: str) -> list[tuple[str, str]]:
    return [(wording.field(language, name), wording.value(language, name, value, zone)) for name, value in facts]


def _cause(language: Language, event_id: str, known: dict[str, str]) -> tuple[str, str]:
    if event_id in known:
        return f"e-{event_id}", wording.event(language, known[event_id])
    return "", words.translate(language, msg("an event of another case"))


def _raw(entry: trails.Entry) -> str:
    """Leaf and payload as JSON, indented."""
    shown = {"leaf": orjson.loads(entry.leaf.data), "payload": entry.leaf.told}
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
