"""Who is told that a need was corrected, and as what: nobody hears of a correction of what it did not know."""

from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import orjson
import pytest

from services.notify.domain.subscriptions import Filter, Listener, Matcher, who_hears_of_move
from shared.contracts.referral import assignments, referrals
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.notify.factories import a_fact, hear
from tests.notify.test_consents import a_consent, a_withdrawal, obey

Subscribe = Callable[..., Awaitable[str]]
OPENED, CORRECTED = "referral.referral_opened.v1", "referral.referral_corrected.v1"
CASE = "01900000-0000-7000-8000-000000000001"


def opened(province: str = "73", **other: Any) -> referrals.ReferralOpened:
    fact: Any = a_fact(referrals.ReferralOpened, case_id=CASE, province=province, **other)
    return fact  # type: ignore[no-any-return]


def corrected(province: str = "53", **other: Any) -> referrals.ReferralCorrected:
    said = {"changed": ("origin",), "routed_again": True, **other}
    fact: Any = a_fact(referrals.ReferralCorrected, case_id=CASE, province=province, **said)
    return fact  # type: ignore[no-any-return]


async def told(database: Database) -> dict[str, list[tuple[str, str, str]]]:
    """By subscription what each notice says of itself: its type, the province and the state."""
    rows = await database.fetch(
        "SELECT subscription_id::text, event_type, body FROM deliveries ORDER BY subscription_id, delivery_id"
    )
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        body = orjson.loads(row["body"])
        assert body["type"] == row["event_type"]
        said = (row["event_type"].split(".")[1], body["data"]["province"], body["data"]["state"])
        found.setdefault(row["subscription_id"], []).append(said)
    return found


@pytest.mark.parametrize("together", [False, True], ids=["later", "in_one_batch"])
async def test_who_knew_the_need_hears_the_correction_and_to_whom_it_is_new_it_is_opened(
    database: Database, subscribe: Subscribe, together: bool
) -> None:
    left = await subscribe("/left", provinces=frozenset({"73"}))
    reached = await subscribe("/reached", provinces=frozenset({"53"}))
    both = await subscribe("/both")
    elsewhere = await subscribe("/elsewhere", provinces=frozenset({"32"}))

    for batch in ([opened(), corrected()],) if together else ([opened()], [corrected()]):
        await hear(database, *batch)
    await hear(database, corrected())

    was, is_now = ("referral_opened", "73", "opened"), ("referral_corrected", "53", "corrected")
    found = await told(database)
    assert found[left] == [was, is_now, is_now]
    assert found[both] == [was, is_now, is_now]
    assert found[reached] == [("referral_opened", "53", "opened"), is_now]
    assert elsewhere not in found


async def test_what_is_opened_again_elsewhere_is_new_there_too(database: Database, subscribe: Subscribe) -> None:
    left = await subscribe("/left", provinces=frozenset({"73"}))
    reached = await subscribe("/reached", provinces=frozenset({"53"}))
    await hear(database, opened())

    await hear(database, a_fact(referrals.ReferralReopened, case_id=CASE, reason="OTHERS_TO_ASK"))

    found = await told(database)
    assert found[left] == [("referral_opened", "73", "opened"), ("referral_reopened", "53", "reopened")]
    assert found[reached] == [("referral_opened", "53", "opened")]


async def test_that_it_was_the_case_teams_before_nobody_learns(database: Database, subscribe: Subscribe) -> None:
    one = await subscribe()
    await hear(database, opened(restricted=True), a_fact(assignments.AssignmentSent, case_id=CASE, restricted=True))

    await hear(database, corrected(changed=("age",)))

    assert await told(database) == {one: [("referral_opened", "53", "opened")]}


async def test_who_asks_for_no_openings_hears_corrections_as_it_asked(database: Database, subscribe: Subscribe) -> None:
    only = await subscribe("/only", events=frozenset({CORRECTED}), provinces=frozenset({"53"}))
    neither = await subscribe("/neither", events=frozenset({"referral.gap_opened.v1"}))

    await hear(database, opened(), corrected())

    found = await told(database)
    assert found[only] == [("referral_corrected", "53", "corrected")]
    assert neither not in found


async def test_another_case_need_or_subscription_that_was_told_counts_for_nothing(
    database: Database, subscribe: Subscribe
) -> None:
    await hear(database, opened("53"))
    one = await subscribe("/one", provinces=frozenset({"53"}))
    await hear(database, opened("53", need="WAGE"), a_fact(referrals.ReferralOpened, case_id=new_id()))

    await hear(database, corrected())

    assert (await told(database))[one][-1] == ("referral_opened", "53", "opened")


async def test_what_was_held_back_was_not_told(database: Database, subscribe: Subscribe) -> None:
    one = await subscribe()
    await obey(database, a_withdrawal(CASE, seq=5))
    await hear(database, opened("53"))
    await obey(database, a_consent(CASE, seq=6))

    await hear(database, corrected())

    assert [kind for kind, *_ in (await told(database))[one]] == ["referral_opened", "referral_opened"]


EVERY = list(product([(), (OPENED,), (CORRECTED,), (OPENED, CORRECTED)], [True, False], [True, False]))


@pytest.mark.parametrize(("asks", "is_here", "knew"), EVERY)
def test_nobody_hears_twice_nor_of_a_correction_of_what_it_could_have_been_told_and_was_not(
    asks: tuple[str, ...], is_here: bool, knew: bool
) -> None:
    wants = Filter(frozenset(asks), frozenset({"53" if is_here else "73"}))
    listener = Listener("one", "SBMI", wants)

    found = who_hears_of_move(Matcher((listener,)), {"one"} if knew else set(), (CORRECTED, "53", "NEED"))

    kinds = [kind for _, kind in found]
    assert len(kinds) <= 1
    if CORRECTED in kinds:
        assert knew or not wants.asks_for(OPENED)
        assert wants.asks_for(CORRECTED)
    if OPENED in kinds:
        assert is_here
        assert not knew
    if knew and wants.asks_for(CORRECTED):
        assert kinds == [CORRECTED]
    if is_here and not knew:
        assert kinds
