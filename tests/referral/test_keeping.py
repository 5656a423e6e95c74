"""The directory in the hands of its keepers and of the offices themselves: API and pages."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest

from services.referral.actions import keeping
from services.referral.api.keeping import AllFields, OwnFields
from services.referral.domain import hsds
from services.referral.domain.agencies import FRESH_FOR, KEPT, OWN
from services.referral.domain.refusals import VersionChanged
from shared.kit.actor import system
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import START

OFFICE = "DINSOS-73.06"
KEEPER = system("referral", "directory")


async def entry(desk: Desk, *columns: str) -> list[Any]:
    [row] = await desk.rows(f"SELECT {', '.join(columns)} FROM agencies WHERE agency_id = $1", OFFICE)
    return [row[column] for column in columns]


class TestHistory:
    async def test_gives_the_directory_of_any_moment(self, desk: Desk) -> None:
        moments = []
        for phone in ("111", "112", "113"):
            async with desk.database.work(KEEPER, purpose="test") as work:
                await keeping.change_agency(work, OFFICE, {"phone": phone})
            moments += await entry(desk, "changed_at")  # after the first filling, whatever the clock of a test says
        async with desk.database.work(KEEPER, purpose="test") as work:
            await keeping.suspend_agency(work, OFFICE)
            await keeping.add_agency(work, kind="RSJ", region="73.06", name="RSKD", ruled=frozenset({"RSJ"}))

        async with desk.database.work(KEEPER, purpose="test") as work:
            then = [await keeping.directory_as_of(work, moment) for moment in moments]
            now = await keeping.directory_as_of(work, moments[-1] + timedelta(seconds=1))

        assert [d.agencies[OFFICE].phone for d in then] == ["111", "112", "113"]
        assert ["RSJ-73.06" in d.agencies for d in (*then, now)] == [False, False, False, True]
        assert [OFFICE in d.available for d in (*then, now)] == [True, True, True, False]

    async def test_is_what_the_directory_is_now(self, desk: Desk, routing: Any) -> None:
        async with desk.database.work(KEEPER, purpose="test") as work:
            await keeping.change_agency(work, OFFICE, {"languages": ("bug", "id"), "min_age": 18})
        async with desk.database.work(KEEPER, purpose="test") as work:
            held = (await routing.router(work)).directory.agencies
            rebuilt = (await keeping.directory_as_of(work, desk.clock.now() + timedelta(days=9))).agencies

        assert rebuilt == held

    async def test_cannot_be_changed(self, desk: Desk) -> None:
        with pytest.raises(Exception, match="permission denied"):
            await desk.rows("UPDATE agency_versions SET change = 'added' RETURNING 1")

    async def test_shows_coordinators_what_changed_when_and_by_which_role(self, desk: Desk, site: Site) -> None:
        await site("coordinator").send("POST", f"/api/agencies/{OFFICE}/changes", json={"fields": {"phone": "112"}})

        told = (await site("coordinator").get(f"/api/agencies/{OFFICE}/versions")).json()["items"]
        page = (await site("coordinator").get(f"/en/direktori/{OFFICE}")).text

        assert [(v["version"], v["change"], v["fields"], v["by_role"]) for v in told] == [
            (2, "changed", ["phone"], "coordinator"),
            (1, "added", [], "system"),
        ]
        assert told[0]["entry"]["phone"] == "112"
        assert re.search(r"Switchboard: <del>–</del>.*<ins>112</ins>", page)
        assert "Coordinator" in page


class TestOwnEntry:
    async def test_is_brought_up_to_date_by_the_offices_supervisor_which_confirms_it(
        self, desk: Desk, site: Site
    ) -> None:
        answer = await site("gowa").send(
            "POST", "/api/agencies/own/changes", json={"version": 1, "fields": {"languages": "mak,id", "phone": "112"}}
        )

        assert answer.status_code == 200, answer.text
        assert await entry(desk, "languages", "phone", "version", "confirmed_at") == [["id", "mak"], "112", 2, START]

    @pytest.mark.parametrize("field", sorted(set(KEPT) - set(OWN)))
    async def test_does_not_take_what_coordinators_keep(self, desk: Desk, site: Site, field: str) -> None:
        answer = await site("gowa").send("POST", "/api/agencies/own/changes", json={"fields": {field: "73"}})

        assert answer.status_code == 422
        assert await entry(desk, "version") == [1]

    async def test_nor_what_they_keep_of_this_office(self, desk: Desk, site: Site) -> None:
        async with desk.database.work(KEEPER, purpose="test") as work:
            await keeping.change_agency(work, OFFICE, {"reserved": ("hours",)})

        refused = await site("gowa").send(
            "POST", "/api/agencies/own/changes", json={"fields": {"hours": "MO 08:00-09:00"}}
        )

        assert refused.status_code == 403
        assert await entry(desk, "hours") == [None]
        assert 'name="hours"' not in (await site("gowa").get("/en/kantor")).text

    async def test_of_another_office_is_out_of_reach_of_the_database_too(self, desk: Desk) -> None:
        async with desk.database.work(PEOPLE["makassar"], purpose="test") as work:
            done = await work.connection.execute("UPDATE agencies SET phone = '1' WHERE agency_id = $1", OFFICE)
            seen = await work.connection.fetch("SELECT 1 FROM agency_versions WHERE agency_id = $1", OFFICE)

        assert (done, seen) == ("UPDATE 0", [])

    async def test_asks_its_owner_after_90_days_and_is_confirmed_by_one_click(self, desk: Desk, site: Site) -> None:
        question = "Is this still right?"
        first = (await site("gowa").get("/en/")).text
        await site("gowa").send("POST", "/en/kantor/benar")
        confirmed = (await site("gowa").get("/en/")).text
        routed_at = await entry(desk, "changed_at")
        desk.clock.advance(FRESH_FOR)

        assert [question in page for page in (first, confirmed)] == [True, False]
        assert question in (await site("gowa").get("/en/")).text
        assert question not in (await site("worker").get("/en/")).text
        assert await entry(desk, "version", "changed_at") == [2, *routed_at]
        told = await desk.rows("SELECT payload FROM journal WHERE type LIKE '%directory_changed%'")
        assert [orjson.loads(row["payload"])["data"]["fields"] for row in told] == [["confirmed_at"]]

    async def test_is_marked_in_the_coordinators_list_until_it_is_confirmed(self, desk: Desk, site: Site) -> None:
        def named(page: httpx2.Response) -> bool:
            return f">{OFFICE}<" in page.text

        path = "/en/direktori?kind=DINSOS&region=73&stale=1"
        before = await site("coordinator").get(path)
        await site("gowa").send("POST", "/en/kantor/benar")
        after = await site("coordinator").get(path)

        assert [named(before), named(after)] == [True, False]
        assert "not confirmed" in before.text

    async def test_shows_what_is_wrong_and_keeps_what_was_typed(self, desk: Desk, site: Site) -> None:
        answer = await site("gowa").send(
            "POST", "/en/kantor", data={"hours": "always", "phone": "+62 411 1", "version": "1"}
        )

        assert answer.status_code == 422
        assert "These office hours cannot be read." in answer.text
        assert 'value="always"' in answer.text
        assert await entry(desk, "version") == [1]


class TestCoordinator:
    async def test_changes_suspends_and_resumes_by_page(self, desk: Desk, site: Site) -> None:
        keeper = site("coordinator")
        form = {"name": "Dinsos Gowa", "zone": "Asia/Makassar", "takes_referrals": "1", "needs": ["TIP", "ELDER"]}
        changed = await keeper.send("POST", f"/en/direktori/{OFFICE}", data={**form, "version": "1"})
        suspended = await keeper.send("POST", f"/en/direktori/{OFFICE}/jeda", data={"suspend": "yes"})

        assert (changed.status_code, suspended.status_code) == (303, 303), changed.text
        assert await entry(desk, "name", "needs", "keeps_holidays") == ["Dinsos Gowa", ["ELDER", "TIP"], False]
        assert "Route there again" in (await keeper.get(f"/en/direktori/{OFFICE}")).text
        await keeper.send("POST", f"/en/direktori/{OFFICE}/jeda", data={"suspend": "no"})
        assert await entry(desk, "suspended_at") == [None]

    async def test_who_comes_second_learns_that_the_entry_changed(self, desk: Desk, site: Site) -> None:
        async with desk.database.work(KEEPER, purpose="test") as work:
            await keeping.change_agency(work, OFFICE, {"phone": "112"})

        by_api = await site("coordinator").send(
            "POST", f"/api/agencies/{OFFICE}/changes", json={"version": 1, "fields": {"phone": "113"}}
        )
        by_page = await site("coordinator").send(
            "POST",
            f"/en/direktori/{OFFICE}",
            data={"version": "1", "name": "Dinsos", "zone": "Asia/Makassar", "phone": "113"},
        )

        assert (by_api.status_code, by_page.status_code) == (409, 422)
        assert "The entry changed since you opened this page." in by_page.text
        assert await entry(desk, "phone") == ["112"]
        with pytest.raises(VersionChanged):
            async with desk.database.work(KEEPER, purpose="test") as work:
                await keeping.change_agency(work, OFFICE, {"phone": "114"}, version=1)

    @pytest.mark.parametrize(
        "fields", [{"hours": "x"}, {"needs": "TRIP"}, {"supervised_by": "DINSOS-99"}, {"name": ""}]
    )
    async def test_is_told_what_is_wrong_with_a_field(self, desk: Desk, site: Site, fields: dict[str, str]) -> None:
        answer = await site("coordinator").send("POST", f"/api/agencies/{OFFICE}/changes", json={"fields": fields})

        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == list(fields)
        assert await entry(desk, "version") == [1]

    async def test_of_no_office_is_answered_so(self, site: Site) -> None:
        for path in ("/api/agencies/RSJ-99", "/api/agencies/RSJ-99/versions", "/en/direktori/RSJ-99"):
            assert (await site("coordinator").get(path)).status_code == 404, path


class TestFiles:
    async def test_go_out_are_looked_at_and_come_in_by_page(self, desk: Desk, site: Site) -> None:
        keeper = site("coordinator")
        out = await keeper.get("/en/direktori/berkas.csv")
        rows = list(csv.DictReader(io.StringIO(out.content.decode("utf-8-sig"))))
        assert list(rows[0]) == list(hsds.FIELDS)
        changed = b"kind,region,name\nDINSOS,73.06,Dinsos Gowa\n"

        looked = await keeper.send("POST", "/en/direktori/berkas", files={"file": ("direktori.csv", changed)})
        hidden = dict(re.findall(r'name="(content|digest)" value="([^"]+)"', looked.text))
        again = await keeper.send("POST", "/en/direktori/berkas/terima", data={**hidden, "digest": "0" * 64})
        taken = await keeper.send("POST", "/en/direktori/berkas/terima", data=hidden)

        assert "<ins>Dinsos Gowa</ins>" in looked.text
        assert (again.status_code, taken.status_code) == (409, 303)
        assert await entry(desk, "name") == ["Dinsos Gowa"]

    async def test_come_in_by_the_api_only_as_they_were_looked_at(self, desk: Desk, site: Site) -> None:
        keeper = site("coordinator")
        content = b"kind,region,name\nDINSOS,73.06,Dinsos Gowa\n"

        def sent() -> dict[str, Any]:
            return {"content": content, "headers": {"content-type": "text/csv"}}

        looked = (await keeper.send("POST", "/api/agencies/previews", **sent())).json()
        other = await keeper.send("POST", f"/api/agencies/imports?digest={'0' * 64}", **sent())
        taken = await keeper.send("POST", f"/api/agencies/imports?digest={looked['digest']}", **sent())

        assert looked["rows"][0]["changes"][0][0] == "name"
        assert (other.status_code, taken.status_code) == (409, 200)
        assert taken.json()["counts"]["changed"] == 1
        exported = await keeper.get("/api/agencies/export?format=json")
        assert "Dinsos Gowa" in exported.text

    async def test_that_are_none_are_refused_in_words(self, site: Site) -> None:
        refused = await site("coordinator").send("POST", "/en/direktori/berkas", files={"file": ("x.csv", b"a,b\n")})

        assert refused.status_code == 422
        assert "This is no directory" in refused.text


class TestPlaces:
    async def test_are_published_and_shown_as_unknown_when_they_are_old(self, desk: Desk, site: Site) -> None:
        form = {"sex": "F", "age_band": "adult", "offered": "4", "days": "1", "accessible": "1"}
        done = await site("worker").send("POST", "/en/kantor/tempat", data=form)
        fresh = (await site("worker").get("/api/places")).json()["items"]
        desk.clock.advance(timedelta(days=1))
        old = (await site("worker").get("/api/places")).json()["items"]
        page = (await site("worker").get("/en/kantor")).text

        assert done.status_code == 303, done.text
        assert [(one["offered"], one["taken"], one["free"]) for one in fresh + old] == [(4, 0, 4), (4, 0, None)]
        assert "not known" in page
        assert (await site(OFFICE).get("/api/places")).json()["items"] == old
        assert (await site("DINSOS-73").get("/api/places")).json()["items"] == []

    async def test_fewer_than_are_taken_are_refused_with_the_numbers(self, desk: Desk, site: Site) -> None:
        await desk.rows(
            "INSERT INTO places (agency_id, sex, age_band, accessible, offered, taken, expires_at, published_at)"
            " VALUES ($1, 'F', 'any', FALSE, 4, 3, $2, $2) RETURNING 1",
            OFFICE,
            START,
        )
        offer = {"sex": "F", "age_band": "any", "offered": 2, "expires_at": (START + timedelta(days=1)).isoformat()}

        refused = await site(OFFICE).send("POST", "/api/places", json={"items": [offer]})

        [error] = refused.json()["errors"]
        assert (refused.status_code, error["message"]) == (422, "2 tempat lebih sedikit daripada 3 yang terisi.")
        assert error["remedy"].startswith("Umumkan paling sedikit 3")

    @pytest.mark.parametrize(
        "wrong", [{"offered": "-1"}, {"offered": "many"}, {"days": "8"}, {"sex": "X"}, {"days": ""}]
    )
    async def test_that_make_no_sense_are_refused_in_words(self, site: Site, wrong: dict[str, str]) -> None:
        form = {"sex": "F", "age_band": "adult", "accessible": "1", "offered": "1", "days": "1", **wrong}

        refused = await site("worker").send("POST", "/en/kantor/tempat", data=form)

        assert refused.status_code == 422
        assert "Give a number between 0 and 1,000" in refused.text
        assert 'value="adult" selected' in refused.text
        assert 'name="accessible" value="1" checked' in refused.text
        for name in ("offered", "days"):
            assert f'name="{name}" type="text" value="{form[name]}"' in refused.text


def test_the_interface_takes_every_field_that_may_be_changed_and_no_other() -> None:
    assert AllFields.model_fields.keys() == set(KEPT)
    assert OwnFields.model_fields.keys() == set(OWN)
