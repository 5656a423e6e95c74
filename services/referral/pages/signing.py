"""What is signed on paper, minutes and statements: what their forms say, and how it is recorded."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from services.referral import policy
from services.referral.domain.needs import Need
from services.referral.domain.refusals import AssignmentUnknown, ReferralUnknown, Refused
from services.referral.pages import conflicts, forms, labels
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.web import FieldProblem, language_of
from shared.kit.words import Language, msg, translate
from shared.kit.work import Work

NUMBER = msg("A reference has letters, digits and . / - _, no spaces, for example BAST/12/2026.")
ON_PAPER = ("full_name", "birth", "birthplace", "nik", "document_type", "document_number", "origin_village")
"""What a paper says of a person; neither health nor why somebody came home is any receiver's or witness's business."""

Problems = Mapping[type[Refused], tuple[str, str]]
"""At which field of a form a refusal is shown, and in which words."""


def missing(language: Language, names: Mapping[str, str], field: str, text: str) -> FieldProblem:
    """What is wrong with a field, after its name where others are told the same."""
    said = translate(language, text)
    return FieldProblem(field, f"{translate(language, names[field])}: {said}" if field in names else said)


async def record(
    request: Request,
    actor: Actor,
    act: Callable[[Work], Awaitable[None]],
    show: Callable[..., Awaitable[Response]],
    problems: Problems,
    *,
    purpose: str,
    path: str,
    said: str,
) -> Response:
    """Record once what was signed; what stood in the way is said on the form as it is now, which `show` gives."""
    form, language = await request.form(), language_of(request)
    try:
        return await forms.once(request, actor, act, purpose=purpose, path=path, said=said)
    except (AssignmentUnknown, ReferralUnknown):
        raise
    except Refused as refused:
        if type(refused) in problems:
            field, text = problems[type(refused)]
            return await show(status=422, errors=[FieldProblem(field, translate(language, text))], form=form)
        conflict = conflicts.sentence(language, refused, policy.zone(actor))
        return await show(status=409, conflict=conflict, form=form)


def options(language: Language, texts: dict[str, str]) -> list[tuple[str, str]]:
    """What can be chosen, in words."""
    return [(code, translate(language, text)) for code, text in texts.items()]


def places(need: Need) -> list[tuple[str, str]]:
    """Where help is due first, then its province, then the rest of the country."""
    r = need.referral
    known = sorted(codes.regencies(), key=lambda code: (code != r.regency, code[:2] != r.province, code))
    return [(code, labels.region(code)) for code in known]


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """What a form's date and time says, in the office's zone."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=zone)
    except ValueError:
        return None
