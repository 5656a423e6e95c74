"""What is corrected of two who were compared, and an arrival that was none: compared anew, or decided on no more."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.intake.actions import comparing
from services.intake.actions.arrivals import record_arrivals
from services.intake.clock import Comparing
from services.intake.store.vault import Vault
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.correcting import corrected
from tests.intake.factories import OFFICER, a_new_arrival, an_arrival
from tests.intake.test_comparing import AGAIN, BEFORE, compared, landed
from tests.intake.test_erasures import told
from tests.intake.test_matches import decided, listed, pair, taken_back

__all__ = ["pair"]

Site = Callable[[str], Browser]


class TestCorrected:
    """What is corrected of an arrival is compared anew; of one entered in error nothing is left to decide."""

    @pytest.mark.parametrize(
        ("what", "wrong", "right"),
        [
            ("origin", {"origin": "53.06"}, {"origin_regency": "73.06"}),
            ("sex", {"sex": "F"}, {"sex": "M"}),
            ("age", {"birth": "1991-01-19"}, {"birth_date": "2012-05-01"}),
        ],
    )
    async def test_is_compared_anew(
        self, site: Site, database: Database, vault: Vault, what: str, wrong: dict[str, str], right: dict[str, Any]
    ) -> None:
        who = {"full_name": "Sangkala Rewa bin Tahir", "nik": "", "document_number": "", "birth": "2012-05-01"}
        earlier = await recorded(database, vault, who)
        later = await recorded(database, vault, who, **wrong)
        await compared(database, vault)
        before = await bits(database, later)
        status, _ = await corrected(site, later, what, reason="person_said", **right)
        await compared(database, vault)

        assert status == 200
        assert (await bits(database, later)) > before
        [match] = await listed(site)
        asked_before = before > -99.0
        assert (match["case_id"], match["earlier_case_id"], match["version"]) == (later, earlier, 1 + asked_before)

    @pytest.mark.parametrize("which", [0, 1], ids=["later", "earlier"])
    async def test_says_what_agrees_by_now_to_who_decides_on_what_was_before(
        self, site: Site, database: Database, vault: Vault, pair: tuple[str, str], which: int
    ) -> None:
        [match] = await listed(site)
        for field, value in (("full_name", "Wulan Sari"), ("nik", "")):
            sent = {"field": field, "value": value, "reference": "PPID/2026/0113"}
            asked = await site("dpo").post(f"/api/cases/{pair[which]}/corrections", json=sent)
            path = f"/api/corrections/{asked.json()['correction_id']}/decision"
            assert (await site("dpo").post(path, json={"decision": "accepted"})).is_success, asked.text
        await compared(database, vault)

        late = await decided(site, match, "same")
        assert (late.status_code, late.json()["code"]) == (409, "match_changed")
        [now] = await listed(site)
        agreements = {a["field"]: a["level"] for a in now["agreements"]}
        assert (agreements["name"], agreements["nik"]) == ("other", "missing")
        assert (now["match_id"], now["strength"], now["version"]) == (match["match_id"], "possible", 2)
        assert (await decided(site, now, "different")).json()["state"] == "different"

    async def test_leaves_what_was_decided(self, site: Site, database: Database, vault: Vault) -> None:
        who = {**AGAIN, "birth": "1991-01-19"}
        _, later = await recorded(database, vault, who), await recorded(database, vault, who, sex="F")
        await compared(database, vault)
        [match] = await listed(site)
        await decided(site, match, "same")
        before = await bits(database, later)
        await corrected(site, later, "sex", sex="M", reason="papers_found")
        await compared(database, vault)

        assert await bits(database, later) == before
        assert await database.pool.fetchval("SELECT state FROM possible_matches") == "same"

    async def test_while_it_is_compared_is_compared_once_more(
        self, site: Site, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        who = {**AGAIN, "birth": "1991-01-19"}
        _, later = await recorded(database, vault, who), await recorded(database, vault, who, sex="F")
        during(monkeypatch, lambda: corrected(site, later, "sex", sex="M", reason="papers_found"))
        compare = Comparing(database, vault)
        assert [await compare() for _ in range(4)] == [2, 0, 1, 0]

        assert {a["field"]: a["level"] for a in (await listed(site))[0]["agreements"]}["sex"] == "same"

    @pytest.mark.parametrize("which", [0, 1], ids=["later", "earlier"])
    @pytest.mark.parametrize("decision", [None, "later"])
    async def test_as_none_ends_what_was_to_be_decided(
        self, site: Site, database: Database, vault: Vault, which: int, decision: str | None
    ) -> None:
        cases = [await recorded(database, vault, who) for who in (BEFORE, AGAIN)][::-1]
        await compared(database, vault)
        [match] = await listed(site)
        version = 1
        if decision:
            version = (await decided(site, match, decision)).json()["version"]
        await corrected(site, cases[which], "error", reason="never_arrived")
        await compared(database, vault)

        assert await listed(site) == []
        [fact] = await told(database, cases[which], "intake.return_dropped.v1")
        assert (fact["other_case_id"], fact["reason"]) == (cases[1 - which], "entered_in_error")
        [step] = await database.fetch(
            "SELECT version, reason, decided_by FROM match_decisions WHERE decision = 'ended'"
        )
        assert tuple(step) == (version + 1, "entered_in_error", OFFICER.id)
        answers = [
            await site("officer").get(f"/api/matches/{match['match_id']}"),
            await decided(site, {**match, "version": version}, "same"),
            await taken_back(site, match["match_id"], version + 1),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "match_ended")}
        page = await site("officer").get(f"/en/kecocokan/{match['match_id']}")
        assert "Nothing is to be decided on them any more." in page.text

    async def test_as_none_leaves_who_was_decided_to_be_one_person(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, "same")
        await corrected(site, pair[0], "error", reason="never_arrived")

        assert await database.pool.fetchval("SELECT state FROM possible_matches") == "same"
        assert await told(database, pair[0], "intake.return_dropped.v1") == []

    @pytest.mark.parametrize("which", [0, 1], ids=["later", "earlier"])
    @pytest.mark.parametrize(("decision", "told_as"), [("same", "The same person"), ("different", "Different people")])
    async def test_as_none_shows_what_was_decided_and_why_it_is_closed(
        self, site: Site, database: Database, pair: tuple[str, str], which: int, decision: str, told_as: str
    ) -> None:
        [match] = await listed(site)
        await decided(site, match, decision)
        await corrected(site, pair[which], "error", actor=("officer", "stranger")[which], reason="never_arrived")

        seen = await site("officer").get(f"/api/matches/{match['match_id']}")
        page = await site("officer").get(f"/en/kecocokan/{match['match_id']}")
        assert (seen.status_code, page.status_code) == (200, 200)
        said = seen.json()
        assert (said["closed"], said["later"], said["earlier"]) == ("entered_in_error", None, None)
        assert [step["decision"] for step in said["history"]] == [decision]
        assert "was entered in error since" in page.text
        assert told_as in page.text
        assert "SUKARNO" not in page.text
        assert await told(database, pair[0], "intake.match_read.v1") == []

    async def test_as_none_lets_who_is_somebody_else_stand_apart(
        self, site: Site, database: Database, pair: tuple[str, str]
    ) -> None:
        """Else one would be handed out with the other for good."""
        [match] = await listed(site)
        version = (await decided(site, match, "same")).json()["version"]
        await corrected(site, pair[0], "error", reason="never_arrived")
        anew = await decided(site, {**match, "version": version}, "different")
        page = await site("officer").get(f"/en/kecocokan/{match['match_id']}")
        form = {"version": str(version), "reason": "decided_in_error"}
        undone = await site("officer").post(f"/en/kecocokan/{match['match_id']}/tarik", data=form)

        assert (anew.status_code, anew.json()["code"]) == (409, "match_ended")
        assert "one is handed out and erased with the other" in page.text
        assert undone.headers["location"].partition("?")[0] == "/en/kecocokan"
        [fact] = await told(database, match["case_id"], "intake.return_unmatched.v1")
        assert fact["match_id"] == match["match_id"]
        assert await database.pool.fetchval("SELECT state FROM possible_matches") == "ended"
        again = await taken_back(site, match["match_id"], version + 1)
        assert (again.status_code, again.json()["code"]) == (409, "match_ended")

    async def test_as_none_while_it_is_compared_is_not_proposed(
        self, site: Site, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        earlier, _ = [await recorded(database, vault, who) for who in (BEFORE, AGAIN)]
        during(monkeypatch, lambda: corrected(site, earlier, "error", reason="never_arrived"))
        await compared(database, vault)

        assert await database.pool.fetchval("SELECT count(*) FROM possible_matches") == 0


async def recorded(database: Database, vault: Vault, who: dict[str, str], **said: str) -> str:
    """The case of somebody who landed at Nunukan from Gowa, a man, unless it is said otherwise."""
    identity = {**who, **{name: said[name] for name in ("birth",) if name in said}}
    new = a_new_arrival(
        vault, arrival=an_arrival(who=identity, sex=said.get("sex", "M"), origin_regency=said.get("origin", "73.06"))
    )
    await record_arrivals(database, [new])
    return new.case_id


async def bits(database: Database, case_id: str) -> float:
    """How much agrees in the pair of this later case; far below any where none is proposed."""
    found: float | None = await database.pool.fetchval("SELECT bits FROM possible_matches WHERE case_id = $1", case_id)
    return -99.0 if found is None else found


def during(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[tuple[int, Any]]]) -> None:
    """Have somebody do this once while intake's clock compares what it has read."""
    look_up = comparing.look_up
    acts = [act]

    async def looks_up(*given: Any) -> Any:
        found = await look_up(*given)
        while acts:
            status, answer = await acts.pop()()
            assert status == 200, answer
        return found

    monkeypatch.setattr(comparing, "look_up", looks_up)


async def test_what_was_corrected_is_compared_anew(site: Site, database: Database, vault: Vault) -> None:
    await landed(database, vault, BEFORE, port="ETK")
    [later] = await landed(database, vault, {"full_name": "Siti Aminah", "nik": "", "document_number": ""})
    await compared(database, vault)
    assert await listed(site) == []
    for field, value in (("full_name", AGAIN["full_name"]), ("nik", AGAIN["nik"])):
        sent = {"field": field, "value": value, "reference": "PPID/2026/0113"}
        asked = await site("officer").post(f"/api/cases/{later}/corrections", json=sent)
        path = f"/api/corrections/{asked.json()['correction_id']}/decision"
        assert (await site("dpo").post(path, json={"decision": "accepted"})).is_success
    await compared(database, vault)

    assert [match["case_id"] for match in await listed(site)] == [later]
