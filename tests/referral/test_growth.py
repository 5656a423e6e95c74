"""What is asked of a few needs reads no more when there are many: plans that were made before stay."""

from functools import partial

from services.referral.actions import staying
from shared.kit.actor import system
from shared.kit.ids import new_id
from tests import growing
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival

CLOCK = system("referral", "clock")
MANY = 300
FEW = 20


async def test_households_read_the_needs_of_their_own(desk: Desk) -> None:
    home = new_id()
    ask = partial(staying.list_standing, household_ids={home})
    await growing.plan(desk.database, CLOCK, ask)

    await desk.open(*(an_arrival("ELDER", household_id=home) for _ in range(2)))
    await desk.open(*(an_arrival("ELDER") for _ in range(MANY)))

    assert await growing.read(desk.database, CLOCK, "referrals", ask) <= FEW
    assert await growing.read(desk.database, CLOCK, "assignments", ask) <= FEW
