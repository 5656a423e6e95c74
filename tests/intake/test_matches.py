"""Whether two cases are of one person is decided by somebody at the port, and whatever is decided can be taken back."""

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from services.intake.actions import matches
from services.intake.actions.arrivals import record_arrivals
from services.intake.clock import Retention
from services.intake.domain.refusals.matches import MatchContradicts
from services.intake.store import matches as store
from services.intake.store.matches import Proposed
from services.intake.store.vault import Vault
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import DPO, OFFICER, a_new_arrival, a_vault, a_voyage, an_arrival
from tests.intake.test_comparing import AGAIN, BEFORE, compared, landed
from tests.intake.test_erasures import told

Site = Callable[[str], Browser]


@pytest.fixture
async def pair(database: Database, vault: Vault) -> tuple[str, str]:
    """The cases of somebody who landed at another port once, and at Nunukan now: (later, earlier)."""
    [earlier] = await landed(
        database, vault, {**BEFORE, "health_note": "Sakit gula", "employer": "Ladang Sawit"}, port="ETK"
    )
    [later] = await landed(database, vault, {**AGAIN, "mother_name": "Halija"})
    await compared(database, vault)
    return later, earlier


async def listed(site: Site, actor: str = "officer", **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await site(actor).get("/api/matches", **query)).json()["items"]
    return items


async def decided(site: Site, match: dict[str, Any], decision: str, **said: Any) -> Any:
    sent = {"decision": decision, "version": match["version"], **said}
    return await site("officer").post(f"/api/matches/{match['match_id']}/decision", json=sent)


async def taken_back(site: Site, match_id: str, version: int, reason: str = "decided_in_error") -> Any:
    return await site("officer").post(f"/api/matches/{match_id}/undo", json={"reason": reason, "version": version})


class TestList:
    async def test_has_what_is_to_be_decided_in_codes(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)

        assert (match["case_id"], match["earlier_case_id"]) == pair
        assert (match["strength"], match["state"], match["version"]) == ("strong", "open", 1)
        assert {a["field"]: a["level"] for a in match["agreements"]}["nik"] == "same"
        assert match["agreements"][0]["field"] == "nik", "what tells most stands first"

    async def test_is_the_ports_own(self, site: Site, pair: tuple[str, str]) -> None:
        assert await listed(site, "stranger") == []
        assert (await site("system").get("/api/matches")).status_code == 403
        assert (await site("dpo").get("/api/matches")).status_code == 403

    async def test_of_a_voyage_has_those_alone(self, site: Site, pair: tuple[str, str]) -> None:
        assert await listed(site, voyage_id=new_id()) == []


class TestSideBySide:
    async def test_shows_what_is_compared_and_nothing_else(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        seen = (await site("officer").get(f"/api/matches/{match['match_id']}")).json()

        assert seen["later"]["identity"] == {
            "full_name": "MUHAMMAD SUKARNO JAFAR", "mother_name": "Halija", "nik": "…0001", "document_number": "…0002",
        }  # fmt: skip
        assert set(seen["earlier"]) == {"case_id", "landed", "sex", "origin_regency", "identity"}
        assert "Sakit" not in str(seen)
        assert "Ladang" not in str(seen)
        assert "ETK" not in str(seen)

    async def test_is_on_the_trail_of_both_before_it_is_shown(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await site("officer").get(f"/api/matches/{match['match_id']}")

        for case_id, other, fields in zip(pair, pair[::-1], (4, 3), strict=True):
            [fact] = await told(database, case_id, "intake.match_read.v1")
            assert (fact["match_id"], fact["other_case_id"]) == (match["match_id"], other)
            assert len(fact["fields"]) == fields

    async def test_is_not_shown_when_it_cannot_be_put_on_the_trail(
        self, site: Site, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [match] = await listed(site)

        async def fails(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("shared.kit.journal.append", fails)
        answer = await site("officer").get(f"/api/matches/{match['match_id']}")

        assert answer.status_code == 500
        assert "SUKARNO" not in answer.text

    @pytest.mark.parametrize("actor", ["stranger", "officer"])
    async def test_of_another_port_is_like_one_that_is_not(self, site: Site, pair: tuple[str, str], actor: str) -> None:
        [match] = await listed(site)
        match_id = match["match_id"] if actor == "stranger" else new_id()
        answers = [
            await site(actor).get(f"/api/matches/{match_id}"),
            await site(actor).post(f"/api/matches/{match_id}/decision", json={"decision": "same", "version": 1}),
            await site(actor).post(f"/api/matches/{match_id}/undo", json={"reason": "new_proof", "version": 1}),
        ]

        assert [answer.status_code for answer in answers] == [404] * 3
        assert {answer.json()["type"].rpartition(":")[2] for answer in answers} == {"match_unknown"}

    async def test_is_metered_as_a_reading_about_people(self) -> None:
        from services.intake.api import matches as api  # noqa: PLC0415
        from services.intake.pages import matches as pages  # noqa: PLC0415

        assert api.show_match.__dict__["reads_people"]
        assert pages.match_page.__dict__["reads_people"]


class TestDecision:
    async def test_same_joins_both_and_is_told_to_everybody(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        answer = await decided(site, match, "same")

        assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (200, "same", 2)
        [fact] = await told(database, pair[0], "intake.return_matched.v1")
        assert fact == {"case_id": pair[0], "match_id": match["match_id"], "earlier_case_id": pair[1]}
        shared = await database.pool.fetchval("SELECT shared FROM journal WHERE type = 'intake.return_matched.v1'")
        assert shared
        assert await listed(site) == []

    async def test_different_is_remembered_and_not_proposed_again(
        self, site: Site, database: Database, vault: Vault, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "different")
        await database.fetch("DELETE FROM compared_cases")
        await compared(database, vault)

        assert await listed(site) == []
        assert len(await told(database, pair[0], "intake.return_ruled_out.v1")) == 1

    async def test_later_stays_in_the_list_with_its_owner(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        await decided(site, match, "later")

        [kept] = await listed(site)
        assert (kept["state"], kept["owner"]) == ("later", OFFICER.id)
        assert (await decided(site, kept, "same")).json()["owner"] is None

    async def test_of_an_older_version_is_refused_with_what_was_decided(
        self, site: Site, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "later")
        answer = await decided(site, match, "same")

        assert answer.status_code == 409
        assert OFFICER.id in answer.json()["detail"]
        assert "akan diputuskan nanti" in answer.json()["detail"]

    async def test_is_made_once_for_a_key(self, site: Site, database: Database, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        path, sent = f"/api/matches/{match['match_id']}/decision", {"decision": "same", "version": 1}
        answers = [await site("officer").post(path, key="once", json=sent) for _ in range(2)]

        assert [answer.json() for answer in answers] == [answers[0].json()] * 2
        assert len(await told(database, pair[0], "intake.return_matched.v1")) == 1

    async def test_made_is_taken_back_before_another_is(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        decided_ = (await decided(site, match, "different")).json()

        assert (await decided(site, decided_, "same")).status_code == 409
        back = (await taken_back(site, match["match_id"], 2)).json()
        assert (back["state"], back["version"]) == ("open", 3)
        assert (await decided(site, back, "same")).json()["state"] == "same"

    async def test_taken_back_is_told_and_stays_in_the_history(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        await taken_back(site, match["match_id"], 2, "new_proof")

        [fact] = await told(database, pair[0], "intake.return_unmatched.v1")
        assert (fact["earlier_case_id"], fact["reason"]) == (pair[1], "new_proof")
        seen = (await site("officer").get(f"/api/matches/{match['match_id']}")).json()
        assert [(step["decision"], step["reason"]) for step in seen["history"]] == [
            ("same", None), ("undone", "new_proof"),
        ]  # fmt: skip

    async def test_that_was_not_made_is_not_taken_back(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)

        assert (await taken_back(site, match["match_id"], 1)).status_code == 409


async def a_triangle(database: Database, people: int) -> dict[tuple[int, int], str]:
    """Every two of some people, all of Nunukan, proposed as one person; the id of each match."""
    cases = [new_id() for _ in range(people)]
    found = {}
    async with database.work(OFFICER, purpose="match") as work:
        await work.as_service()
        pairs = []
        for one, other in combinations(range(people), 2):
            match_id = found[one, other] = new_id()
            # The id of a case stands for that of its person, too.
            pairs.append(Proposed(match_id, cases[other], cases[other], cases[one], cases[one], "NNK", None,
                                  "strong", 20.0, "nik:same"))  # fmt: skip
        await store.propose(work, pairs)
    found_ids[:] = cases
    return found


found_ids: list[str] = []


class TestOnePerson:
    @pytest.mark.parametrize("seed", range(6))
    async def test_is_whoever_the_decisions_that_stand_say(
        self, database: Database, clock: FixedClock, seed: int
    ) -> None:
        """Any sequence of decisions, taken back or not, in any order: who is one follows from what stands alone."""
        rng = random.Random(seed)
        pairs = await a_triangle(database, 5)
        stands: dict[tuple[int, int], str] = {}
        refused = 0
        for _ in range(40):
            pair = rng.choice(list(pairs))
            async with database.work(OFFICER, purpose="match") as work:
                match = await store.find(work, pairs[pair])
                assert match is not None
                if pair in stands:
                    await matches.take_back(work, pairs[pair], reason="new_proof", version=match.version)
                    del stands[pair]
                    continue
                decision = rng.choice(("same", "same", "different", "later"))
                wanted = {**stands, pair: decision}
                try:
                    await matches.decide(work, pairs[pair], decision, version=match.version)  # type: ignore[arg-type]
                except MatchContradicts:
                    assert contradicts(wanted)
                    refused += 1
                    continue
                assert not contradicts(wanted)
                if decision != "later":
                    stands = wanted
            await self._agrees(database, stands)
        for pair in list(stands):
            async with database.work(OFFICER, purpose="match") as work:
                match = await store.find(work, pairs[pair])
                assert match is not None
                await matches.take_back(work, pairs[pair], reason="decided_in_error", version=match.version)
        await self._agrees(database, {})

    async def _agrees(self, database: Database, stands: dict[tuple[int, int], str]) -> None:
        for n, person_id in enumerate(found_ids):
            async with database.work(DPO, purpose="protect") as work:
                await work.as_service()
                one = await store.one_person_with(work, [person_id])
            assert set(one) == {found_ids[other] for other in together(stands, n)}


def together(stands: dict[tuple[int, int], str], start: int) -> set[int]:
    """The model: all that are reached from one by decisions that say the same person."""
    found = {start}
    while True:
        more = {n for pair, said in stands.items() if said == "same" and found & set(pair) for n in pair} - found
        if not more:
            return found
        found |= more


def contradicts(stands: dict[tuple[int, int], str]) -> bool:
    return any(said == "different" and pair[1] in together(stands, pair[0]) for pair, said in stands.items())


class TestPages:
    async def test_list_and_side_by_side_and_decide(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        page = await site("officer").get("/id/kecocokan")
        assert "Bandingkan" in page.text
        assert "nomor sama" in page.text
        assert "Sukarno" not in page.text

        path = f"/id/kecocokan/{match['match_id']}"
        page = await site("officer").get(path)
        assert "MUHAMMAD SUKARNO JAFAR" in page.text
        assert "sama, dan bukan nama yang umum" in page.text
        assert "7306991901910001" not in page.text
        answer = await site("officer").post(path, data={"decision": "same", "version": "1"})
        assert answer.status_code == 303
        page = await site("officer").get(path)
        assert "Tarik keputusan" in page.text

        answer = await site("officer").post(f"{path}/tarik", data={"reason": "new_proof", "version": "2"})
        assert answer.status_code == 303
        assert "Ada bukti baru" in (await site("officer").get(path)).text

    async def test_of_a_voyage_says_how_many_may_have_come_before(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        new = [a_new_arrival(vault, arrival=an_arrival(who=who), voyage_id=voyage.voyage_id) for who in (BEFORE, AGAIN)]
        await record_arrivals(database, new)
        await compared(database, vault)
        page = await site("officer").get(f"/en/pelayaran/{voyage.voyage_id}")

        assert "1 person may have come before" in page.text
        assert f"/en/kecocokan?pelayaran={voyage.voyage_id}" in page.text
        assert len(await listed(site, voyage_id=voyage.voyage_id)) == 1

    async def test_says_who_was_first(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        await decided(site, match, "different")
        answer = await site("officer").post(
            f"/en/kecocokan/{match['match_id']}", data={"decision": "same", "version": "1"}
        )

        assert answer.status_code == 409
        assert f"{OFFICER.id} said: different people" in answer.text

    async def test_of_nothing_says_so(self, site: Site) -> None:
        assert "Nothing to decide" in (await site("officer").get("/en/kecocokan")).text


class TestPersonOfTwoCases:
    """What is done for a person is done for all cases that were decided to be theirs."""

    async def test_is_found_and_handed_out_with_both(self, site: Site, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        found = await site("dpo").post("/api/persons/search", json={"by": "document", "value": "XD1000001"})
        handed = await site("dpo").post(f"/api/cases/{pair[0]}/export", json={"reference": "PPID/2026/0113"})

        assert {case["case_id"] for case in found.json()["items"]} == set(pair)
        assert {case["case_id"] for case in handed.json()["cases"]} == set(pair)

    async def test_is_erased_with_both_and_what_joined_them(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        sent = {"reason": "request", "reference": "PPID/2026/0113"}
        assert (await site("dpo").post(f"/api/cases/{pair[0]}/erasure", json=sent)).is_success

        for case_id in pair:
            assert len(await told(database, case_id, "intake.person_erased.v1")) == 1
        for table in ("person_keys", "possible_matches", "match_decisions", "match_keys"):
            assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table

    async def test_is_kept_by_a_hold_on_either(self, site: Site, database: Database, pair: tuple[str, str]) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        sent = {"reason": "court", "reference": "PN-JKT/1/2026"}
        assert (await site("dpo").post(f"/api/cases/{pair[1]}/holds", json=sent)).is_success
        sent = {"reason": "request", "reference": "PPID/2026/0113"}

        assert (await site("dpo").post(f"/api/cases/{pair[0]}/erasure", json=sent)).status_code == 409
        assert await database.pool.fetchval("SELECT count(*) FROM person_keys") == 2

    async def test_is_two_again_when_that_was_taken_back(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        await taken_back(site, match["match_id"], 2)
        sent = {"reason": "request", "reference": "PPID/2026/0113"}
        await site("dpo").post(f"/api/cases/{pair[0]}/erasure", json=sent)

        assert await told(database, pair[1], "intake.person_erased.v1") == []

    async def test_goes_by_time_when_all_are_due_and_not_before(
        self, site: Site, database: Database, vault: Vault, clock: FixedClock, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        await database.fetch(
            "INSERT INTO referred_needs (case_id, need, opened_at, ended_at)"
            " SELECT case_id, unnest(needs), $1, $1 FROM arrivals",
            clock.now(),
        )
        await database.fetch(
            "UPDATE arrivals SET recorded_at = recorded_at + interval '2 years' WHERE case_id = $1", pair[0]
        )
        retain = Retention(database, a_vault())
        kept = []
        for years in (6, 2):
            clock.advance(timedelta(days=366 * years))
            while await retain():
                pass
            kept.append(await database.pool.fetchval("SELECT count(*) FROM person_keys"))

        assert kept == [2, 0]
