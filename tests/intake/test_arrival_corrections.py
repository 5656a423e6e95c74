"""What routing rests on is corrected by the port: on the version that was seen, with a reason, and with its history."""

import asyncio
import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import asyncpg
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import clock as clocks
from services.intake.actions.manifests import take_in_manifest
from services.intake.domain import arrival_corrections as domain
from services.intake.domain.arrival_corrections import Kept
from services.intake.domain.refusals.arrival_corrections import AgeStaysSame, NotTwoPeople, ProofMissing
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import OFFICER, START, a_disclosure, a_list, a_row, a_voyage, an_accepted
from tests.intake.test_erasures import a_case, erased, told
from tests.waiting import until

Site = Callable[[str], Browser]

OF_AGE: dict[str, Any] = {"birth_date": "1990-02-01", "reason": "papers_found", "proof": "birth_certificate"}


async def corrected(
    site: Site, case_id: str, what: str, *, version: int = 1, actor: str = "officer", **said: Any
) -> tuple[int, Any]:
    """Correct something; status and answer."""
    answer = await site(actor).post(f"/api/arrivals/{case_id}/{what}", json={"version": version, **said})
    return answer.status_code, answer.json()


async def a_child(site: Site) -> str:
    """The case of somebody of whom no age is known."""
    answer = await site("officer").post("/api/arrivals", json={"full_name": "Kenari Kuning", "sex": "F"})
    case_id: str = answer.json()["case_id"]
    assert answer.json()["age_band"] == "unknown"
    return case_id


async def a_proposal(site: Site, case_id: str, *, actor: str = "officer", version: int = 1) -> str:
    status, answer = await corrected(site, case_id, "age", actor=actor, version=version, **OF_AGE)
    assert status == 202, answer
    proposal_id: str = answer["proposal"]["proposal_id"]
    return proposal_id


async def confirmed(site: Site, proposal_id: str, actor: str, **said: Any) -> tuple[int, Any]:
    answer = await site(actor).post(f"/api/age-proposals/{proposal_id}/confirmation", json=said)
    return answer.status_code, answer.json()


async def state(site: Site, case_id: str) -> Any:
    return (await site("officer").get(f"/api/arrivals/{case_id}")).json()


class TestCorrection:
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
        for said in ("rina", "–", "73.06", "1", "2"):
            assert said in answer["detail"], answer["detail"]
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


class TestAge:
    async def test_towards_a_child_is_corrected_at_once_by_one_person(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)

        status, after = await corrected(site, case_id, "age", birth_date="2012-05-01", reason="person_said")

        assert (status, after["age_band"]) == (200, "child")
        assert "UAC" in after["needs"]
        [fact] = await told(database, case_id, "intake.age_corrected.v1")
        assert (fact["was"], fact["added"], fact["proposed_by"]) == ("adult", ["UAC"], None)

    async def test_is_sealed_into_the_identity_and_written_nowhere_else(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")
        await corrected(site, case_id, "age", birth_date="2012-05-01", reason="person_said")

        shown = await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id), "DINKES-73.06")

        assert shown.json()["fields"]["birth"] == "2012-05-01"
        [fact] = await told(database, case_id, "intake.identity_corrected.v1")
        assert (fact["fields"], fact["recipients"]) == (["birth"], ["DINKES-73.06"])
        for table in ("journal", "arrival_corrections", "age_proposals", "answers"):
            rows = [str(dict(row)) for row in await database.pool.fetch(f"SELECT * FROM {table}")]
            assert "2012-05-01" not in "".join(rows)

    async def test_of_a_child_to_of_age_waits_for_a_second_person(self, site: Site, database: Database) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        assert (await state(site, case_id))["age_band"] == "unknown"
        assert await told(database, case_id, "intake.age_corrected.v1") == []

        status, answer = await confirmed(site, proposal_id, "officer")
        assert (status, answer["code"]) == (403, "not_two_people")
        status, after = await confirmed(site, proposal_id, "colleague", version=1)

        assert (status, after["age_band"], "UAC" in after["needs"]) == (200, "adult", False)
        [fact] = await told(database, case_id, "intake.age_corrected.v1")
        assert (fact["proposed_by"], fact["proof"], fact["struck"]) == ("rina", "birth_certificate", ["UAC"])
        assert await database.pool.fetchval("SELECT sealed FROM age_proposals") == b""

    async def test_is_confirmed_by_a_supervisor_of_the_port_s_region_only(self, site: Site) -> None:
        proposal_id = await a_proposal(site, await a_child(site))

        assert (await site("far").get("/api/age-proposals")).json()["items"] == []
        assert (await confirmed(site, proposal_id, "far"))[0] == 404
        assert (await confirmed(site, proposal_id, "stranger"))[0] == 404
        [one] = (await site("supervisor").get("/api/age-proposals")).json()["items"]
        assert one["proposal_id"] == proposal_id
        assert (await confirmed(site, proposal_id, "supervisor"))[0] == 200

    async def test_needs_a_proof(self, site: Site) -> None:
        said = {name: value for name, value in OF_AGE.items() if name != "proof"}

        status, answer = await corrected(site, await a_child(site), "age", **said)

        assert (status, answer["code"]) == (422, "proof_missing")

    async def test_is_proposed_once_at_a_time_and_can_be_taken_back_or_refused(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        assert (await corrected(site, case_id, "age", actor="colleague", **OF_AGE))[1]["code"] == "age_already_proposed"

        assert (await site("officer").post(f"/api/age-proposals/{proposal_id}/refusal")).status_code == 204
        again = await a_proposal(site, case_id)
        assert (await site("supervisor").post(f"/api/age-proposals/{again}/refusal")).status_code == 204

        assert (await confirmed(site, again, "colleague"))[1]["code"] == "proposal_ended"
        ended = await told(database, case_id, "intake.age_proposal_ended.v1")
        assert [fact["how"] for fact in ended] == ["withdrawn", "refused"]

    async def test_that_was_corrected_otherwise_overtakes_a_proposal(self, site: Site, database: Database) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        assert (await corrected(site, case_id, "age", birth_date="2012-05-01", reason="person_said"))[0] == 200

        assert (await confirmed(site, proposal_id, "colleague"))[1]["code"] == "proposal_ended"
        assert await database.pool.fetchval("SELECT ended_as FROM age_proposals") == "overtaken"

    async def test_confirmed_by_two_at_once_counts_once(self, site: Site, database: Database) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)

        answers = await asyncio.gather(*(confirmed(site, proposal_id, who) for who in ("colleague", "supervisor")))

        assert sorted(status for status, _ in answers) == [200, 409]
        assert len(await told(database, case_id, "intake.age_corrected.v1")) == 1

    async def test_looked_at_before_another_correction_is_not_confirmed(self, site: Site) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        await corrected(site, case_id, "origin", origin_regency="73.06", reason="family_said")

        status, answer = await confirmed(site, proposal_id, "colleague", version=1)

        assert (status, answer["code"]) == (409, "arrival_changed")

    async def test_of_who_is_erased_is_not_corrected_and_its_proposal_keeps_no_birth(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        await erased(site, case_id)

        assert await database.pool.fetchval("SELECT sealed FROM age_proposals") == b""
        assert (await confirmed(site, proposal_id, "colleague"))[1]["code"] == "proposal_ended"
        assert (await corrected(site, case_id, "age", **OF_AGE))[1]["code"] == "identity_erased"

    async def test_is_not_changed_by_one_person_past_the_application_either(
        self, site: Site, owner: asyncpg.Connection
    ) -> None:
        case_id = await a_child(site)
        await owner.execute("SET rujukan.scope = 'service'")

        with pytest.raises(asyncpg.CheckViolationError, match="nobody has confirmed"):
            await owner.execute("UPDATE arrivals SET age_band = 'adult', version = 2 WHERE case_id = $1", case_id)
        with pytest.raises(asyncpg.CheckViolationError, match="two_people_make_a_child_an_adult"):
            await owner.execute(
                "INSERT INTO arrival_corrections (case_id, version, port, kind, was, became, added, struck, reason,"
                " proof, proposed_by, corrected_by, corrected_at) VALUES ($1, 2, 'NNK', 'age', 'unknown', 'adult',"
                " '{}', '{}', 'assessed', 'birth_certificate', 'rina', 'rina', now())",
                case_id,
            )
        with pytest.raises(asyncpg.CheckViolationError, match="proposal_is_confirmed_by_somebody_else"):
            await owner.execute(
                "INSERT INTO age_proposals (proposal_id, case_id, person_id, port, regency, was, becomes, sealed,"
                " reason, proof, proposed_by, proposed_at, ended_as, ended_by, ended_at) VALUES ($1, $1, $1, 'NNK',"
                " '65.03', 'child', 'adult', '', 'assessed', 'birth_certificate', 'rina', now(), 'confirmed', 'rina',"
                " now())",
                case_id,
            )


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


class TestDeath:
    async def test_is_told_with_day_and_place_and_the_remains_are_due(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)

        status, after = await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care")

        assert (status, after["ended_as"], "REMAINS" in after["needs"]) == (200, "died", True)
        [fact] = await told(database, case_id, "intake.person_died.v1")
        assert (fact["died_on"], fact["place"]) == (START.date().isoformat(), "in_care")

    async def test_leaves_the_origin_to_be_corrected_alone(self, site: Site) -> None:
        case_id = await a_case(site)
        await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="at_port")

        assert (await corrected(site, case_id, "sex", version=2, sex="X", reason="assessed"))[1]["code"] == (
            "person_has_died"
        )
        assert (await corrected(site, case_id, "origin", version=2, origin_regency="53.01", reason="family_said"))[
            0
        ] == 200


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


def said(answer: httpx2.Response) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


async def filled(site: Site, case_id: str, what: str, *, actor: str = "officer", **form: Any) -> httpx2.Response:
    """Fill in a form as the page offers it, with the version that it shows."""
    page = await site(actor).get(f"/id/kedatangan/{case_id}/{what}")
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version, said(page)
    return await site(actor).post(f"/id/kedatangan/{case_id}/{what}", data={"version": version[1], **form})


@pytest.mark.invariant("I159")
class TestLapsing:
    async def test_ends_an_age_that_nobody_confirmed_and_the_child_stays_one(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        case_id = await a_child(site)
        proposal_id = await a_proposal(site, case_id)
        lapsing = clocks.Lapsing(database)
        [one] = (await site("supervisor").get("/api/age-proposals")).json()["items"]
        assert one["due_at"].startswith((START + timedelta(days=3)).date().isoformat())
        clock.advance(timedelta(days=6))
        assert await lapsing() == 0
        assert (await confirmed(site, await a_proposal(site, await a_child(site)), "colleague"))[0] == 200
        clock.advance(timedelta(days=1))

        assert [await lapsing(), await lapsing()] == [1, 0]

        assert (await confirmed(site, proposal_id, "colleague"))[1]["code"] == "proposal_ended"
        [fact] = await told(database, case_id, "intake.age_proposal_ended.v1")
        assert (fact["how"], (await state(site, case_id))["age_band"]) == ("expired", "unknown")
        [row] = await database.fetch("SELECT sealed FROM age_proposals WHERE proposal_id = $1", proposal_id)
        assert row["sealed"] == b""

    async def test_ends_ages_while_somebody_decides_who_answers_for_a_child(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        """Both kinds lock cases, each in order: together they would not, and could wait for each other in a circle."""
        proposal_id = await a_proposal(site, await a_child(site))
        child = await a_child(site)
        asked = {"adult_case_id": await a_case(site), "relation": "mother", "proof": "none"}
        assert (await site("officer").post(f"/api/cases/{child}/guardians", json=asked)).status_code == 202
        clock.advance(timedelta(days=7))

        async def has_ended() -> bool:
            ended = "SELECT ended_as = 'expired' FROM age_proposals WHERE proposal_id = $1"
            return bool(await database.pool.fetchval(ended, proposal_id))

        async with database.work(OFFICER, purpose="link") as work:
            await work.lock_cases([child])
            lapsing = asyncio.create_task(clocks.Lapsing(database)())
            await until(has_ended, within_s=5)
        assert await lapsing == 2


async def dead(site: Site, case_id: str) -> None:
    status, _ = await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care")
    assert status == 200


async def doubted(site: Site, case_id: str, *, version: int = 2) -> str:
    status, answer = await corrected(site, case_id, "death/doubt", version=version, reason="seen_alive")
    assert status == 202, answer
    doubt_id: str = answer["doubt_id"]
    return doubt_id


@pytest.mark.invariant("I156")
class TestDeathUndone:
    @pytest.mark.parametrize("second", ["colleague", "supervisor"])
    async def test_takes_two_people_and_leaves_the_history(self, site: Site, database: Database, second: str) -> None:
        case_id = await a_case(site)
        before = (await state(site, case_id))["needs"]
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        path = f"/api/death-doubts/{doubt_id}/confirmation"

        alone = await site("officer").post(path, json={})
        assert (alone.status_code, alone.json()["code"]) == (403, "not_two_people")
        answer = await site(second).post(path, json={"version": 2})

        assert (answer.status_code, answer.json()["ended_as"], answer.json()["needs"]) == (200, None, before)
        [fact] = await told(database, case_id, "intake.death_undone.v1")
        assert (fact["reason"], fact["struck"], fact["version"]) == ("seen_alive", ["REMAINS"], 3)
        history = (await state(site, case_id))["history"]
        assert [(one["kind"], one["proposed_by"]) for one in history] == [
            ("died", None),
            ("death_undone", fact["proposed_by"]),
        ]
        assert (await site(second).post(path, json={})).json()["code"] == "proposal_ended"

    async def test_is_refused_or_taken_back_and_said_again(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assert (await corrected(site, case_id, "death/doubt", reason="seen_alive"))[1]["code"] == "not_dead"
        await dead(site, case_id)
        first = await doubted(site, case_id)
        again = await corrected(site, case_id, "death/doubt", version=2, reason="recorded_wrongly")
        assert again[1]["code"] == "doubted_already"
        assert (await site("far").get("/api/death-doubts")).json()["items"] == []
        assert [one["doubt_id"] for one in (await site("supervisor").get("/api/death-doubts")).json()["items"]] == [
            first
        ]

        for actor in ("officer", "supervisor"):
            answer = await site(actor).post(f"/api/death-doubts/{first}/refusal")
            assert answer.status_code == 204, answer.text
            first = await doubted(site, case_id)

        rows = await told(database, case_id, "intake.death_doubt_ended.v1")
        assert [row["how"] for row in rows] == ["withdrawn", "refused"]
        assert (await state(site, case_id))["ended_as"] == "died"

    async def test_is_refused_to_who_has_seen_another_version(self, site: Site) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        await corrected(site, case_id, "origin", version=2, origin_regency="53.01", reason="family_said")

        answer = await site("colleague").post(f"/api/death-doubts/{doubt_id}/confirmation", json={"version": 2})

        assert (answer.status_code, answer.json()["code"]) == (409, "arrival_changed")

    async def test_ends_with_an_arrival_that_was_none_which_is_logged_anew(self, site: Site) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)
        doubt_id = await doubted(site, case_id)
        await corrected(site, case_id, "error", version=2, reason="test_entry")

        answer = await site("colleague").post(f"/api/death-doubts/{doubt_id}/confirmation", json={})

        assert answer.json()["code"] == "proposal_ended"
        assert "catat orang itu kembali" in (await site("officer").get(f"/id/kedatangan/{case_id}")).text

    async def test_of_one_person_is_refused_by_the_database(self, site: Site, owner: asyncpg.Connection) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)

        with pytest.raises(asyncpg.CheckViolationError, match="two_people_undo_a_death"):
            await owner.execute(
                "INSERT INTO arrival_corrections (case_id, version, port, kind, added, struck, reason, proposed_by,"
                " corrected_by, corrected_at) VALUES ($1, 3, 'NNK', 'death_undone', '{}', '{}', 'seen_alive', 'a',"
                " 'a', now())",
                case_id,
            )

    async def test_by_forms(self, site: Site) -> None:
        case_id = await a_case(site)
        await dead(site, case_id)

        answer = await filled(site, case_id, "hidup", reason="seen_alive")
        assert answer.status_code == 303, answer.text
        page = await site("supervisor").get("/id/ternyata-hidup")
        action = re.search(r'action="(/id/ternyata-hidup/[0-9a-f-]+)"', page.text)
        assert action is not None
        answer = await site("supervisor").post(action[1], data={"decision": "confirmed"})

        assert answer.status_code == 303, answer.text
        assert "Orangnya terlihat hidup" in (await site("officer").get(f"/id/kedatangan/{case_id}")).text


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

    async def test_list_the_ages_that_wait_and_let_a_second_person_confirm(self, site: Site) -> None:
        case_id = await a_child(site)
        answer = await filled(site, case_id, "umur", age="34", reason="papers_found", proof="identity_card")
        assert answer.status_code == 303
        assert "meminta agar orang ini dihitung sebagai dewasa" in said(
            await site("officer").get(f"/id/kedatangan/{case_id}")
        )

        mine = said(await site("officer").get("/id/usulan-umur"))
        theirs = await site("supervisor").get("/id/usulan-umur")
        action = re.search(r'action="(/id/usulan-umur/[0-9a-f-]+)"', theirs.text)
        assert "Tarik kembali" in mine
        assert "Sahkan" not in mine
        assert action
        assert (await site("supervisor").post(action[1], data={"decision": "confirmed"})).status_code == 303
        assert (await state(site, case_id))["age_band"] == "adult"


BANDS = ("child", "unknown", "adult", "elderly")


def a_kept(band: str) -> Kept:
    needs: Any = ("NEED", *{"child": ("UAC",), "unknown": ("UAC",), "elderly": ("ELDER",)}.get(band, ()))
    return Kept("c", "p", "NNK", "65.03", 1, None, "F", band, None, needs, "unknown", START)  # type: ignore[arg-type]


class TestAges:
    @given(
        start=st.sampled_from(BANDS),
        tries=st.lists(
            st.tuples(
                st.sampled_from(BANDS),
                st.sampled_from(["rina", "sari"]),
                st.sampled_from([None, "rina", "sari"]),
                st.sampled_from([None, "birth_certificate"]),
            ),
            max_size=12,
        ),
    )
    def test_in_any_order_lose_no_child_s_protection_to_one_person(self, start: str, tries: list[Any]) -> None:
        kept = a_kept(start)
        for band, by, proposed_by, proof in tries:
            try:
                after, step = domain.correct_age(
                    kept, band, reason="assessed", proof=proof, by=by, proposed_by=proposed_by
                )
            except (AgeStaysSame, NotTwoPeople, ProofMissing):
                continue
            if kept.age_band in domain.CHILDREN and band not in domain.CHILDREN:
                assert proposed_by not in (None, by)
                assert proof is not None
            assert set(after.needs) == set(kept.needs) - set(step.struck) | set(step.added)
            assert (band in domain.CHILDREN) is bool(domain.PROTECTED.intersection(after.needs))
            assert after.version == kept.version + 1 == step.version
            kept = after

    def test_of_the_day_of_death_go_with_the_place(self) -> None:
        landed = date(2026, 11, 23)

        after, step = domain.note_death(
            a_kept("adult"), died_on=date(2026, 11, 20), place="before_arrival", landed_on=landed, today=landed
        )

        assert (after.ended_as, step.added) == ("died", ("REMAINS",))
