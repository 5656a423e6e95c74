"""The JSON API, whole for the own port and empty for another."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import START, a_list, a_row

Site = Callable[[str], Browser]

PERSON = {"full_name": "Shakila binti Balangga", "sex": "F", "birth_date": "1985-12-29", "origin_regency": "65.03",
          "nik": "6503996912850002", "document_type": "passport", "document_number": "x9000002"}  # fmt: skip


async def announced(site: Site, actor: str = "officer", **said: Any) -> str:
    sent = {"modality": "deportation", "vessel": "KM Purnama", "announced": 3, "expected_at": START.isoformat(), **said}
    answer = await site(actor).post("/api/voyages", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["voyage_id"])


class TestArrivals:
    async def test_are_recorded_once_per_key(self, site: Site, database: Database) -> None:
        first = await site("officer").post("/api/arrivals", key="one", json=PERSON)
        again = await site("officer").post("/api/arrivals", key="one", json=PERSON)

        assert first.status_code == again.status_code == 201
        assert first.json() == again.json() | {}
        assert first.json()["needs"] == ["NEED"]
        assert again.headers["idempotent-replay"] == "true"
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 1

    async def test_an_age_is_repeatable_on_another_day(self, site: Site, clock: FixedClock) -> None:
        person = {"full_name": "Bala", "sex": "M", "age": 35}
        first = await site("officer").post("/api/arrivals", key="one", json=person)
        clock.advance(timedelta(days=2))
        again = await site("officer").post("/api/arrivals", key="one", json=person)
        older = await site("officer").post("/api/arrivals", key="one", json={**person, "age": 36})

        assert first.json() == again.json()
        assert older.status_code == 422

    async def test_another_person_under_the_same_key_is_refused(self, site: Site) -> None:
        await site("officer").post("/api/arrivals", key="one", json=PERSON)
        other = await site("officer").post("/api/arrivals", key="one", json={**PERSON, "full_name": "Bala"})

        assert other.status_code == 422
        assert other.json()["code"] == "idempotency_key_reused"

    @pytest.mark.parametrize(
        ("said", "needs", "band"),
        [
            ({"birth_date": "2015-03-01"}, ["UAC", "NEED"], "child"),
            ({"birth_date": "2015-03-01", "accompanied": True}, ["UAC", "NEED"], "child"),
            ({"birth_date": None}, ["UAC", "NEED"], "unknown"),
            ({"birth_date": None, "age": 17}, ["UAC", "NEED"], "child"),
            ({"birth_date": None, "age": 18}, ["NEED"], "adult"),
            ({"birth_date": "1966"}, ["ELDER", "NEED"], "elderly"),
            ({"birth_date": "2008"}, ["UAC", "NEED"], "unknown"),
            ({"needs": ["SICK", "WAGE"]}, ["SICK", "WAGE", "NEED"], "adult"),
        ],
    )
    async def test_are_screened(self, site: Site, said: dict[str, Any], needs: list[str], band: str) -> None:
        answer = (await site("system").post("/api/arrivals", json={**PERSON, **said})).json()

        assert (answer["needs"], answer["age_band"]) == (needs, band)

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"full_name": " "}, "/full_name"),
            ({"sex": "Q"}, "/sex"),
            ({"nik": "123"}, "/nik"),
            ({"origin_regency": "99.99"}, ""),
            ({"birth_date": "1985-13-01"}, ""),
            ({"age": 200}, "/age"),
            ({"needs": ["NOPE"]}, "/needs/0"),
            ({"extra": 1}, "/extra"),
        ],
    )
    async def test_are_refused_field_by_field(self, site: Site, said: dict[str, Any], field: str) -> None:
        answer = await site("officer").post("/api/arrivals", json={**PERSON, **said})

        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert "Shakila" not in answer.text

    @pytest.mark.parametrize(
        ("said", "field", "message"),
        [
            ({"birth_date": "2100-01-01"}, "/birth_date", "Tanggal ini setelah kedatangan."),
            ({"birth_date": "1805"}, "/birth_date", "Tidak ada orang yang berusia lebih dari 120 tahun."),
            ({"birth_date": "1985-12-29", "age": 12}, "/age", "Umur tidak cocok dengan tanggal lahir."),
            (
                {"birth_date": "2026-05-01", "arrived_at": "2026-04-01T08:00:00+08:00"},
                "/birth_date",
                "Tanggal ini setelah kedatangan.",
            ),
        ],
    )
    async def test_of_an_impossible_birth_are_refused_with_a_remedy(
        self, site: Site, said: dict[str, str], field: str, message: str
    ) -> None:
        alone = await site("officer").post("/api/arrivals", json={**PERSON, **said})
        items = [{**PERSON, "key": "a"}, {**PERSON, **said, "key": "b"}]
        batch = (await site("officer").post("/api/arrivals/batch", json={"arrivals": items})).json()["results"]

        assert alone.status_code == 422
        [problem] = alone.json()["errors"]
        assert (problem["field"], problem["message"]) == (field, message)
        assert problem["remedy"]
        assert [r["status"] for r in batch] == ["recorded", "refused"]
        assert batch[1]["problem"]["errors"] == [problem]

    async def test_may_give_an_age_beside_a_birth_that_it_goes_with(self, site: Site) -> None:
        answer = await site("officer").post("/api/arrivals", json={**PERSON, "age": 40})

        assert answer.status_code == 201

    @pytest.mark.parametrize(
        ("at", "code"),
        [
            ("1926-11-23T08:00:00+08:00", "arrival_long_ago"),
            ("0001-01-01T00:00:00+14:00", "arrival_long_ago"),
            ("2026-11-24T08:00:00+08:00", "arrival_in_future"),
            ("9999-12-31T23:00:00-12:00", "arrival_in_future"),
        ],
    )
    async def test_at_no_likely_time_are_refused(self, site: Site, at: str, code: str) -> None:
        alone = await site("officer").post("/api/arrivals", json={**PERSON, "arrived_at": at})
        items = [{**PERSON, "key": "a"}, {**PERSON, "arrived_at": at, "key": "b"}]
        batch = (await site("officer").post("/api/arrivals/batch", json={"arrivals": items})).json()["results"]

        assert (alone.status_code, alone.json()["code"]) == (422, code)
        assert "Periksa" in alone.json()["detail"]
        assert [r["status"] for r in batch] == ["recorded", "refused"]
        assert batch[1]["problem"]["code"] == code

    async def test_nested_without_end_are_refused_alone(self, site: Site) -> None:
        items = [{**PERSON, "key": "a"}, {**PERSON, "key": "b", "alias": "deep"}]
        content = orjson.dumps({"arrivals": items}).replace(b'"deep"', b"[" * 300 + b"]" * 300)
        answer = await site("officer").post("/api/arrivals/batch", content=content)

        assert [r["status"] for r in answer.json()["results"]] == ["recorded", "refused"]
        assert answer.json()["results"][1]["problem"]["code"] == "invalid"

    async def test_need_a_key(self, site: Site) -> None:
        officer = site("officer")
        answer = await officer._client.post("/api/arrivals", json=PERSON, headers={"x-actor": "officer"})

        assert answer.status_code == 400

    async def test_are_for_those_at_a_port(self, site: Site) -> None:
        answer = await site("worker").post("/api/arrivals", json=PERSON)

        assert answer.status_code == 403

    async def test_together_are_recorded_together(self, site: Site, database: Database) -> None:
        answers = await asyncio.gather(
            *(site("officer").post("/api/arrivals", json={**PERSON, "full_name": f"P{n}"}) for n in range(40))
        )

        assert {a.status_code for a in answers} == {201}
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 40

    async def test_in_a_batch_have_a_result_each(self, site: Site) -> None:
        strange = await announced(site, "stranger")
        items = [
            {**PERSON, "key": "a"},
            {**PERSON, "key": "a"},
            {**PERSON, "key": "b", "sex": "Q"},
            {**PERSON, "key": "c", "voyage_id": strange},
            {**PERSON, "key": "a", "sex": "M"},
            "nonsense",
        ]
        answer = await site("officer").post("/api/arrivals/batch", json={"arrivals": items})

        results = answer.json()["results"]
        assert [r["status"] for r in results] == ["recorded", "known", "refused", "refused", "refused", "refused"]
        codes = [r["problem"]["code"] for r in results[2:]]
        assert codes == ["invalid", "voyage_unknown", "idempotency_key_reused", "invalid"]
        assert results[0]["arrival"]["case_id"] == results[1]["arrival"]["case_id"]

    async def test_an_arrival_in_the_future_is_refused_by_itself(self, site: Site, database: Database) -> None:
        late = (START + timedelta(days=1)).isoformat()
        items = [{**PERSON, "key": "a"}, {**PERSON, "key": "b", "arrived_at": late}]
        answer = await site("officer").post("/api/arrivals/batch", json={"arrivals": items})

        assert answer.status_code == 200
        assert [r["status"] for r in answer.json()["results"]] == ["recorded", "refused"]
        assert answer.json()["results"][1]["problem"]["code"] == "arrival_in_future"
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 1

    async def test_more_than_five_hundred_are_refused(self, site: Site) -> None:
        answer = await site("officer").post("/api/arrivals/batch", json={"arrivals": [{}] * 501})

        assert answer.status_code == 422


class TestVoyages:
    async def test_are_announced_once_per_key_and_seen_by_the_own_port_alone(self, site: Site) -> None:
        sent = {"modality": "repatriation", "announced": 7, "expected_at": START.isoformat()}
        answers = [await site("officer").post("/api/voyages", key="v", json=sent) for _ in range(2)]

        assert answers[0].json() == answers[1].json()
        voyage_id = answers[0].json()["voyage_id"]
        own = await site("system").get("/api/voyages", day="2026-11-23")
        assert [v["voyage_id"] for v in own.json()] == [voyage_id]
        assert (await site("stranger").get("/api/voyages", day="2026-11-23")).json() == []
        assert (await site("stranger").get(f"/api/voyages/{voyage_id}")).status_code == 404
        assert (await site("worker").get("/api/voyages")).status_code == 403

    async def test_a_day_is_the_port_s_day(self, site: Site) -> None:
        # 23:30 WITA and 00:30 WITA of the next day.
        for at in ("2026-11-23T15:30:00Z", "2026-11-23T16:30:00Z"):
            await announced(site, expected_at=at)

        days = [(await site("officer").get("/api/voyages", day=f"2026-11-{d}")).json() for d in (23, 24)]
        assert [len(found) for found in days] == [1, 1]

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0050-01-01T00:00:00Z", "9999-12-31T23:00:00-12:00"])
    async def test_at_no_likely_time_are_refused(self, site: Site, at: str) -> None:
        sent = {"modality": "repatriation", "announced": 7, "expected_at": at}
        answer = await site("officer").post("/api/voyages", json=sent)

        assert (answer.status_code, answer.json()["code"]) == (422, "expected_far_off")
        assert "Periksa tahun" in answer.json()["detail"]

    @pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
    async def test_of_no_likely_day_are_not_looked_for(self, site: Site, day: str) -> None:
        answer = await site("officer").get("/api/voyages", day=day)

        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["/day"]

    async def test_show_who_arrived_page_by_page_and_no_name(self, site: Site) -> None:
        voyage_id = await announced(site)
        content = a_list(a_row(1), a_row(2, flags="SICK"), a_row(3, sex="F"))
        await site("officer").post(f"/api/voyages/{voyage_id}/manifest", content=content)
        await site("officer").post("/api/arrivals", json={**PERSON, "voyage_id": voyage_id})
        path = f"/api/voyages/{voyage_id}/arrivals"

        first = (await site("system").get(path, limit=3)).json()
        rest = (await site("system").get(path, limit=3, after=first["next"])).json()

        lines = [*first["items"], *rest["items"]]
        assert [line["manifest_row"] for line in lines] == [2, 3, 4, None]
        assert [line["sex"] for line in lines] == ["M", "M", "F", "F"]
        assert lines[1]["needs"] == ["SICK", "NEED"]
        assert (lines[1]["referred_needs"], lines[1]["referred"]) == ([], False)
        assert first["next"] == lines[2]["case_id"]
        assert rest["next"] is None
        assert "Orang" not in str(lines)
        assert "Shakila" not in str(lines)

    async def test_show_who_arrived_to_the_own_port_alone(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/arrivals"

        assert (await site("officer").get(path)).json() == {"items": [], "next": None}
        assert (await site("stranger").get(path)).status_code == 404
        assert (await site("worker").get(path)).status_code == 403
        assert (await site("officer").get(path, limit=0)).status_code == 422


class TestManifest:
    async def test_a_preview_keeps_nothing(self, site: Site, database: Database) -> None:
        voyage_id = await announced(site)
        answer = await site("officer").post(
            f"/api/voyages/{voyage_id}/manifest?preview=1", content=a_list(a_row(1), a_row(2, sex="Q"))
        )

        found = answer.json()
        assert (found["listed"], found["ready"], found["held"], found["known"]) == (2, 1, 1, 0)
        [problem] = found["problems"]
        assert (problem["row"], problem["column"], problem["value"], problem["code"]) == (3, "sex", "Q", "sex_unknown")
        assert problem["message"] == "Jenis kelamin ini tidak dikenal."
        for table in ("manifests", "arrivals", "requests", "journal WHERE case_id <> $1::uuid"):
            rows = await database.pool.fetchval(
                f"SELECT count(*) FROM {table}", *([voyage_id] if "$1" in table else [])
            )
            assert rows == 0

    async def test_counts_add_up_and_the_same_file_records_nobody_twice(self, site: Site, database: Database) -> None:
        voyage_id = await announced(site)
        path = f"/api/voyages/{voyage_id}/manifest"
        content = a_list(a_row(1), a_row(2, sex="Q"), a_row(3), a_row(4, regency="99.99"))

        first = (await site("officer").post(path, key="m", content=content)).json()
        same_key = (await site("officer").post(path, key="m", content=content)).json()
        other_key = (await site("officer").post(path, key="n", content=content)).json()

        assert first == same_key == other_key
        assert (first["listed"], first["accepted"], first["rejected"], first["known"]) == (4, 2, 2, 0)
        assert [(p["row"], p["field"]) for p in first["problems"]] == [(3, "sex"), (5, "origin_regency")]
        report = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()
        wanted = {"announced": 3, "listed": 4, "arrived": 2, "referred": 0, "rejected": 2}
        assert {name: report[name] for name in wanted} == wanted
        assert report["needs"] == {"NEED": {"people": 2, "referred": 0}}
        told = await database.pool.fetch("SELECT payload FROM journal WHERE type = 'intake.manifest_confirmed.v1'")
        [confirmed] = [orjson.loads(row["payload"])["data"] for row in told]
        assert (confirmed["listed"], confirmed["accepted"], confirmed["rejected"], confirmed["known"]) == (4, 2, 2, 0)

    async def test_says_how_many_problems_there_are_when_not_all_are_shown(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest"
        content = a_list(*(a_row(n, sex="Q", regency="99.99") for n in range(1, 602)))

        looked = (await site("officer").post(f"{path}?preview=1", content=content)).json()
        taken = (await site("officer").post(path, content=content)).json()

        for answer in (looked, taken):
            assert (len(answer["problems"]), answer["problems_total"]) == (1000, 1202)

    async def test_the_same_key_for_another_file_is_refused(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest"
        await site("officer").post(path, key="m", content=a_list(a_row(1)))
        other = await site("officer").post(path, key="m", content=a_list(a_row(2)))

        assert other.status_code == 422
        assert other.json()["code"] == "idempotency_key_reused"

    async def test_keeps_no_cell_that_was_held_back(self, site: Site, database: Database) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest"
        await site("officer").post(path, content=a_list(a_row(1), a_row(2, name="Kenari Kuning", regency="Antah")))

        for table in ("manifests", "manifest_problems", "answers", "journal", "requests"):
            for row in await database.pool.fetch(f"SELECT t::text AS text FROM {table} t"):
                for canary in ("Kenari", "Antah"):
                    assert canary not in row["text"]
                    assert canary.encode().hex() not in row["text"]

    async def test_may_be_larger_than_other_bodies(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest?preview=1"
        content = a_list(a_row(1), *("," * 9 for _ in range(150_000)))
        answer = await site("officer").post(path, content=content)

        assert len(content) > 1 << 20
        assert answer.json()["ready"] == 1

    async def test_an_unusable_file_is_refused_with_a_remedy(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest"
        answer = await site("officer").post(path, content=b"PK\x03\x04 not a csv")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["remedy"] == (
            "Buka di Excel dan simpan lagi sebagai XLSX, atau simpan sebagai CSV UTF-8."
        )

    async def test_is_refused_until_the_ship_is_due(self, site: Site, clock: FixedClock) -> None:
        path = f"/api/voyages/{await announced(site, expected_at=(START + timedelta(days=1)).isoformat())}/manifest"
        refused = await site("officer").post(path, key="m", content=a_list(a_row(1)))
        clock.advance(timedelta(hours=13))
        taken = await site("officer").post(path, key="m", content=a_list(a_row(1)))

        assert (refused.status_code, refused.json()["code"]) == (409, "voyage_not_due")
        assert "12 jam" in refused.json()["detail"]
        assert taken.json()["accepted"] == 1

    async def test_another_port_s_voyage_is_not_there(self, site: Site) -> None:
        path = f"/api/voyages/{await announced(site)}/manifest"

        for query in ("", "?preview=1"):
            answer = await site("stranger").post(path + query, content=a_list(a_row(1)))
            assert answer.status_code == 404


async def test_the_api_is_described(site: Site) -> None:
    described = (await site("officer").get("/api/openapi.json")).json()

    assert {"/api/arrivals", "/api/arrivals/batch", "/api/voyages", "/api/disclosures"} <= described["paths"].keys()
    assert "KeyedArrival" in described["components"]["schemas"]
