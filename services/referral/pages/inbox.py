"""The inbox of an agency: what is new, what is being done, what is done; soonest deadline first."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import answering
from services.referral.actions.answering import Answer
from services.referral.domain import assignments
from services.referral.domain.assignments import Assignment
from services.referral.pages import erasures as erasing
from services.referral.pages import labels
from services.referral.store import desk, erasures
from services.referral.store.desk import InboxItem
from shared.kit.actor import Actor
from shared.kit.identity import actor_of, require
from shared.kit.web import idempotent, key_of, language_of, page, page_router, redirect
from shared.kit.words import msg, msg_count

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Anybody = Annotated[Actor, Depends(actor_of)]

PAGE_ROWS = 200
MOST_ERASURES = 50
SOME_ACCEPTED = msg_count(
    "%(n)s referral accepted. The others had been answered or were no longer open.",
    "%(n)s referrals accepted. The others had been answered or were no longer open.",
)
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "baru": (msg("New"), tuple(sorted(assignments.ASKED))),
    "dikerjakan": (msg("In progress"), tuple(sorted(assignments.HELPING))),
    "selesai": (msg("Done"), tuple(sorted(assignments.TERMINAL))),
}


@router.get("/")
async def inbox_page(
    request: Request, actor: Anybody, tab: str = "baru", after: Annotated[str, Query(pattern=desk.PLACE)] = ""
) -> Response:
    """The agency's inbox; a coordinator's first page are the figures, the protection officer's is oversight."""
    if policy.may_watch(actor) and not policy.may_answer(actor):
        return redirect(request, "/angka")
    if policy.oversees_everywhere(actor) and not policy.may_answer(actor):
        return redirect(request, "/pengawasan")
    await require(*policy.WORKERS)(request)
    tab = tab if tab in TABS else "baru"
    _, states = TABS[tab]
    async with request.app.state.database.work(actor, purpose="look") as work:
        read = desk.list_ended if tab == "selesai" else desk.list_inbox
        found = await read(work, states, after=after, limit=PAGE_ROWS + 1)
        counts = await desk.count_inbox(work)
        to_erase = await erasures.list_open(work, MOST_ERASURES)
        now = work.now
    if after and not found:
        return redirect(request, f"/?tab={tab}")
    shown = found[:PAGE_ROWS]
    return page(
        request,
        "inbox.html",
        tab=tab,
        tabs=[
            (label, f"/?tab={name}", None if name == "selesai" else sum(counts.get(s, 0) for s in of), name == tab)
            for name, (label, of) in TABS.items()
        ],
        rows=[_row(request, item) for item in shown],
        further=f"/?tab={tab}&after={shown[-1].place}" if len(found) > len(shown) else "",
        to_erase=erasing.shown(to_erase),
        organisation=actor.organisation,
        now=now,
        zone=policy.zone(actor),
    )


@router.post("/terima")
async def accept_selected(request: Request, actor: Worker) -> Response:
    """Accept all that were ticked; those that somebody answered meanwhile stay as they are."""
    form, key = await request.form(), await key_of(request)
    chosen = [Answer(str(value)) for name, value in form.multi_items() if name == "chosen"][:PAGE_ROWS]
    chosen = [answer for answer in chosen if labels.is_id(answer.assignment_id)]
    async with request.app.state.database.work(actor, purpose="accept") as work:

        async def accept() -> Response:
            results = await answering.accept_assignments(work, chosen)
            done = sum(isinstance(result, Assignment) for result in results)
            if done == len(results):
                return redirect(
                    request,
                    "/?tab=dikerjakan" if done else "/",
                    said=msg_count("%(n)s referral accepted.", "%(n)s referrals accepted."),
                    n=done,
                )
            return redirect(request, "/", said=SOME_ACCEPTED, n=done)

        return await idempotent(request, work, key, accept)


def _row(request: Request, item: InboxItem) -> dict[str, Any]:
    return {
        "id": item.assignment_id,
        "reference": labels.reference(item.case_id),
        "need": labels.need(language_of(request), item.need),
        "restricted": item.restricted,
        "person": (labels.SEXES[item.sex], labels.AGES[item.age_band]),
        "port": labels.port(item.port),
        "region": labels.region(item.regency),
        "attempt": item.attempt,
        "state": labels.STATES[item.state],
        "due_at": item.due_at,
        "sent_at": item.sent_at,
        "ended_at": item.ended_at,
    }
