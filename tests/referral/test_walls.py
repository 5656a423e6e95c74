"""Who is outside the case team cannot infer what is restricted, and police matters stay apart from protection."""

import re
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from services.referral import rules
from services.referral.actions.answering import Answer
from services.referral.actions.supervising import Closing, Reopening
from services.referral.domain.agencies import Directory
from services.referral.domain.matters import CUSTODY, PROTECTION
from services.referral.domain.refusals import ChildNeedsOfficer, Refused
from services.referral.domain.routing import Facts
from services.referral.rules import Router
from services.referral.store import agencies
from shared.contracts.codes import needs as known_needs
from shared.contracts.codes import regencies
from shared.kit.actor import system
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted
from tests.referral.test_escalations import keep_the_law


async def all_expire(desk: Desk) -> None:
    """Nobody answers until nobody is left to ask."""
    for _ in range(15):
        desk.clock.advance(timedelta(days=4))
        await desk.chase()


async def referral_of(desk: Desk, need: str) -> str:
    [row] = await desk.rows("SELECT referral_id FROM referrals WHERE need = $1", need)
    return str(row["referral_id"])


async def asked(desk: Desk, need: str) -> list[str]:
    """The agencies that were asked for a need, in order."""
    rows = await desk.rows(
        "SELECT agency_id FROM assignments JOIN referrals USING (referral_id) WHERE need = $1 ORDER BY attempt", need
    )
    return [row["agency_id"] for row in rows]


def without_ids(text: str) -> str:
    return re.sub(r"(?:[0-9A-Z]{4}-){2}[0-9A-Z*~$=]|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{10,17}", "", text)


class TestSupervisor:
    async def test_sees_of_every_restricted_need_the_same(self, desk: Desk, site: Site) -> None:
        """A child's gap, a victim's: page and answer differ in number and place of the case alone."""
        seen = set()
        for age_band, need in product(("adult", "child", "unknown"), ("TIP", "GBV")):
            await desk.open(an_arrival(need, age_band=age_band))
        await all_expire(desk)

        for item in (await site("supervisor").get("/api/tasks")).json()["items"]:
            unlike = {"referral_id", "case_id", "at", "version", "attempts"}
            seen.add(str({name: value for name, value in item.items() if name not in unlike}))

        assert len(seen) == 1
        assert not re.search(r"TIP|GBV|child|UPTDPPA", "".join(seen))

    async def test_does_not_learn_that_a_need_without_anybody_is_a_childs(
        self, desk: Desk, site: Site, nobody_anywhere: None
    ) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("TIP", age_band="child"))

        items = (await site("supervisor").get("/api/tasks")).json()["items"]
        page = said(await site("supervisor").get("/id/eskalasi"))

        assert [item["kind"] for item in items] == ["gap", "gap"]
        adult, child = ({**item, "referral_id": "", "case_id": ""} for item in items)
        assert adult == child
        assert "anak" not in page.partition("mengetahuinya")[2].lower()

    async def test_does_not_learn_by_the_day_on_which_a_limit_of_the_law_passes(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("GBV"))
        before = (await site("supervisor").get("/api/tasks")).json()["items"]
        for _ in range(7):
            desk.clock.advance(timedelta(days=1))
            await keep_the_law(desk)

            assert (await site("supervisor").get("/api/tasks")).json()["items"] == before

    async def test_does_not_learn_by_trying_to_close(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("SICK", age_band="child"))

        refused = await desk.close(
            Closing(await referral_of(desk, "TIP"), "DECEASED"), Closing(await referral_of(desk, "SICK"), "DECEASED")
        )

        assert [type(one) for one in refused] == [ChildNeedsOfficer] * 2

    async def test_does_not_learn_by_choosing_whom_to_ask(self, desk: Desk, site: Site) -> None:
        await desk.open(an_arrival("TIP"))
        await all_expire(desk)
        path = f"/id/eskalasi/{await referral_of(desk, 'TIP')}/minta"
        before = await desk.attempts()

        right = await posted(site, "supervisor", path, agency="UPTDPPA-73.06")
        wrong = await posted(site, "supervisor", path, agency="BNN")

        assert right.status_code == wrong.status_code == 409
        assert await desk.attempts() == before
        assert (await posted(site, "supervisor", path)).status_code == 303

    async def test_does_not_learn_by_choosing_whom_to_ask_when_it_opens_again(self, desk: Desk) -> None:
        await desk.open(an_arrival("TIP"))
        referral_id = await referral_of(desk, "TIP")
        await all_expire(desk)
        await desk.close(Closing(referral_id, "NO_CAPACITY", personally=True))

        [result] = await desk.reopen(Reopening(referral_id, "NEED_REMAINS", agency_id="UPTDPPA-73.06"))

        assert isinstance(result, Refused)


class TestAgency:
    async def test_sees_its_own_need_alone_whatever_else_the_person_needs(self, desk: Desk, site: Site) -> None:
        """The case page and the answers of an agency do not change with the person's other needs."""
        shown = []
        for needs in (["LEGAL"], ["LEGAL", "TIP", "GBV", "DRUG"]):
            await desk.open(an_arrival(*needs))
            [row] = await desk.rows(
                "SELECT assignment_id FROM assignments JOIN referrals USING (referral_id)"
                " WHERE need = 'LEGAL' ORDER BY sent_at DESC, assignment_id DESC LIMIT 1"
            )
            agency = (await asked(desk, "LEGAL"))[0]
            path = f"/api/assignments/{row['assignment_id']}"
            page = await site(agency).get(f"/id/rujukan/{row['assignment_id']}")
            shown.append((without_ids((await site(agency).get(path)).text), without_ids(said(page))))

        assert shown[0] == shown[1]
        inbox = (await site((await asked(desk, "LEGAL"))[0]).get("/api/inbox")).json()["items"]
        assert {item["need"] for item in inbox} == {"LEGAL"}

    @pytest.mark.parametrize("first", ["DRUG", "TIP"])
    async def test_that_was_asked_for_one_matter_is_not_asked_for_the_other(self, desk: Desk, first: str) -> None:
        """The ministry stands at the end of both lists; whichever gets there first keeps the other out."""
        second = {"DRUG": "TIP", "TIP": "DRUG"}[first]
        await desk.open(an_arrival("DRUG", "TIP"))

        await _exhaust(desk, first)
        await _exhaust(desk, second)

        assert "KEMENSOS" in await asked(desk, first)
        assert "KEMENSOS" not in await asked(desk, second)
        assert not set(await asked(desk, first)) & set(await asked(desk, second))

    async def test_of_two_that_come_to_one_agency_in_the_same_moment_one_is_kept_out(self, desk: Desk) -> None:
        await desk.open(an_arrival("DRUG", "TIP"))

        await all_expire(desk)

        assert not set(await asked(desk, "DRUG")) & set(await asked(desk, "TIP"))

    async def test_may_help_with_what_is_on_neither_side(self, desk: Desk) -> None:
        await desk.open(an_arrival("MENTAL", "TIP"))

        await all_expire(desk)

        assert "KEMENSOS" in set(await asked(desk, "MENTAL")) & set(await asked(desk, "TIP"))


async def test_no_arrival_is_sent_to_one_agency_for_both_matters(desk: Desk) -> None:
    """Who is asked first is decided for each need by itself, so the rules must keep them apart from the beginning."""
    async with desk.database.work(system("referral", "test"), purpose="look") as work:
        listed = await agencies.list_agencies(work)
        changed_at = await agencies.changed_at(work)
    router = Router(rules.load(rules.latest()), _directory(listed, changed_at))
    homes = [None, *sorted(regencies())[::40]]

    for port, home, age in product(("65.03", "21.71"), homes, ("adult", "child", "unknown")):
        first = {
            need: router.decide(Facts(need=need, age_band=age, port_regency=port, origin_regency=home)).candidates[0]
            for need in CUSTODY | PROTECTION
        }
        custody, protection = [{first[need].agency_id for need in side} for side in (CUSTODY, PROTECTION)]
        assert not custody & protection, (port, home, age)


def test_every_need_that_protects_is_restricted() -> None:
    assert {code for code in PROTECTION if not known_needs()[code].restricted} == set()


def _directory(listed: Any, changed_at: Any) -> Directory:
    return Directory(
        {a.agency_id: a for a in listed}, frozenset(a.agency_id for a in listed if a.is_available), changed_at
    )


async def _exhaust(desk: Desk, need: str) -> None:
    """Everybody who can be asked for a need declines it."""
    while True:
        rows = await desk.rows(
            "SELECT assignment_id, agency_id FROM assignments a JOIN referrals r USING (referral_id)"
            " WHERE r.need = $1 AND a.ended_at IS NULL",
            need,
        )
        if not rows:
            return
        await desk.answer("decline", rows[0]["agency_id"], Answer(str(rows[0]["assignment_id"]), reason="no_capacity"))


@pytest.fixture
async def nobody_anywhere(desk: Desk) -> None:
    """The directory takes no referrals."""
    await desk.rows("UPDATE agencies SET takes_referrals = FALSE, changed_at = changed_at + interval '1 hour'")
