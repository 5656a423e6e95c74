"""What the port corrected of a person: on the page of the case, and of origins before the offices for returns."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.domain.corrections import Correction
from services.referral.pages import labels
from services.referral.store import corrections as store
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import language_of, page, page_router
from shared.kit.words import Language, msg, translate

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST = 200

KINDS: dict[str, str] = {"age": msg("Age"), "sex": msg("Sex"), "origin": msg("Origin")}
REASONS: dict[str, str] = {
    "recorded_wrongly": msg("It was recorded wrongly"),
    "person_said": msg("The person said so"),
    "family_said": msg("The family said so"),
    "papers_found": msg("Papers were found"),
    "assessed": msg("It was assessed again"),
    "office_reported": msg("An office reported it"),
}


@router.get("/asal-dikoreksi")
async def origins_page(request: Request, actor: Worker) -> Response:
    """Origins that were corrected, for the offices for returns of the port and of both origins."""
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await store.list_notices(work, MOST)
    return page(
        request,
        "origins.html",
        notices=[
            {
                "reference": labels.reference(one.case_id),
                "assignment_id": one.assignment_id,
                "port": labels.port(one.port),
                "was": region(language, one.was),
                "became": region(language, one.became),
                "why": translate(language, REASONS[one.reason]),
                "when": one.corrected_at,
            }
            for one in found
        ],
        zone=policy.zone(actor),
    )


def lines(language: Language, found: Iterable[Correction], zone: str) -> list[tuple[str, str]]:
    """Each correction with both values, why and when, the latest last."""
    told = msg("%(was)s before, %(became)s now: %(why)s, %(when)s")
    return [
        (
            translate(language, KINDS[one.kind]),
            translate(
                language,
                told,
                was=_value(language, one.kind, one.was),
                became=_value(language, one.kind, one.became),
                why=translate(language, REASONS[one.reason]),
                when=words.moment(language, one.corrected_at, zone),
            ),
        )
        for one in found
    ]


def region(language: Language, code: str | None) -> str:
    return translate(language, msg("not known")) if code is None else labels.region(code)


def _value(language: Language, kind: str, code: str | None) -> str:
    known: dict[str, Any] = {"age": labels.AGES, "sex": labels.SEXES}
    return region(language, code) if kind == "origin" else translate(language, known[kind][code])
