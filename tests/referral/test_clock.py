"""The clock goes on, whatever becomes of one assignment."""

from datetime import timedelta

import asyncpg
import pytest

from services.referral.clock import Chase
from shared.kit.database import connect
from tests.conftest import DatabaseUrls
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival


async def turn_until_idle(chase: Chase) -> None:
    while await chase():
        pass


async def test_one_assignment_that_cannot_be_chased_holds_up_nobody(desk: Desk, database_urls: DatabaseUrls) -> None:
    await desk.open(*(an_arrival("ELDER") for _ in range(9)))
    # Its explanation is gone, so nobody knows whom to ask next. Only the owner can do such a thing.
    owner = await asyncpg.connect(database_urls("referral").owner)
    broken = await owner.fetchval("SELECT referral_id FROM referrals ORDER BY referral_id LIMIT 1")
    await owner.execute("UPDATE referrals SET explanation = '\\x00' WHERE referral_id = $1", broken)
    await owner.close()
    desk.clock.advance(timedelta(hours=4))
    chase = Chase(desk.database, desk.routing)

    await turn_until_idle(chase)

    states = await desk.rows("SELECT referral_id, state FROM assignments WHERE attempt = 1")
    assert {str(row["referral_id"]) for row in states if row["state"] == "sent"} == {str(broken)}
    assert sum(row["state"] == "expired" for row in states) == 8
    assert len(chase.stuck) == 1


async def test_trouble_that_goes_away_leaves_nothing_out(desk: Desk, database_urls: DatabaseUrls) -> None:
    await desk.open(an_arrival("ELDER"))
    desk.clock.advance(timedelta(hours=4))
    away = await connect(database_urls("referral").application, service="referral", clock=desk.clock)
    chase = Chase(away, desk.routing)
    await away.aclose()

    with pytest.raises(asyncpg.InterfaceError):
        await chase()

    assert chase.stuck == set()
