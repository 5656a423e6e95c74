"""Where the roll goes wrong: calls for no reason, lists nobody can read, who was carried, a list that comes again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.intake.actions import retention
from services.intake.actions.drafts import find_draft
from services.intake.clock import CLOCK
from services.intake.domain.refusals.drafts import LineRecorded
from services.intake.domain.retention import BY_CODE
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import OFFICER, START, a_list, a_row, a_voyage
from tests.intake.test_columns import BARE
from tests.intake.test_drafts import recorded
from tests.intake.test_roll_calls import LATER, Quay, carried_to

Site = Callable[[str], Browser]


@pytest.fixture
def quay(database: Database, vault: Vault) -> Quay:
    return Quay(database, vault)


@pytest.mark.invariant("I161")
@pytest.mark.parametrize(
    "said",
    [{"mark": "absent"}, {"mark": "here", "reason": "other"}, {"mark": "open", "reason": "unknown"}],
    ids=["absent for nothing", "here with a reason", "taken back with a reason"],
)
async def test_a_call_says_why_somebody_is_absent_and_only_then(
    database: Database, site: Site, quay: Quay, said: dict[str, Any]
) -> None:
    draft = await quay.upload(await a_voyage(database), a_list(a_row(1), a_row(2)))
    await quay.call(draft, 3)
    for row, version in ((2, 0), (3, 1)):
        answer = await site("officer").post(
            f"/api/drafts/{draft.draft_id}/rows/{row}/call", json={"version": version, **said}
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == "/reason"


@pytest.mark.invariant("I161")
async def test_nobody_is_called_while_the_columns_are_not_known(database: Database, site: Site, quay: Quay) -> None:
    draft = await quay.upload(await a_voyage(database), BARE)
    calls: list[dict[str, Any]] = [{"mark": "here"}, {"mark": "absent", "reason": "other"}]
    for said in calls:
        answer = await site("officer").post(f"/api/drafts/{draft.draft_id}/rows/1/call", json={"version": 0, **said})
        assert answer.status_code == 409, answer.text
    assert (await site("officer").get(f"/id/draf/{draft.draft_id}/absen/1")).status_code == 409


@pytest.mark.invariant("I162")
async def test_who_is_carried_is_kept_until_the_voyage_has_come(
    database: Database, quay: Quay, clock: FixedClock
) -> None:
    """Nobody else has this row any more: it does not end before its ship is there."""
    voyage, following = await a_voyage(database), await a_voyage(database, expected_at=START + timedelta(days=40))
    draft = await quay.upload(voyage, a_list(a_row(1)))
    await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)
    carried = await carried_to(database, following)

    async def state_after(days: int) -> str:
        clock.advance(timedelta(days=days))
        async with database.work(CLOCK, purpose="retain") as work:
            await retention.apply_rule(work, quay.vault, BY_CODE["drafts"])
        return (await find_draft(database, OFFICER, carried.draft_id)).state

    assert [await state_after(days) for days in (20, 33, 2)] == ["open", "open", "expired"]


@pytest.mark.invariant("I162")
async def test_who_is_recorded_by_another_list_is_not_carried(database: Database, quay: Quay) -> None:
    voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
    draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
    await quay.send(await quay.upload(voyage, a_list(a_row(1, seq="9"))))

    with pytest.raises(LineRecorded):
        await quay.absent(draft, 2, "rolled_over", next_voyage_id=following.voyage_id)
    with pytest.raises(LineRecorded):
        await quay.absent(draft, 2)


@pytest.mark.invariant("I160")
async def test_a_longer_list_does_not_record_who_was_called_as_absent(database: Database, quay: Quay) -> None:
    voyage = await a_voyage(database)
    draft = await quay.upload(voyage, a_list(a_row(1), a_row(2)))
    await quay.call(draft, 2)
    assert (await quay.send(await quay.absent(draft, 3))).draft.state == "sent"

    longer = await quay.upload(voyage, a_list(a_row(1), a_row(2), a_row(3)))
    await quay.send(longer)
    counts = await quay.counts(voyage)
    assert await recorded(database) == [2]
    assert (counts.listed, counts.arrived) == (3, 1)


@pytest.mark.invariant("I160")
async def test_no_list_is_taken_in_at_once_while_the_roll_is_called(database: Database, site: Site, quay: Quay) -> None:
    voyage = await a_voyage(database)
    before, after = a_list(a_row(5)), a_list(a_row(1), a_row(2))
    path = f"/api/voyages/{voyage.voyage_id}/manifest"
    assert (await site("officer").post(path, content=before, kind="text/csv", key=new_id())).status_code == 200
    draft = await quay.upload(voyage, after)
    await quay.absent(await quay.call(draft, 2), 3)

    answer = await site("officer").post(path, content=after, kind="text/csv", key=new_id())
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "roll_begun")
    again = await site("officer").post(path, content=before, kind="text/csv", key=new_id())
    assert (again.status_code, again.json()["accepted"]) == (200, 1)
    assert (await quay.counts(voyage)).arrived == 1
