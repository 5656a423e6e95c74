"""Own copies to erase, or to correct by reading again: an agency confirms; if late, who oversees it, after a check."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import reaching
from services.referral.domain.recipients import Kind, RecipientTask
from services.referral.domain.refusals import Refused
from services.referral.pages import forms, labels
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import FieldProblem, Invalid, language_of, page_router
from shared.kit.words import Language, msg, translate
from shared.kit.work import Work

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Overseer = Annotated[Actor, Depends(require(*policy.OVERSEERS))]


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says of a task: what is to be done and why, what the agency ticks, and what who has checked does."""

    heading: str
    why: str
    done: str
    checked: str


WORDS: dict[Kind, Words] = {
    "erasure": Words(
        msg("Erase your copy"),
        msg(
            "These persons' identities were erased, and nobody can read them here any more. Erase what your agency has"
            " kept of name, documents and contacts: files, paper, messages, and what it handed on. The help itself goes"
            " on."
        ),
        msg("Our copy is erased"),
        msg("I have checked with the agency: its copy is erased"),
    ),
    "correction": Words(
        msg("Correct your copy"),
        msg(
            "What your agency was shown of these persons has been corrected. Open the referral and read the identity"
            " again: that settles it. When it is not shown to you any more, ask the port for what is right, and confirm"
            " here."
        ),
        msg("Our copy is corrected"),
        msg("I have checked with the agency: its copy is corrected"),
    ),
    "withdrawal": Words(
        msg("Use your copy no longer"),
        msg(
            "These persons have taken back the consent by which your agency was shown who they are, or have refused it."
            " Stop what you do with name, documents and contacts, also where you have handed them on, and keep only"
            " what a law makes you keep."
        ),
        msg("We use our copy no longer"),
        msg("I have checked with the agency: it uses its copy no longer"),
    ),
}


@router.post("/salinan/{task_id}/konfirmasi")
async def confirm(request: Request, actor: Worker, task_id: Id) -> Response:
    """The own copy is erased or corrected; who is signed in says so."""

    async def act(work: Work) -> None:
        [result] = await reaching.confirm_tasks(work, [task_id])
        if isinstance(result, Refused):
            raise result

    return await _confirm(request, actor, act, "/", msg("Confirmed: your agency has seen to its copy."))


@router.post("/salinan/{task_id}/wakili")
async def confirm_for_agency(request: Request, actor: Overseer, task_id: Id) -> Response:
    """The agency's copy is erased or corrected: who oversees it has checked that, and says so by name."""

    async def act(work: Work) -> None:
        await reaching.confirm_for_agency(work, task_id)

    return await _confirm(request, actor, act, "/pengawasan", msg("Confirmed for the agency, in your name."))


async def _confirm(
    request: Request, actor: Actor, act: Callable[[Work], Awaitable[None]], path: str, said: str
) -> Response:
    if forms.text(await request.form(), "done") != "1":
        problem = msg("Tick that it is done; only then it can be confirmed.")
        raise Invalid([FieldProblem("done", translate(language_of(request), problem))])
    return await forms.once(request, actor, act, purpose="settle_copy", path=path, said=said)


def shown(
    language: Language, tasks: Sequence[RecipientTask], names: dict[str, str] | None = None
) -> list[tuple[Words, list[dict[str, Any]]]]:
    """These tasks as pages show them, kind by kind; with `names` of the agencies where others than the agency look."""
    return [
        (words, [_shown(language, task, names or {}) for task in tasks if task.kind == kind])
        for kind, words in WORDS.items()
        if any(task.kind == kind for task in tasks)
    ]


def _shown(language: Language, task: RecipientTask, names: dict[str, str]) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "reference": labels.reference(task.case_id),
        "agency": names.get(task.agency_id, task.agency_id),
        "fields": ", ".join(translate(language, labels.FIELDS.get(name, name)) for name in task.fields),
        "asked_at": task.asked_at,
        "confirm_by": task.confirm_by,
    }
