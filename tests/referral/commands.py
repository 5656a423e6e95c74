"""What agencies, supervisors and officers of ports say, each in a transaction of its own, by the actions themselves."""

from collections.abc import Callable
from typing import Any

from services.referral.actions import asking
from services.referral.actions.answering import Answer
from services.referral.actions.asking import Reply
from shared.kit.actor import Actor
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.factories import an_agency

OFFICER = Actor("petugas.nnk", "BP3MI-65", frozenset({"port_officer"}), port="NNK")


async def by_agency(
    desk: Desk, agency_id: str, act: Callable[..., Any], *answers: Answer | str, routed: bool = False
) -> list[Any]:
    more = {"routing": desk.routing} if routed else {}
    async with desk.database.work(an_agency(agency_id), purpose="answer") as work:
        results: list[Any] = await act(work, answers, **more)
    return results


async def by_supervisor(
    desk: Desk, act: Callable[..., Any], *items: Any, routed: bool = True, by: str = "supervisor"
) -> list[Any]:
    more = {"routing": desk.routing} if routed else {}
    async with desk.database.work(PEOPLE[by], purpose="supervise") as work:
        results: list[Any] = await act(work, items, **more)
    return results


async def by_officer(desk: Desk, *replies: Reply, officer: Actor = OFFICER) -> list[Any]:
    async with desk.database.work(officer, purpose="answer") as work:
        return await asking.answer_questions(work, replies, routing=desk.routing)
