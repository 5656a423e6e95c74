"""Announced, handed over, counted, listed and arrived stand side by side; what differs is explained or has an owner."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.reconciliation import PAIRS, REASONS, Candidate, Difference, reconcile
from services.intake.domain.totals import GROUPS, Kind, Part, Totals, same
from services.intake.domain.voyages import Counts, Sighting, Voyage
from services.intake.pages import labels
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import START

Site = Callable[[str], Browser]
BREAKDOWNS = {"reason": "reason", "origin": "origin_province"}
BATCHES = Path(__file__).parents[2] / "../shared/data/indonesia/return_batches.csv"
VOYAGE = Voyage(new_id(), "NNK", "deportation", "KM Purnama Ekspres", 0, START)


def a_source(kind: Kind, heads: int, *parts: Part, **more: Any) -> Totals:
    return Totals(
        **{
            "source_id": new_id(),
            "voyage_id": VOYAGE.voyage_id,
            "kind": kind,
            "heads": heads,
            "recorded_by": "rina",
            "recorded_at": START,
            "parts": parts,
            **more,
        }
    )


def a_sighting(**counts: int) -> Sighting:
    return Sighting(VOYAGE, Counts(**{"announced": 0, **counts}))


def candidates_of(sighting: Sighting, *sources: Totals, **more: Any) -> list[Candidate]:
    return list(reconcile(sighting, sources, more.pop("arrived", {}), [], **more).candidates)


class TestHeads:
    def test_of_letters_and_minutes_add_up_and_the_latest_count_stands_alone(self) -> None:
        later = START + timedelta(hours=1)
        found = reconcile(
            a_sighting(arrived=192),
            [
                a_source("letter", 200),
                a_source("minutes", 92),
                a_source("minutes", 100),
                a_source("count", 190),
                a_source("count", 191, recorded_at=later),
            ],
            {},
            [],
        )

        assert (found.announced, found.handed, found.counted) == (200, 192, 191)
        assert {gap.pair: gap.difference for gap in found.gaps} == {"announced_arrived": -8, "counted_arrived": 1}

    def test_that_were_withdrawn_count_no_more(self) -> None:
        found = reconcile(a_sighting(arrived=3), [a_source("letter", 5, withdrawn_as="replaced")], {}, [])

        assert found.announced is None
        assert found.gaps == []

    def test_that_nobody_gave_make_no_difference(self) -> None:
        found = reconcile(a_sighting(arrived=12), [], {}, [])

        assert (found.announced, found.handed, found.counted, found.gaps) == (None, None, None, [])


@pytest.mark.invariant("I113")
@given(
    heads=st.lists(st.integers(0, 400), max_size=4),
    arrived=st.integers(0, 400),
    said=st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.booleans()), max_size=5),
)
def test_nothing_is_made_to_fit(heads: list[int], arrived: int, said: list[tuple[int, bool]]) -> None:
    """What is explained, looked after and not yet said comes to the difference, whatever was said of it."""
    differences = [
        Difference(
            new_id(), VOYAGE.voyage_id, "announced_arrived", count, "rina", "rina", START,
            reason="bail" if settled else None, settled_at=START if settled else None,
        )
        for count, settled in said
    ]  # fmt: skip
    found = reconcile(a_sighting(arrived=arrived), [a_source("letter", n) for n in heads], {}, differences)

    for gap in found.gaps:
        assert gap.difference == arrived - sum(heads)
        assert gap.settled + gap.open + gap.left == gap.difference
    assert bool(found.gaps) == (bool(heads) and (arrived != sum(heads) or bool(said)))


class TestCandidates:
    def test_are_rows_that_are_held_back(self) -> None:
        [one] = candidates_of(a_sighting(arrived=97, listed=100, rejected=3))

        assert (one.code, one.heads) == ("held_back", -3)
        assert "announced_arrived" in one.pairs

    def test_are_depots_of_which_nobody_came(self) -> None:
        minutes = [a_source("minutes", 92, depot="DTI Papar"), a_source("minutes", 100, depot="DTI Tawau")]

        found = candidates_of(a_sighting(arrived=100), *minutes, arrived={"depot": {"Tawau (PTS)": 100}})

        assert [(one.code, one.heads, one.about) for one in found] == [("depot_missing", -92, "DTI Papar")]

    def test_are_children_counted_inside_the_sexes(self) -> None:
        parts = [Part("group", "men", 70), Part("group", "women", 24), Part("group", "children", 4)]

        [one] = candidates_of(a_sighting(arrived=94), a_source("count", 94, *parts, issued_by="P4MI Entikong"))

        assert (one.code, one.heads, one.about) == ("children_counted_inside", 4, "P4MI Entikong")

    def test_are_numbers_that_do_not_add_up(self) -> None:
        parts = [Part("reason", "overstay", 30), Part("reason", "narcotics", 3)]

        [one] = candidates_of(a_sighting(arrived=30), a_source("letter", 30, *parts, number="112/KP"))

        assert (one.code, one.heads, one.about) == ("parts_do_not_add", 3, "112/KP")

    def test_are_voyages_that_differ_the_other_way_round(self) -> None:
        other = Sighting(Voyage(new_id(), "NNK", "deportation", "KM Francis", 0, START), Counts(100, arrived=104))
        alike = Sighting(Voyage(new_id(), "NNK", "deportation", "KM Labuan", 0, START), Counts(100, arrived=90))

        found = candidates_of(a_sighting(arrived=90), a_source("letter", 100), near=[other, alike])

        assert [(one.code, one.heads, one.about) for one in found] == [("other_voyage", -4, "KM Francis")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DTI Tawau", "Tawau (PTS)"),
        ("PTS Tawau", "Pusat Tahanan Sementara Tawau"),
        ("Depo Papar", "papar"),
        ("overstay", "Overstay"),
    ],
)
def test_a_depot_is_the_same_in_other_words(one: str, other: str) -> None:
    assert same(one) == same(other)
    assert same("DTI") == "dti"


def test_every_code_has_its_words() -> None:
    assert set(labels.PAIRS) == set(PAIRS)
    assert set(labels.DIFFERENCE_REASONS) == set(REASONS)
    assert set(labels.GROUPS) == set(GROUPS)


async def a_voyage(site: Site, **more: Any) -> str:
    sent = {"modality": "deportation", "vessel": "KM Francis Express", "announced": 4, "expected_at": START.isoformat()}
    answer = await site("officer").post("/api/voyages", json={**sent, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["voyage_id"])


async def reconciled(site: Site, voyage_id: str) -> dict[str, Any]:
    answer = await site("officer").get(f"/api/voyages/{voyage_id}/reconciliation")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def posted(site: Site, path: str, *, expected: int = 201, actor: str = "officer", **sent: Any) -> dict[str, Any]:
    answer = await site(actor).post(path, json=sent)
    assert answer.status_code == expected, answer.text
    body: dict[str, Any] = answer.json()
    return body


class TestVoyage:
    async def test_with_a_letter_two_minutes_a_list_and_somebody_on_none(self, site: Site, database: Database) -> None:
        voyage_id = await a_voyage(
            site,
            announced=6,
            letter={
                "number": "00062/PK/01/2025/10104",
                "dated": "2026-11-21",
                "issued_by": "KJRI Kota Kinabalu",
                "parts": [
                    {"dimension": "group", "value": "women", "heads": 2},
                    {"dimension": "depot", "value": "Tawau", "heads": 4},
                    {"dimension": "depot", "value": "Papar", "heads": 2},
                ],
            },
        )
        for number, depot, heads in [("BA/1", "DTI Tawau", 3), ("BA/2", "DTI Papar", 2)]:
            minutes = {"kind": "minutes", "heads": heads, "number": number, "depot": depot}
            await posted(site, f"/api/voyages/{voyage_id}/totals", **minutes)
        rows = [f"Orang {n};{sex};1990;DTI Tawau" for n, sex in enumerate("FMM", start=1)]
        listed = "\n".join(["nama;jk;tanggal lahir;depo", *rows]).encode()
        taken = await site("officer").post(f"/api/voyages/{voyage_id}/manifest", content=listed)
        assert taken.json()["accepted"] == 3, taken.text
        one = {"full_name": "Sitti", "sex": "F", "birth_date": "1990", "detained_at": "Tawau", "voyage_id": voyage_id}
        await posted(site, "/api/arrivals", **one)

        found = await reconciled(site, voyage_id)

        assert {name: found[name] for name in ("announced", "handed", "counted", "listed", "arrived")} == {
            "announced": 6, "handed": 5, "counted": None, "listed": 3, "arrived": 4,
        }  # fmt: skip
        gaps = {gap["pair"]: gap["left"] for gap in found["gaps"]}
        assert gaps == {"announced_listed": -3, "announced_arrived": -2, "handed_arrived": -1, "listed_arrived": 1}
        women = next(line for line in found["lines"] if line["value"] == "women")
        assert (women["announced"], women["arrived"], women["differs"]) == (2, 2, 0)
        papar = next(line for line in found["lines"] if line["value"] == "Papar")
        assert (papar["announced"], papar["handed"], papar["arrived"], papar["differs"]) == (2, 2, 0, -2)
        codes = {(one["code"], one["heads"]) for one in found["candidates"]}
        assert codes == {("logged_by_hand", 1), ("depot_missing", -2)}
        people = await database.pool.fetchval(
            "SELECT (convert_from(payload, 'UTF8')::jsonb -> 'data' ->> 'people')::int FROM journal"
            " WHERE type = 'intake.voyage_reconciled.v1' AND case_id = $1",
            voyage_id,
        )
        assert people == 4

    async def test_without_notice_has_nothing_to_differ_from(self, site: Site) -> None:
        found = await reconciled(site, await a_voyage(site, announced=0))

        assert (found["announced"], found["gaps"], found["sources"]) == (None, [], [])

    async def test_whose_letter_is_corrected_counts_the_new_one(self, site: Site) -> None:
        voyage_id = await a_voyage(site, announced=259)
        [first] = (await reconciled(site, voyage_id))["sources"]

        corrected = {"kind": "letter", "heads": 247, "number": "201/KK", "replaces": first["source_id"]}
        await posted(site, f"/api/voyages/{voyage_id}/totals", **corrected)
        again = await posted(site, f"/api/voyages/{voyage_id}/totals", expected=409, **corrected)
        found = await reconciled(site, voyage_id)
        listed = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()

        assert again["code"] == "totals_withdrawn"
        assert (found["announced"], listed["announced"]) == (247, 247)
        assert [one["withdrawn_as"] for one in found["sources"]] == ["replaced", None]

    async def test_with_a_letter_of_wrong_parts_is_not_announced(self, site: Site) -> None:
        sent = {"modality": "deportation", "announced": 3, "expected_at": START.isoformat()}
        parts = [{"dimension": "origin", "value": "99", "heads": 1}]

        refused = await posted(site, "/api/voyages", expected=422, **sent, letter={"parts": parts})

        assert "99" in refused["errors"][0]["message"]
        assert (await site("officer").get("/api/voyages")).json() == []


class TestDifference:
    async def test_is_looked_after_taken_over_and_settled_by_who_saw_it_as_it_is(self, site: Site) -> None:
        voyage_id = await a_voyage(site, announced=4)
        path = f"/api/voyages/{voyage_id}/differences"
        opened = await posted(site, path, pair="announced_arrived", heads=-3)
        change = f"/api/differences/{opened['difference_id']}"

        taken = await posted(site, f"{change}/take", expected=200, actor="system", version=1)
        stale = await posted(site, f"{change}/settle", expected=409, version=1, reason="bail")
        waiting = (await site("officer").get("/api/differences")).json()
        settled = await posted(site, f"{change}/settle", expected=200, version=2, reason="bail")
        again = await posted(site, f"{change}/settle", expected=409, version=3, reason="illness")
        [gap] = (await reconciled(site, voyage_id))["gaps"]

        assert (opened["owner"], taken["owner"], settled["settled_by"]) == ("rina", "port-NNK", "rina")
        assert "port-NNK" in stale["detail"]
        assert "rina" in again["detail"]
        assert [one["difference_id"] for one in waiting["items"]] == [opened["difference_id"]]
        assert (gap["difference"], gap["settled"], gap["open"], gap["left"]) == (-4, -3, 0, -1)
        assert (await site("officer").get("/api/differences")).json()["items"] == []

    async def test_of_people_who_come_later_shows_on_the_voyage_they_come_with(self, site: Site) -> None:
        first, next_ = await a_voyage(site, announced=4), await a_voyage(site, announced=2, vessel="KM Lambelu")
        said = {"pair": "announced_arrived", "heads": -3, "reason": "rolled_over", "next_voyage_id": next_}
        await posted(site, f"/api/voyages/{first}/differences", **said)

        found = (await reconciled(site, next_))["candidates"]

        assert [(one["code"], one["heads"]) for one in found] == [("rolled_over_to_here", 3)]
        for wrong in ({"next_voyage_id": first}, {"next_voyage_id": new_id()}, {"reason": "bail"}):
            refused = await posted(site, f"/api/voyages/{first}/differences", expected=422, **{**said, **wrong})
            assert refused["code"] == "rolls_over_elsewhere"

    async def test_of_nobody_is_none(self, site: Site) -> None:
        refused = await posted(
            site, f"/api/voyages/{await a_voyage(site)}/differences", expected=422, pair="listed_arrived", heads=0
        )

        assert "minus" in refused["errors"][0]["remedy"]

    async def test_of_another_port_is_as_if_it_were_none(self, site: Site) -> None:
        voyage_id = await a_voyage(site)
        opened = await posted(site, f"/api/voyages/{voyage_id}/differences", pair="listed_arrived", heads=1)
        [source] = (await reconciled(site, voyage_id))["sources"]
        stranger = site("stranger")

        for path, body in [
            (f"/api/differences/{opened['difference_id']}/take", {"version": 1}),
            (f"/api/totals/{source['source_id']}/withdraw", {"reason": "entered_in_error"}),
            (f"/api/voyages/{voyage_id}/totals", {"kind": "count", "heads": 1}),
            (f"/api/voyages/{voyage_id}/differences", {"pair": "listed_arrived", "heads": 1}),
        ]:
            assert (await stranger.post(path, json=body)).status_code == 404, path
        assert (await stranger.get(f"/api/voyages/{voyage_id}/reconciliation")).status_code == 404
        assert (await stranger.get("/api/differences")).json()["items"] == []


class TestPages:
    async def test_keep_a_count_and_a_difference_and_show_both(self, site: Site) -> None:
        voyage_id = await a_voyage(site)
        officer = site("officer")
        path = f"/id/pelayaran/{voyage_id}"
        kept = await officer.post(
            f"{path}/angka",
            data={
                "kind": "minutes", "heads_said": "1.092", "number": "BA/7", "dated_day": "23", "dated_month": "Nov",
                "dated_year": "2026", "group_men": "1.000", "depots": "DTI Tawau 92\nPapar: 1.000\n",
            },
        )  # fmt: skip
        said = await officer.post(
            f"{path}/selisih", data={"pair": "handed_arrived", "heads": "-2", "reason": "pending_case"}
        )
        opened = await officer.post(f"{path}/selisih", data={"pair": "announced_arrived", "heads": "-1", "reason": ""})
        page = await officer.get(f"{path}/angka")
        waiting = await officer.get("/id/selisih")
        found = await reconciled(site, voyage_id)

        assert [kept.status_code, said.status_code, opened.status_code] == [303, 303, 303]
        [minutes] = [one for one in found["sources"] if one["kind"] == "minutes"]
        assert (minutes["heads"], minutes["dated"], len(minutes["parts"])) == (1092, "2026-11-23", 3)
        for told in ("1.092", "BA/7", "DTI Tawau", "Kasus di luar negeri belum selesai", "rina"):
            assert told in page.text
        assert "KM Francis Express" in waiting.text

    async def test_say_what_is_wrong_and_keep_what_was_typed(self, site: Site) -> None:
        path = f"/id/pelayaran/{await a_voyage(site)}"
        officer = site("officer")
        bad = await officer.post(
            f"{path}/angka",
            data={
                "kind": "letter",
                "heads_said": "banyak",
                "depots": "DTI Ta\u202ewau",
                "group_boys": "tiga",
                "dated_day": "31",
                "number": "112/KP",
            },
        )
        none = await officer.post(f"{path}/selisih", data={"pair": "", "heads": "lima"})

        assert (bad.status_code, none.status_code) == (422, 422)
        assert "Anak laki-laki: Ini bukan jumlah orang." in bad.text
        for told in ("“DTI Ta[U+202E]wau”", "112/KP", "banyak", "tiga"):
            assert told in bad.text

    async def test_let_a_corrected_letter_take_the_place_of_the_one_before(self, site: Site) -> None:
        voyage_id = await a_voyage(site, announced=259)
        [first] = (await reconciled(site, voyage_id))["sources"]
        officer, path = site("officer"), f"/id/pelayaran/{voyage_id}/angka"
        assert f'value="{first["source_id"]}"' in (await officer.get(path)).text
        letter = {"kind": "letter", "heads_said": "247", "number": "202/KK", "replaces": first["source_id"]}

        kept, again = await officer.post(path, data=letter), await officer.post(path, data=letter)
        odd = await officer.post(path, data={**letter, "replaces": "259"})
        found = await reconciled(site, voyage_id)

        assert [kept.status_code, again.status_code, odd.status_code] == [303, 409, 404]
        assert (found["announced"], [one["withdrawn_as"] for one in found["sources"]]) == (247, ["replaced", None])

    @pytest.mark.parametrize("vessel", ["KM Francis Express", ""])
    async def test_tell_another_voyage_of_the_same_ship_by_its_port_and_time(self, site: Site, vessel: str) -> None:
        first = await a_voyage(site, vessel=vessel, announced=1)
        later = await a_voyage(site, vessel=vessel, announced=1, expected_at=(START + timedelta(hours=6)).isoformat())
        for n in range(2):
            one = {"full_name": f"Sitti {n}", "sex": "F", "birth_date": "1990", "voyage_id": later}
            await posted(site, "/api/arrivals", **one)

        page = (await site("officer").get(f"/id/pelayaran/{first}/angka")).text

        assert "23 Nov 2026 17.00 WITA pada hari-hari yang sama" in " ".join(page.split()), page
        assert f">{later}" not in page

    async def test_settle_and_withdraw(self, site: Site) -> None:
        voyage_id = await a_voyage(site)
        opened = await posted(site, f"/api/voyages/{voyage_id}/differences", pair="announced_arrived", heads=-4)
        [source] = (await reconciled(site, voyage_id))["sources"]
        officer = site("officer")
        change = f"/id/selisih/{opened['difference_id']}"

        taken = await officer.post(change, data={"version": "1"})
        stale = await officer.post(change, data={"version": "1", "reason": "bail"})
        settled = await officer.post(change, data={"version": "2", "reason": "bail"})
        withdrawn = await officer.post(f"/id/angka/{source['source_id']}/cabut", data={"reason": "entered_in_error"})
        found = await reconciled(site, voyage_id)

        assert [one.status_code for one in (taken, stale, settled, withdrawn)] == [303, 409, 303, 303]
        assert found["differences"][0]["reason"] == "bail"
        assert found["announced"] is None


@pytest.mark.invariant("I113")
@pytest.mark.skipif(not BATCHES.exists(), reason="the published batches are not here")
async def test_published_batches_load_with_their_differences_shown_and_none_forced(site: Site) -> None:
    """Each batch as its source gives it: sums that disagree included."""
    differ, slips, loaded = 0, 0, 0
    for batch in csv.DictReader(BATCHES.open(encoding="utf-8")):
        announced = int(batch["announced"] or 0)
        voyage_id = await a_voyage(site, announced=announced, vessel=batch["vessel"][:80])
        parts = [{"dimension": "group", "value": group, "heads": int(batch[group])} for group in GROUPS if batch[group]]
        told = {name: json.loads(batch[f"{column}_json"] or "{}") for name, column in BREAKDOWNS.items()}
        parts += [
            {"dimension": dimension, "value": value, "heads": heads}
            for dimension, said in told.items()
            for value, heads in said.items()
        ]
        count = {"kind": "count", "heads": int(batch["arrived"]), "issued_by": batch["source_url"][:80]}
        await posted(site, f"/api/voyages/{voyage_id}/totals", **count, parts=parts)
        found = await reconciled(site, voyage_id)

        loaded += 1
        assert found["announced"] == (announced or None)
        assert found["counted"] == int(batch["arrived"])
        gaps = {gap["pair"]: gap for gap in found["gaps"]}
        assert gaps["counted_arrived"]["left"] == -int(batch["arrived"])
        differ += announced > 0 and announced != int(batch["arrived"])
        wrong = [sum(said.values()) - int(batch["arrived"]) for said in told.values() if said]
        if batch["men"] and batch["women"]:
            wrong.append(int(batch["men"]) + int(batch["women"]) + int(batch["children"] or 0) - int(batch["arrived"]))
        shown = [one["heads"] for one in found["candidates"] if one["code"].startswith(("parts", "children"))]
        assert sorted(shown) == sorted(filter(None, wrong)), batch
        slips += bool(shown)
        page = await site("officer").get(f"/id/pelayaran/{voyage_id}/angka")
        assert page.status_code == 200
    assert (loaded, differ, slips) == (24, 4, 7)
