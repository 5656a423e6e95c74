"""What routing rests on is corrected by the port: on the version that was seen, with a reason, and with its history."""

import asyncio
from itertools import combinations
from typing import Any

import pytest

from services.intake.actions.manifests import take_in_manifest
from services.intake.store.vault import Vault
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.correcting import Site, a_child, a_proposal, confirmed, corrected, filled, state
from tests.intake.factories import OFFICER, START, a_list, a_row, a_voyage
from tests.intake.test_erasures import a_case, told
from tests.reading import said


class TestCorrection:
    async def test_of_a_list_that_was_taken_in_on_the_wrong_voyage_lets_it_be_taken_in_on_the_right_one(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        wrong, right = await a_voyage(database), await a_voyage(database, vessel="KM Lambelu")
        content = a_list(a_row(1), a_row(2))
        await take_in_manifest(database, vault, OFFICER, wrong, content)
        for line in (await site("officer").get(f"/api/voyages/{wrong.voyage_id}/arrivals")).json()["items"]:
            status, after = await corrected(site, line["case_id"], "error", reason="wrong_voyage")
            assert (status, after["ended_as"]) == (200, "entered_in_error")
            [fact] = await told(database, line["case_id"], "intake.arrival_entered_in_error.v1")
            assert fact["reason"] == "wrong_voyage"

        taken = await take_in_manifest(database, vault, OFFICER, right, content)

        assert (taken.accepted, taken.known, taken.rejected) == (2, 0, 0)
        found = [(await site("officer").get(f"/api/voyages/{one.voyage_id}")).json() for one in (wrong, right)]
        assert [(one["arrived"], one["listed"]) for one in found] == [(0, 0), (2, 2)]

    async def test_of_the_origin_is_told_with_what_it_was_and_why(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)

        status, after = await corrected(site, case_id, "origin", origin_regency="73.06", reason="family_said")

        assert (status, after["version"], after["origin_regency"]) == (200, 2, "73.06")
        [fact] = await told(database, case_id, "intake.origin_corrected.v1")
        assert (fact["was"], fact["origin_regency"], fact["reason"]) == (None, "73.06", "family_said")
        assert (fact["port"], fact["port_regency"], fact["version"]) == ("NNK", "65.03", 2)

    async def test_of_the_sex_is_told(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        was = (await state(site, case_id))["sex"]

        assert (await corrected(site, case_id, "sex", sex="X", reason="recorded_wrongly"))[0] == 200

        [fact] = await told(database, case_id, "intake.sex_corrected.v1")
        assert (fact["was"], fact["sex"]) == (was, "X")

    async def test_of_needs_adds_and_strikes_each_with_its_reason(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assert (await corrected(site, case_id, "needs", add=["WAGE", "DEBT"], reason="person_said"))[0] == 200

        status, after = await corrected(
            site, case_id, "needs", version=2, strike=["WAGE"], strike_reason="screened_again"
        )

        assert (status, "WAGE" in after["needs"], "DEBT" in after["needs"]) == (200, False, True)
        first, second = await told(database, case_id, "intake.needs_corrected.v1")
        assert (first["added"], first["struck"], first["strike_reason"]) == (["WAGE", "DEBT"], [], None)
        assert (second["added"], second["struck"], second["reason"]) == ([], ["WAGE"], None)

    @pytest.mark.parametrize(
        ("what", "said", "status", "code"),
        [
            ("needs", {"strike": ["NEED"], "strike_reason": "screened_again"}, 422, "need_follows_age"),
            ("needs", {"add": ["CHILD"], "reason": "person_said"}, 422, "need_follows_age"),
            ("needs", {"add": ["WAGE"]}, 422, "invalid"),
            ("needs", {"strike": ["WAGE"], "strike_reason": "screened_again"}, 409, "nothing_to_correct"),
            ("origin", {"origin_regency": "99.99", "reason": "person_said"}, 422, "invalid"),
            ("origin", {"origin_regency": None, "reason": "person_said"}, 409, "nothing_to_correct"),
            ("sex", {"sex": "F", "reason": "Siti said so"}, 422, "invalid"),
            ("age", {"birth_date": "2030-01-01", "reason": "papers_found"}, 422, "invalid"),
            ("age", {"birth_date": "1990-01-01", "reason": "papers_found"}, 409, "age_stays_same"),
            ("error", {"reason": "duplicate"}, 422, "duplicate_unfit"),
            ("error", {"reason": "test_entry", "duplicate_of": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}, 422,
             "duplicate_unfit"),
            ("death", {"died_on": "2027-01-01", "place": "in_care"}, 422, "death_not_possible"),
            ("death", {"died_on": "2026-11-20", "place": "at_port"}, 422, "death_not_possible"),
        ],
    )  # fmt: skip
    async def test_that_cannot_be_says_what_stands_in_the_way(
        self, site: Site, database: Database, what: str, said: dict[str, Any], status: int, code: str
    ) -> None:
        case_id = await a_case(site)

        found, answer = await corrected(site, case_id, what, **said)

        assert (found, answer["code"]) == (status, code), answer
        assert (await state(site, case_id))["version"] == 1
        assert await database.pool.fetchval("SELECT count(*) FROM arrival_corrections") == 0

    async def test_of_another_port_looks_like_a_missing_case(self, site: Site) -> None:
        case_id = await a_case(site)

        answers = [
            await corrected(site, id_, "sex", actor="stranger", sex="F", reason="person_said")
            for id_ in (case_id, new_id())
        ]

        assert [status for status, _ in answers] == [404, 404]
        assert answers[0][1]["detail"] == answers[1][1]["detail"]
        assert (await site("stranger").get(f"/api/arrivals/{case_id}")).status_code == 404

    @pytest.mark.parametrize("actor", ["system", "worker", "dpo", "supervisor"])
    async def test_is_for_people_of_the_port(self, site: Site, actor: str) -> None:
        case_id = await a_case(site)

        assert (await corrected(site, case_id, "sex", actor=actor, sex="F", reason="person_said"))[0] == 403

    async def test_stands_in_the_history_for_the_port_the_officer_for_data_and_the_person(self, site: Site) -> None:
        case_id = await a_case(site)
        await corrected(site, case_id, "origin", origin_regency="73.06", reason="family_said")

        [step] = (await state(site, case_id))["history"]

        assert (step["kind"], step["was"], step["became"], step["corrected_by"]) == ("origin", None, "73.06", "rina")
        exported = await site("dpo").post(f"/api/cases/{case_id}/export", json={"reference": "PPID/2026/1"})
        assert exported.json()["cases"][0]["corrections"] == [step]
        page = await site("dpo").get(f"/id/data-pribadi/{case_id}")
        assert "Kabupaten Gowa" in page.text

    async def test_again_under_the_same_key_gives_the_first_answer(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        key, said = new_id(), {"version": 1, "sex": "X", "reason": "recorded_wrongly"}

        answers = [await site("officer").post(f"/api/arrivals/{case_id}/sex", key=key, json=said) for _ in range(2)]

        assert answers[0].json() == answers[1].json()
        assert len(await told(database, case_id, "intake.sex_corrected.v1")) == 1


class TestExpectedVersion:
    async def test_that_has_passed_is_refused_with_both_values_who_and_what_to_do(self, site: Site) -> None:
        case_id = await a_case(site)
        await corrected(site, case_id, "origin", origin_regency="73.06", reason="family_said")

        status, answer = await corrected(
            site, case_id, "origin", actor="colleague", origin_regency="53.01", reason="person_said"
        )

        assert (status, answer["code"]) == (409, "arrival_changed")
        for part in ("rina", "–", "73.06", "1", "2"):
            assert part in answer["detail"], answer["detail"]
        assert (await state(site, case_id))["origin_regency"] == "73.06"

    @pytest.mark.parametrize(
        "pair",
        list(
            combinations(
                [
                    ("sex", {"sex": "X", "reason": "recorded_wrongly"}),
                    ("origin", {"origin_regency": "53.01", "reason": "person_said"}),
                    ("needs", {"add": ["WAGE"], "reason": "person_said"}),
                    ("age", {"reason": "assessed"}),
                    ("error", {"reason": "test_entry"}),
                    ("death", {"died_on": START.date().isoformat(), "place": "in_care"}),
                ],
                2,
            )
        ),
        ids=lambda pair: "-".join(what for what, _ in pair),
    )
    async def test_lets_one_of_two_at_once_win(self, site: Site, database: Database, pair: Any) -> None:
        case_id = await a_case(site)

        answers = await asyncio.gather(
            *(
                corrected(site, case_id, what, actor=actor, **said)
                for actor, (what, said) in zip(("officer", "colleague"), pair, strict=True)
            )
        )

        assert sorted(status for status, _ in answers) == [200, 409]
        assert (await state(site, case_id))["version"] == 2
        assert await database.pool.fetchval("SELECT count(*) FROM arrival_corrections") == 1


class TestEnteredInError:
    async def test_ends_the_arrival_and_names_the_case_that_stays(self, site: Site, database: Database) -> None:
        stays, twice = await a_case(site), await a_child(site)

        status, after = await corrected(site, twice, "error", reason="duplicate", duplicate_of=stays)

        assert (status, after["ended_as"]) == (200, "entered_in_error")
        [fact] = await told(database, twice, "intake.arrival_entered_in_error.v1")
        assert (fact["reason"], fact["duplicate_of"]) == ("duplicate", stays)
        assert (await corrected(site, twice, "sex", version=2, sex="M", reason="assessed"))[1]["code"] == (
            "arrival_in_error"
        )
        assert (await corrected(site, stays, "error", reason="duplicate", duplicate_of=twice))[1]["code"] == (
            "duplicate_unfit"
        )

    async def test_of_two_that_are_said_to_be_one_at_once_either_way_round_one_stays(self, site: Site) -> None:
        for _ in range(5):
            one, two = await a_case(site), await a_case(site)

            answers = await asyncio.gather(
                corrected(site, one, "error", reason="duplicate", duplicate_of=two),
                corrected(site, two, "error", actor="colleague", reason="duplicate", duplicate_of=one),
            )

            assert sorted(status for status, _ in answers) == [200, 422]
            ends = [(await state(site, case_id))["ended_as"] for case_id in (one, two)]
            assert sorted(map(str, ends)) == ["None", "entered_in_error"]

    async def test_is_counted_nowhere_any_more(self, site: Site, database: Database) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        cases = [
            (await site("officer").post("/api/arrivals", json={"full_name": name, "sex": "F", "voyage_id": voyage_id}))
            .json()["case_id"]
            for name in ("Melati", "Mawar")
        ]  # fmt: skip

        await corrected(site, cases[0], "error", reason="duplicate", duplicate_of=cases[1])

        counts = (await site("officer").get(f"/api/voyages/{voyage_id}")).json()
        assert counts["arrived"] == 1
        assert "Salah catat" in (await site("officer").get(f"/id/pelayaran/{voyage_id}")).text


class TestWhoAnswersForAChild:
    @pytest.mark.parametrize(
        ("what", "form", "reason"),
        [
            ("age", {"birth_date": "2012-05-01", "reason": "papers_found"}, "in_error"),
            ("error", {"reason": "never_arrived"}, "in_error"),
            ("death", {"died_on": START.date().isoformat(), "place": "in_care"}, "died"),
        ],
    )
    async def test_does_so_no_longer_when_it_turns_out_that_nobody_does(
        self, site: Site, database: Database, vault: Vault, what: str, form: dict[str, Any], reason: str
    ) -> None:
        adult, child = await a_child_with_an_adult(database, vault)

        assert (await corrected(site, adult, what, **form))[0] == 200

        [fact] = await told(database, child, "intake.guardian_unlinked.v1")
        assert (fact["adult_case_id"], fact["reason"], fact["unaccompanied"]) == (adult, reason, True)
        assert "UAC" in (await state(site, child))["needs"]
        [added] = await told(database, child, "intake.needs_corrected.v1")
        assert added["added"] == ["UAC"]

    async def test_is_needed_no_more_when_the_child_is_of_age(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        _, child = await a_child_with_an_adult(database, vault)

        assert (await confirmed(site, await a_proposal(site, child), "colleague"))[0] == 200

        [fact] = await told(database, child, "intake.guardian_unlinked.v1")
        assert fact["unaccompanied"] is False
        assert not {"UAC", "CHILD"}.intersection((await state(site, child))["needs"])

    async def test_stays_so_whatever_else_is_corrected(self, site: Site, database: Database, vault: Vault) -> None:
        adult, child = await a_child_with_an_adult(database, vault)
        await corrected(site, adult, "origin", origin_regency="53.01", reason="family_said")
        await corrected(site, child, "sex", sex="X", reason="recorded_wrongly")

        assert await told(database, child, "intake.guardian_unlinked.v1") == []


async def a_child_with_an_adult(database: Database, vault: Vault) -> tuple[str, str]:
    """The cases of an adult, and of the child that it answers for by the name list."""
    content = a_list(a_row(1), a_row(2, born="2018-01-01", **{"with": "001"}))
    await take_in_manifest(database, vault, OFFICER, await a_voyage(database), content)
    rows = await database.pool.fetch("SELECT case_id FROM arrivals ORDER BY manifest_row")
    adult, child = (str(row["case_id"]) for row in rows)
    return adult, child


class TestPages:
    @pytest.mark.parametrize(
        ("what", "form", "told"),
        [
            ("jenis-kelamin", {"sex": "X", "reason": "recorded_wrongly"}, "Tidak disebutkan"),
            ("asal", {"origin": "Kabupaten Gowa", "reason": "family_said"}, "Kabupaten Gowa"),
            ("kebutuhan", {"add": "WAGE", "reason": "person_said"}, "Menurut orangnya sendiri"),
            ("umur", {"birth_year": "2015", "reason": "papers_found"}, "Anak"),
            ("keliru", {"reason": "test_entry"}, "Salah catat"),
            ("meninggal", {"died_day": "23", "died_month": "11", "died_year": "2026", "place": "in_care"},
             "Dalam perawatan"),
        ],
    )  # fmt: skip
    async def test_correct_by_a_form_and_show_the_history(
        self, site: Site, what: str, form: dict[str, str], told: str
    ) -> None:
        case_id = await a_case(site)

        answer = await filled(site, case_id, what, **form)

        assert answer.status_code == 303, said(answer)
        page = said(await site("officer").get(f"/id/kedatangan/{case_id}"))
        assert told in page
        assert "rina" in page

    @pytest.mark.parametrize(
        ("what", "form", "told"),
        [
            ("jenis-kelamin", {"reason": "recorded_wrongly"}, "Pilih salah satu."),
            ("jenis-kelamin", {"sex": "X"}, "Pilih alasan perbaikannya."),
            ("asal", {"origin": "Atlantis", "reason": "family_said"}, "Atlantis"),
            ("kebutuhan", {"strike": "SICK"}, "Pilih alasan perbaikannya."),
            ("umur", {"birth_day": "5", "birth_month": "13", "birth_year": "1990", "reason": "assessed"}, "1990"),
            ("keliru", {"reason": "duplicate", "duplicate_of": "7K2M"}, "7K2M"),
            ("meninggal", {"place": "in_care"}, "Periksa hari dan tempatnya."),
        ],
    )  # fmt: skip
    async def test_say_what_is_wrong_and_keep_what_was_typed(
        self, site: Site, what: str, form: dict[str, str], told: str
    ) -> None:
        answer = await filled(site, await a_case(site), what, **form)

        assert answer.status_code == 422
        assert told in answer.text.replace("&#34;", '"')
        assert "<title>Galat:" in answer.text

    async def test_tell_who_comes_second_both_values_and_keep_what_was_typed(self, site: Site) -> None:
        case_id = await a_case(site)
        await filled(site, case_id, "asal", origin="Kabupaten Gowa", reason="family_said")

        answer = await site("colleague").post(
            f"/id/kedatangan/{case_id}/asal", data={"version": "1", "origin": "Kabupaten Kupang", "reason": "assessed"}
        )

        assert answer.status_code == 409
        assert "Kabupaten Gowa" in said(answer)
        assert "rina" in said(answer)
        assert 'value="Kabupaten Kupang"' in answer.text
        assert 'name="version" value="2"' in answer.text
