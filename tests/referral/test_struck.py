"""A need that had ended when the port struck it: nobody but the port opens it again, whatever is said since."""

from collections.abc import Callable
from typing import Any

import pytest

from services.referral.actions.supervising import Reopening
from services.referral.domain.needs import Need
from services.referral.domain.refusals import MoveNotAllowed
from services.referral.store import desk as store
from shared.contracts.intake.arrivals import ArrivalEnteredInError, DeathUndone, PersonDied
from shared.kit.heard import Heard
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import a_basis, a_consent, a_withdrawal, an_arrival
from tests.referral.test_corrections import a_correction, hear, states
from tests.referral.test_lock_order import hear_consent
from tests.referral.test_opened_anew import close, complete, found, reasons, struck

pytestmark = pytest.mark.invariant("I180")

Said = Callable[[str], Heard[Any]]

NO: dict[str, Said] = {
    "refused": lambda case_id: a_consent(case_id, to="state", given=False),
    "consent_withdrawn": lambda case_id: a_withdrawal(case_id, to="state"),
}
YES: dict[str, Said] = {
    "consent": lambda case_id: a_consent(case_id, to="state", seq=9),
    "law": lambda case_id: a_basis(case_id, seq=9),
}


class TestStruck:
    @pytest.mark.parametrize("yes", YES)
    @pytest.mark.parametrize("no", NO)
    async def test_is_not_opened_by_a_later_word(self, desk: Desk, no: str, yes: str) -> None:
        landed = an_arrival("WAGE", "NEED")
        await desk.open(landed)
        await hear_consent(desk, NO[no](landed.case_id))
        await hear(desk, struck(landed, "WAGE", "NEED"))

        await hear_consent(desk, YES[yes](landed.case_id))

        assert (await states(desk))["WAGE"] == no
        assert "WAGE" not in dict(await reasons(desk))

    @pytest.mark.parametrize("yes", YES)
    async def test_nor_is_what_ended_of_an_arrival_that_was_none(self, desk: Desk, yes: str) -> None:
        landed = an_arrival("WAGE")
        await desk.open(landed)
        await hear_consent(desk, NO["refused"](landed.case_id))
        await hear(desk, a_correction(ArrivalEnteredInError, landed))

        await hear_consent(desk, YES[yes](landed.case_id))

        assert await states(desk) == {"WAGE": "refused"}

    async def test_nor_by_a_supervisor_who_is_not_offered_it(self, desk: Desk) -> None:
        landed = an_arrival("SICK", "NEED")
        await desk.open(landed)
        await close(desk, "SICK", "COULD_NOT_CONTACT")
        [row] = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = 'SICK'")
        await hear(desk, struck(landed, "SICK", "NEED"))

        [refused] = await desk.reopen(Reopening(row["referral_id"], "NEED_REMAINS"))

        assert isinstance(refused, MoveNotAllowed)
        assert (await states(desk))["SICK"] == "unfulfilled"

    async def test_is_offered_to_nobody_to_be_opened_again(self, desk: Desk, site: Site) -> None:
        landed = an_arrival("SICK", "NEED")
        await desk.open(landed)
        await close(desk, "SICK", "COULD_NOT_CONTACT")
        await close(desk, "NEED", "COULD_NOT_CONTACT")
        pages = {
            row["need"]: f"/id/eskalasi/{row['referral_id']}/buka"
            for row in await desk.rows("SELECT need, referral_id FROM referrals")
        }

        await hear(desk, struck(landed, "SICK", "NEED"))
        offered = {need: 'name="reason"' in (await site("supervisor").get(page)).text for need, page in pages.items()}
        await hear(desk, a_correction(PersonDied, landed, version=3, needs=("NEED", "REMAINS")))

        assert offered == {"SICK": False, "NEED": True}
        assert 'name="reason"' not in (await site("supervisor").get(pages["NEED"])).text

    async def test_is_open_to_a_word_again_once_the_port_has_found_it(self, desk: Desk) -> None:
        landed = an_arrival("WAGE", "NEED")
        await desk.open(landed)
        await hear_consent(desk, NO["refused"](landed.case_id))
        await hear(desk, struck(landed, "WAGE", "NEED"))
        await hear(desk, found(landed, "WAGE", "NEED"))
        before = await states(desk)

        await hear_consent(desk, YES["consent"](landed.case_id))

        assert (before["WAGE"], (await states(desk))["WAGE"]) == ("refused", "open")


class TestRemains:
    async def brought_home(self, desk: Desk, *needs: str) -> Heard[Any]:
        """Somebody noted as dead whose remains are at home."""
        landed = an_arrival(*needs)
        await desk.open(landed)
        await hear(desk, a_correction(PersonDied, landed, needs=(*needs, "REMAINS")))
        await complete(desk, "REMAINS")
        return landed

    async def test_that_were_another_s_are_brought_home_when_the_person_dies(self, desk: Desk) -> None:
        landed = await self.brought_home(desk, "NEED")
        await hear(desk, a_correction(DeathUndone, landed, version=3, needs=("NEED",)))
        before = await states(desk)

        await hear(desk, a_correction(PersonDied, landed, version=4, needs=("NEED", "REMAINS")))

        assert before == {"NEED": "open", "REMAINS": "fulfilled"}
        assert await states(desk) == {"NEED": "cancelled", "REMAINS": "open"}
        assert ("REMAINS", "FOUND_AFTER_ALL") in await reasons(desk)

    async def test_that_came_home_before_the_death_was_noted_stay_there(self, desk: Desk) -> None:
        landed = an_arrival("REMAINS")
        await desk.open(landed)
        await complete(desk, "REMAINS")

        await hear(desk, a_correction(PersonDied, landed, needs=("REMAINS",)))

        assert await states(desk) == {"REMAINS": "fulfilled"}

    async def test_of_another_make_nobody_count_as_dead_whose_word_opens_what_was_refused(self, desk: Desk) -> None:
        landed = an_arrival("WAGE")
        await desk.open(landed)
        await hear_consent(desk, NO["refused"](landed.case_id))
        await hear(desk, a_correction(PersonDied, landed, needs=("WAGE", "REMAINS")))
        await complete(desk, "REMAINS")
        await hear(desk, a_correction(DeathUndone, landed, version=3, needs=("WAGE",)))

        await hear_consent(desk, YES["consent"](landed.case_id))

        assert await states(desk) == {"WAGE": "open", "REMAINS": "fulfilled"}


class TestDead:
    async def test_are_helped_with_nothing_by_a_supervisor_but_the_way_home_of_the_remains(self, desk: Desk) -> None:
        landed = an_arrival("SICK", "NEED")
        await desk.open(landed)
        await close(desk, "SICK", "COULD_NOT_CONTACT")
        await hear(desk, a_correction(PersonDied, landed, needs=("SICK", "NEED", "REMAINS")))
        await close(desk, "REMAINS", "NO_CAPACITY")
        rows = await desk.rows("SELECT referral_id::text, need FROM referrals")
        ids = {row["need"]: row["referral_id"] for row in rows}

        sick, remains = await desk.reopen(
            Reopening(ids["SICK"], "NEED_REMAINS"), Reopening(ids["REMAINS"], "NEED_REMAINS")
        )
        async with desk.database.work(PEOPLE["supervisor"], purpose="look") as work:
            offered = [task.need for task in await store.list_closed(work, limit=9)]
        await hear(desk, a_correction(DeathUndone, landed, version=3, needs=("SICK", "NEED")))
        [lives] = await desk.reopen(Reopening(ids["SICK"], "NEED_REMAINS"))

        assert isinstance(sick, MoveNotAllowed)
        assert isinstance(remains, Need)
        assert isinstance(lives, Need)
        assert offered == []
