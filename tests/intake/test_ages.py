"""Ages are corrected by the port; a child counts as of age by two people and a proof."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import clock as clocks
from services.intake.domain import arrival_corrections as domain
from services.intake.domain.refusals.arrival_corrections import AgeStaysSame, NotTwoPeople, ProofMissing
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.correcting import OF_AGE, Site, a_child, a_kept, a_proposal, confirmed, corrected, filled, state
from tests.intake.factories import OFFICER, START, a_disclosure, an_accepted
from tests.intake.test_erasures import a_case, erased, told
from tests.reading import said
from tests.waiting import until


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
        assert [one["how"] for one in await told(database, case_id, "intake.age_proposal_ended.v1")] == ["overtaken"]

    async def test_of_whom_the_birth_was_corrected_meanwhile_is_not_confirmed(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site, age=8, nik=None)
        proposal_id = await a_proposal(site, case_id)
        wrong = {"field": "birth", "value": "2015-03-04", "reference": "P4MI-NNK/2026/17"}
        asked = await site("officer").post(f"/api/cases/{case_id}/corrections", json=wrong)
        path = f"/api/corrections/{asked.json()['correction_id']}/decision"
        assert (await site("dpo").post(path, json={"decision": "accepted"})).status_code == 204

        status, answer = await confirmed(site, proposal_id, "colleague")

        assert (status, answer["code"]) == (409, "proposal_ended")
        assert (await state(site, case_id))["age_band"] == "child"
        assert [one["how"] for one in await told(database, case_id, "intake.age_proposal_ended.v1")] == ["overtaken"]

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

    @pytest.mark.invariant("I159")
    async def test_holds_at_that_second_though_the_clock_has_not_had_its_turn(
        self, site: Site, clock: FixedClock
    ) -> None:
        last, late = [await a_proposal(site, await a_child(site)) for _ in range(2)]
        clock.advance(timedelta(days=7) - timedelta(seconds=1))
        before = await confirmed(site, last, "colleague")
        clock.advance(timedelta(seconds=1))

        after = await confirmed(site, late, "colleague")

        assert (before[0], after[0], after[1].get("code")) == (200, 409, "proposal_ended")

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


class TestPages:
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
