"""Other rules and another directory tried on what was decided before; stored decisions made again."""

import csv
import io
from datetime import timedelta

import orjson
import pytest

from services.referral import rules
from services.referral.actions import keeping, trying
from services.referral.domain.trials import Trial
from services.referral.rules import Router, Rules
from services.referral.store import history, rulesets
from shared.kit.actor import system
from shared.kit.ids import new_id
from tests.referral.conftest import Desk, Site
from tests.referral.factories import START, an_arrival

ACTIVE = rules.load(rules.latest())
SICK_AT_HOME = "DINKES-73.06"


def draft(**cells: str) -> Rules:
    """The rules in force with other cells in the row of terms of the sick."""
    text = orjson.loads((rules.FOLDER / f"{ACTIVE.version}.json").read_bytes())
    terms = next(node["content"]["rules"] for node in text["nodes"] if node["id"] == "terms")
    next(row for row in terms if row["_id"] == "terms-sick").update(cells)
    return Rules("draft", orjson.dumps(text))


async def tried(
    desk: Desk, *, to: Rules = ACTIVE, without: tuple[str, ...] = (), apart: bool = False, port: str | None = None
) -> Trial:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        past, found = await trying.read_past(work, since=None, until=START + timedelta(days=1), port=port)
    routers = Router(ACTIVE, found), Router(to, trying.without(found, without))
    trial = Trial(apart)
    done = [n async for n in trying.try_out(past, trial, before=routers[0], after=routers[1])]
    assert done[-1] == len(past)
    return trial


class TestWhatIf:
    async def test_nothing_changes_under_the_same_rules(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK", "WAGE"), an_arrival("ELDER"))

        trial = await tried(desk)

        assert (trial.needs, trial.same, trial.exact()["moved"]) == (3, 3, [])

    async def test_says_who_would_go_where_without_an_office_and_what_load_that_means(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("SICK"), an_arrival("WAGE"))
        first = (await tried(desk)).load_before
        office = next(agency for agency, count in first.items() if count == 2)

        found = (await tried(desk, without=(office,))).exact()

        [moved] = found["moved"]
        assert (moved["need"], moved["before"], moved["needs"]) == ("SICK", office, 2)
        assert {line["agency_id"]: (line["before"], line["after"]) for line in found["load"]} == {
            office: (2, 0),
            moved["after"]: (0, 2),
        }

    async def test_says_whose_time_would_change(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("WAGE"))

        [line] = (await tried(desk, to=draft(decide="47.75"))).exact()["deadlines"]

        assert (line["need"], line["before"], line["after"], line["needs"]) == (
            "SICK",
            [1, 2, "always"],
            [48, 2, "always"],
            1,
        )

    async def test_says_so_where_only_other_hours_would_count_and_nothing_of_rules_in_other_words(
        self, desk: Desk
    ) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("WAGE"))

        [line] = (await tried(desk, to=draft(urgency="2", counted='"working"'))).exact()["deadlines"]
        earlier = await tried(desk, to=rules.load("2026-11"))

        assert (line["need"], line["after"]) == ("SICK", [1, 2, "working"])
        assert earlier.same == earlier.needs == 2

    async def test_says_how_many_households_a_draft_would_part(self, desk: Desk) -> None:
        for _ in range(2):
            home = new_id()
            await desk.open(an_arrival("MENTAL", household_id=home), an_arrival("SICK", household_id=home))
        await desk.open(an_arrival("SICK", household_id=new_id()))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            _, found = await trying.read_past(work, since=None, until=None, port=None)
            families = await history.list_members(work)
            elsewhere = await history.list_members(work, port="BTM")
        trial = Trial(apart=False)
        text = orjson.loads(rules.shipped(ACTIVE.version))
        rows = next(node["content"] for node in text["nodes"] if node["id"] == "candidates")
        rows["rules"] = [row for row in rows["rules"] if row["_id"] not in ("sick-infect-3", "sick-infect-4")]
        at_port_alone = Router(Rules("draft", orjson.dumps(text)), found)
        await trying.try_households(families, trial, before=Router(ACTIVE, found), after=at_port_alone)

        exact = trial.exact()
        assert (exact["households"], exact["parted_before"], exact["parted_after"]) == (2, 0, 2)
        assert trial.published()["parted_after"] is None
        assert elsewhere == []

    async def test_says_who_would_have_nobody(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("WAGE"))
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            past, found = await trying.read_past(work, since=None, until=None, port=None)
        nobody = trying.without(found, [a for a in found.agencies if a.startswith(("DINKES", "RSUD", "PUSKESMAS"))])
        nobody = trying.without(
            nobody, [c.agency_id for one in past for c in ACTIVE.decide(rules.read(one.body).facts, nobody).candidates]
        )
        trial = Trial(apart=False)
        async for _ in trying.try_out(past, trial, before=Router(ACTIVE, found), after=Router(ACTIVE, nobody)):
            pass

        assert trial.exact()["unroutable"] == 2

    async def test_looks_at_one_port_alone(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"))

        assert (await tried(desk, port="CGK")).needs == 0

    async def test_touches_nothing(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"), an_arrival("WAGE"))
        counts = (
            "SELECT (SELECT count(*) FROM journal), (SELECT sum(version) FROM referrals),"
            " (SELECT count(*) FROM assignments)"
        )
        before = await desk.rows(counts)

        await tried(desk, without=(SICK_AT_HOME,), to=draft(decide="47.75"))

        assert await desk.rows(counts) == before

    async def test_names_an_office_that_there_is_not(self, desk: Desk) -> None:
        with pytest.raises(keeping.AgencyUnknown, match=r"DINKES-99\.99"):
            await tried(desk, without=("DINKES-99.99",))

    async def test_people_see_no_small_numbers_and_of_restricted_needs_nothing_apart(self, desk: Desk) -> None:
        await desk.open(*[an_arrival("TIP") for _ in range(30)], *[an_arrival("WAGE") for _ in range(12)])
        exact = await tried(desk)
        office = max(exact.load_before, key=lambda agency: exact.load_before[agency])

        said = (await tried(desk, without=(office,), apart=True)).published()

        assert said["moved"] == [
            {"need": "restricted", "province": "restricted", "before": "restricted", "after": "restricted", "needs": 30}
        ]
        assert office not in str(said)


class TestApi:
    async def test_tells_where_it_stands_and_then_the_result_in_tens(self, site: Site, desk: Desk) -> None:
        await desk.open(*[an_arrival("WAGE") for _ in range(33)])
        office = next(iter((await tried(desk)).load_before))

        answer = await site("coordinator").get(f"/api/what-if?since=2026-01&until=2026-12&without={office}")

        *steps, last = [orjson.loads(line) for line in answer.text.splitlines()]
        assert steps[-1]["done"] == steps[-1]["of"] == 1
        assert last["result"]["needs"] == 30
        [moved] = last["result"]["moved"]
        assert (moved["before"], moved["needs"]) == (office, 30)

    async def test_names_an_office_that_there_is_not(self, site: Site) -> None:
        answer = await site("coordinator").get("/api/what-if?without=DINKES-99.99")

        assert answer.status_code == 422
        assert "DINKES-99.99" in answer.text

    async def test_tries_a_file_as_if_it_had_been_taken_into_the_directory(self, site: Site, desk: Desk) -> None:
        await desk.open(*[an_arrival("WAGE") for _ in range(33)])
        office = next(iter((await tried(desk)).load_before))
        exported = (await site("coordinator").get("/api/agencies/export?format=csv")).content.decode("utf-8-sig")
        row = next(row for row in csv.DictReader(io.StringIO(exported)) if row["agency_id"] == office)
        out = io.StringIO()
        writer = csv.DictWriter(out, row)
        writer.writeheader()
        writer.writerow(row | {"needs": "SICK"})
        before = await desk.rows("SELECT count(*), max(changed_at) FROM agencies")

        answer = await site("coordinator").send(
            "POST", "/api/what-if", content=out.getvalue().encode(), headers={"content-type": "text/csv"}
        )
        bad = await site("coordinator").send(
            "POST", "/api/what-if", content=b"nothing,of,it\n", headers={"content-type": "text/csv"}
        )

        [moved] = orjson.loads(answer.text.splitlines()[-1])["result"]["moved"]
        assert (moved["before"], moved["needs"]) == (office, 30)
        assert bad.status_code == 422
        assert await desk.rows("SELECT count(*), max(changed_at) FROM agencies") == before

    async def test_is_the_coordinators(self, site: Site) -> None:
        assert (await site("supervisor").get("/api/what-if")).status_code == 403


class TestReplay:
    async def test_every_decision_of_a_changing_directory_comes_out_the_same_to_the_byte(self, desk: Desk) -> None:
        everyone = [an_arrival(need) for need in ("SICK", "WAGE", "ELDER", "UAC", "TIP")]
        await desk.open(*everyone)
        for change in (
            {"needs": ("WAGE",)},
            {"sexes": ("M",), "needs": None},
            {"takes_referrals": False},
        ):
            async with desk.database.work(system("referral", "test"), purpose="test") as work:
                await keeping.change_agency(work, SICK_AT_HOME, change)
            desk.clock.advance(timedelta(seconds=5))
            await desk.open(*[an_arrival(need) for need in ("SICK", "WAGE", "ELDER")])
        seen: list[tuple[int, int]] = []

        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            await rulesets.enter_shipped(work, ACTIVE.version, ACTIVE.text)
            differing = await trying.replay_all(work, progress=lambda *at: seen.append(at))

        [row] = await desk.rows("SELECT count(*) AS n FROM explanations")
        assert differing == []
        assert seen[-1] == (row["n"], row["n"])
        assert row["n"] > 5  # the changes made decisions of their own

    async def test_names_a_decision_that_would_come_out_otherwise(self, desk: Desk) -> None:
        await desk.open(an_arrival("SICK"))

        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            # As if the shipped file had been edited after it was used.
            await rulesets.enter_shipped(work, ACTIVE.version, draft(decide="47.75").text)
        async with desk.database.work(system("referral", "test"), purpose="test") as work:
            differing = await trying.replay_all(work, progress=lambda *_: None)

        assert len(differing) == 1
