"""What if: another directory, or other rules, on who landed before. Reads only."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from services.referral import policy
from services.referral.actions import importing, trying
from services.referral.actions.keeping import AgencyUnknown
from services.referral.actions.trying import MONTH, Question
from shared.contracts.fact import Code, Version
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, Invalid, body_limit, language_of, takes
from shared.kit.words import msg, translate

router = APIRouter()

NO_SUCH_OFFICE = msg("The directory has no office %(agency)s. Look its number up in the directory.")
Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
Month = Annotated[str | None, Query(pattern=MONTH)]
LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Lines of JSON: `done` and `of` while it goes on, at the end `result`",
        "content": {
            "application/x-ndjson": {"example": '{"done":100,"of":240}\n{"result":{"needs":250,"same":230}}\n'}
        },
    },
}


@router.get(
    "/what-if",
    response_class=StreamingResponse,
    responses=LINES,
)
async def get_what_if(
    request: Request,
    actor: Keeper,
    since: Month = None,
    until: Month = None,
    port: Code | None = None,
    without: Annotated[list[Code] | None, Query(max_length=50)] = None,
    rules: Version | None = None,
) -> StreamingResponse:
    """Who would have gone where without these offices: `moved`, `unroutable`, `deadlines`, the `load` of each.

    Of `households` of whom several landed, how many were parted as things are, and would be: `parted_before`,
    `parted_after`.

    `since` and `until` are months, both with; `port` one port; `rules` another version of them. Numbers are rounded,
    and small ones left out, as in the figures; restricted needs stand together.
    """
    asked = Question(since=since, until=until, port=port, without=tuple(without or ()), version=rules)
    return await _answer(request, actor, asked)


@router.post("/what-if", response_class=StreamingResponse, responses=LINES)
@body_limit(importing.MOST_BYTES)
@takes("application/json", "text/csv")
async def post_what_if(
    request: Request,
    actor: Keeper,
    since: Month = None,
    until: Month = None,
    port: Code | None = None,
    without: Annotated[list[Code] | None, Query(max_length=50)] = None,
    rules: Version | None = None,
) -> StreamingResponse:
    """The same with a file (HSDS JSON or CSV) as if it had been taken into the directory; nothing is stored."""
    file = await request.body()
    asked = Question(since=since, until=until, port=port, without=tuple(without or ()), version=rules, file=file)
    return await _answer(request, actor, asked)


async def _answer(request: Request, actor: Actor, asked: Question) -> StreamingResponse:
    try:
        answer = await trying.prepare(request.app.state.database, actor, asked)
    except AgencyUnknown as unknown:
        message = translate(language_of(request), NO_SUCH_OFFICE) % {"agency": unknown}
        raise Invalid([FieldProblem("/without", message)]) from None

    async def lines() -> AsyncIterator[bytes]:
        async for done in answer.run():
            yield orjson.dumps({"done": done, "of": answer.total}) + b"\n"
        yield orjson.dumps({"result": answer.trial.published()}) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
