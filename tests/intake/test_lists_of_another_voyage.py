"""A list that is of another voyage is taken back whole, but for whom somebody has worked on since."""

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from services.intake.actions import wrong_voyages
from services.intake.actions.manifests import take_in_manifest
from services.intake.actions.reconciliation import reconcile_voyage
from services.intake.actions.voyages import report_voyage
from services.intake.domain.voyages import Voyage
from services.intake.domain.wrong_voyages import Listed, judge
from services.intake.store import manifests
from services.intake.store.vault import Vault
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests import forking
from tests.intake.conftest import Browser
from tests.intake.consenting import recorded as consented
from tests.intake.correcting import corrected, state
from tests.intake.factories import OFFICER, START, a_disclosure, a_list, a_row, a_voyage, an_accepted
from tests.intake.test_comparing import AGAIN, BEFORE, compared, landed
from tests.intake.test_drafts import SEX, Desk
from tests.intake.test_erasures import erased, told
from tests.intake.test_roll_calls import add_up
from tests.intake.test_screening import screened
from tests.reading import said

Site = Callable[[str], Browser]
FAMILY = a_list(a_row(1), a_row(2, born="2018-01-01", **{"with": "001"}), a_row(3), a_row(4, sex="Q"))
"""An adult, the child it answers for, somebody else, and a row that is held back."""


async def taken_in(database: Database, vault: Vault, voyage: Voyage, content: bytes) -> str:
    return (await take_in_manifest(database, vault, OFFICER, voyage, content)).manifest_id


async def taken_back(
    site: Site, manifest_id: str, *, actor: str = "officer", key: str | None = None
) -> httpx2.Response:
    return await site(actor).post(f"/api/manifests/{manifest_id}/error", key=key, json={"reason": "wrong_voyage"})


async def cases(database: Database, manifest_id: str) -> list[str]:
    """Whom a list recorded, by row."""
    rows = await database.pool.fetch(
        "SELECT case_id::text FROM arrivals WHERE manifest_id = $1 ORDER BY manifest_row", manifest_id
    )
    return [row["case_id"] for row in rows]


@pytest.mark.invariant("I192")
class TestTakingBack:
    async def test_ends_each_arrival_as_one_correction_does_and_no_child_is_said_to_be_alone(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        manifest_id = await taken_in(database, vault, voyage, FAMILY)
        everybody = await cases(database, manifest_id)

        answer = await taken_back(site, manifest_id)

        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "manifest_id": manifest_id, "voyage_id": voyage.voyage_id, "recorded": 3, "taken_back": 3, "in_error": 3,
            "left": [], "left_total": 0, "left_by_reason": {}, "held": 1,
        }  # fmt: skip
        for case_id in everybody:
            [fact] = await told(database, case_id, "intake.arrival_entered_in_error.v1")
            assert (fact["reason"], fact["version"]) == ("wrong_voyage", 2)
        assert await told(database, everybody[1], "intake.needs_corrected.v1") == []
        [unlinked] = await told(database, everybody[1], "intake.guardian_unlinked.v1")
        assert (unlinked["reason"], unlinked["unaccompanied"]) == ("in_error", False)
        assert await database.pool.fetchval("SELECT count(*) FROM household_members WHERE parted_at IS NULL") == 0

    async def test_lets_the_file_be_taken_in_on_the_right_voyage_and_the_counts_of_both_add_up(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        wrong, right = await a_voyage(database), await a_voyage(database, vessel="KM Lambelu")
        await taken_back(site, await taken_in(database, vault, wrong, FAMILY))

        again = await take_in_manifest(database, vault, OFFICER, wrong, FAMILY)
        taken = await take_in_manifest(database, vault, OFFICER, right, FAMILY)

        assert (again.recorded, taken.accepted, taken.known, taken.rejected) == (3, 3, 0, 1)
        counts = [(await report_voyage(database, OFFICER, one.voyage_id)).counts for one in (wrong, right)]
        assert [(one.arrived, one.listed, one.rejected) for one in counts] == [(0, 1, 1), (3, 4, 1)]
        assert all(map(add_up, counts))
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 6

    async def test_shows_in_the_reconciliation_as_single_errors_do(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        content = a_list(*(a_row(n) for n in range(1, 4)))
        at_once, one_by_one = await a_voyage(database), await a_voyage(database)
        await taken_back(site, await taken_in(database, vault, at_once, content))
        for case_id in await cases(database, await taken_in(database, vault, one_by_one, content)):
            assert (await corrected(site, case_id, "error", reason="wrong_voyage"))[0] == 200

        found = [await reconcile_voyage(database, vault, OFFICER, one.voyage_id) for one in (at_once, one_by_one)]
        assert found[0].gaps == found[1].gaps
        assert found[0].lines == found[1].lines
        assert (found[0].counts.listed, found[0].counts.arrived) == (0, 0)

    async def test_of_a_draft_takes_back_whom_any_of_its_sendings_recorded(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        desk = Desk(database, vault)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2), a_row(3, sex="Q"))))
        again = await desk.send(await desk.mend(sent.draft, 4, {SEX: "M"}))
        assert again.manifest.manifest_id != sent.manifest.manifest_id

        answer = (await taken_back(site, again.manifest.manifest_id)).json()

        assert (answer["recorded"], answer["taken_back"], answer["held"]) == (3, 3, 0)

    async def test_leaves_whom_the_list_has_not_recorded(self, site: Site, database: Database, vault: Vault) -> None:
        voyage = await a_voyage(database)
        person = {"full_name": "Kenari Kuning", "sex": "M", "birth_date": "1985-05-05", "document_type": "SPLP",
                  "document_number": "XS9000001", "origin_regency": "73.06", "voyage_id": voyage.voyage_id}  # fmt: skip
        by_hand = (await site("officer").post("/api/arrivals", json=person)).json()["case_id"]
        earlier = await taken_in(database, vault, voyage, a_list(a_row(2)))
        known = a_row(1, name="Kenari Kuning", born="1985-05-05")
        manifest_id = await taken_in(database, vault, voyage, a_list(known, a_row(2), a_row(3)))

        answer = (await taken_back(site, manifest_id)).json()

        assert (answer["recorded"], answer["taken_back"]) == (1, 1)
        assert (await state(site, by_hand))["ended_as"] is None
        assert (await state(site, (await cases(database, earlier))[0]))["ended_as"] is None
        assert add_up((await report_voyage(database, OFFICER, voyage.voyage_id)).counts)

    async def test_twice_under_one_key_gives_the_first_answer_and_under_another_says_that_it_is_done(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), FAMILY)
        key = new_id()

        answers = [await taken_back(site, manifest_id, key=key) for _ in range(2)]
        refused = await taken_back(site, manifest_id)

        assert answers[0].json() == answers[1].json()
        assert (refused.status_code, refused.json()["code"]) == (409, "list_taken_back")
        [first, *_] = await cases(database, manifest_id)
        assert len(await told(database, first, "intake.arrival_entered_in_error.v1")) == 1

    async def test_by_two_at_once_ends_each_arrival_once(self, site: Site, database: Database, vault: Vault) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), a_list(*map(a_row, range(1, 121))))

        answers = await asyncio.gather(*(taken_back(site, manifest_id, actor=one) for one in ("officer", "colleague")))

        assert {answer.json().get("code", "done") for answer in answers} <= {"done", "list_taken_back"}
        assert sum(answer.json().get("taken_back", 0) for answer in answers) == 120
        ended = "SELECT count(*) FROM journal WHERE type = 'intake.arrival_entered_in_error.v1'"
        assert await database.pool.fetchval(ended) == 120

    async def test_of_another_port_looks_like_a_missing_list(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), FAMILY)

        answers = [await taken_back(site, id_, actor="stranger") for id_ in (manifest_id, new_id())]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
        assert await database.pool.fetchval("SELECT count(*) FROM arrival_corrections") == 0

    @pytest.mark.parametrize("actor", ["system", "worker", "dpo", "supervisor"])
    async def test_is_for_people_of_the_port(self, site: Site, actor: str) -> None:
        assert (await taken_back(site, new_id(), actor=actor)).status_code == 403

    async def test_waits_until_the_list_is_recorded(self, site: Site, database: Database) -> None:
        voyage = await a_voyage(database)
        async with database.work(OFFICER, purpose="manifest") as work:
            manifest_id = await manifests.begin(
                work, manifest_id=new_id(), voyage_id=voyage.voyage_id, file_digest=bytes(32), listed=3
            )

        answer = await taken_back(site, manifest_id)

        assert (answer.status_code, answer.json()["code"]) == (409, "list_being_recorded")


async def died(site: Site, _: Database, case_id: str) -> None:
    assert (await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care"))[0] == 200


async def sex_corrected(site: Site, _: Database, case_id: str) -> None:
    assert (await corrected(site, case_id, "sex", sex="X", reason="recorded_wrongly"))[0] == 200


async def correction_asked(site: Site, _: Database, case_id: str) -> None:
    sent = {"field": "alias", "value": "Emon", "reference": "PPID/2026/1"}
    answer = await site("dpo").post(f"/api/cases/{case_id}/corrections", json=sent)
    assert answer.status_code == 201, answer.text


async def asked_in_a_talk(site: Site, _: Database, case_id: str) -> None:
    await screened(site, case_id, answers={}, needs=[], decision="not_asked")


async def consent_given(site: Site, _: Database, case_id: str) -> None:
    assert (await consented(site, case_id)).status_code == 201


async def gone(site: Site, _: Database, case_id: str) -> None:
    await erased(site, case_id)


async def shown(site: Site, database: Database, case_id: str) -> None:
    agency = "DINKES-73.06"
    seen = await a_disclosure(site("referral"), case_id, await an_accepted(database, case_id, agency=agency), agency)
    assert seen.status_code == 200, seen.text


async def put_together(site: Site, database: Database, case_id: str) -> None:
    other = (await site("officer").post("/api/arrivals", json={"full_name": "Melati", "sex": "F"})).json()["case_id"]
    answer = await site("officer").post(f"/api/cases/{case_id}/household", json={"with_case_id": other, "version": 0})
    assert answer.status_code in (200, 201), answer.text


async def decided(site: Site, database: Database, case_id: str) -> None:
    match_id = await database.pool.fetchval("SELECT match_id::text FROM possible_matches WHERE case_id = $1", case_id)
    sent = {"decision": "different", "version": 1}
    assert (await site("officer").post(f"/api/matches/{match_id}/decision", json=sent)).status_code == 200


WORK: dict[str, tuple[str, Callable[[Site, Database, str], Awaitable[None]]]] = {
    "death": ("died", died),
    "erasure": ("erased", gone),
    "correction": ("corrected", sex_corrected),
    "correction asked for": ("corrected", correction_asked),
    "screening": ("screened", asked_in_a_talk),
    "consent": ("consented", consent_given),
    "household": ("linked", put_together),
    "disclosure": ("helped", shown),
    "decision": ("compared", decided),
}


@pytest.mark.invariant("I192")
class TestWhoIsLeft:
    @pytest.mark.parametrize("what", WORK)
    async def test_is_who_was_worked_on_since_by_reason_and_case(
        self, site: Site, database: Database, vault: Vault, what: str
    ) -> None:
        await landed(database, vault, BEFORE)
        content = a_list(
            a_row(1, name=AGAIN["full_name"], born="1991-01-19", nik=AGAIN["nik"], number=AGAIN["document_number"]),
            a_row(2),
            a_row(3),
        )
        manifest_id = await taken_in(database, vault, await a_voyage(database), content)
        await compared(database, vault)
        [worked_on, *others] = await cases(database, manifest_id)
        reason, work = WORK[what]
        await work(site, database, worked_on)
        before = (await state(site, worked_on))["version"]

        answer = (await taken_back(site, manifest_id)).json()

        assert answer["left"] == [{"case_id": worked_on, "reason": reason}]
        assert (answer["left_by_reason"], answer["left_total"]) == ({reason: 1}, 1)
        assert (answer["recorded"], answer["taken_back"], answer["in_error"]) == (3, 2, 2)
        assert (await state(site, worked_on))["version"] == before
        assert {(await state(site, one))["ended_as"] for one in others} == {"entered_in_error"}

    async def test_of_a_family_is_the_adult_too_whose_child_is_left(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), FAMILY)
        adult, child, other = await cases(database, manifest_id)
        await asked_in_a_talk(site, database, child)

        answer = (await taken_back(site, manifest_id)).json()

        assert answer["left"] == [
            {"case_id": adult, "reason": "answers_for"}, {"case_id": child, "reason": "screened"}
        ]  # fmt: skip
        assert (await state(site, other))["ended_as"] == "entered_in_error"
        assert await told(database, child, "intake.guardian_unlinked.v1") == []

    async def test_can_be_entered_in_error_by_a_person_and_then_the_list_is_done(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        manifest_id = await taken_in(database, vault, voyage, a_list(a_row(1), a_row(2)))
        [first, _] = await cases(database, manifest_id)
        await sex_corrected(site, database, first)
        assert (await taken_back(site, manifest_id)).json()["left_total"] == 1
        once_more = (await taken_back(site, manifest_id)).json()
        assert (once_more["taken_back"], once_more["in_error"], once_more["left_total"]) == (0, 1, 1)

        assert (await corrected(site, first, "error", version=2, reason="wrong_voyage"))[0] == 200

        assert (await taken_back(site, manifest_id)).json()["code"] == "list_taken_back"
        assert (await report_voyage(database, OFFICER, voyage.voyage_id)).counts.listed == 0

    async def test_who_is_worked_on_while_it_goes_on_is_left_too(
        self, site: Site, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), a_list(*map(a_row, range(1, 5))))
        last = max(await cases(database, manifest_id))
        monkeypatch.setattr(wrong_voyages, "BATCH", 2)
        enter = wrong_voyages.endings.enter_in_error

        async def after_somebody_corrected_the_last(*args: Any, **kwargs: Any) -> Any:
            if (await state(site, last))["version"] == 1:
                await sex_corrected(site, database, last)
            return await enter(*args, **kwargs)

        monkeypatch.setattr(wrong_voyages.endings, "enter_in_error", after_somebody_corrected_the_last)
        answer = (await taken_back(site, manifest_id)).json()

        assert answer["left"] == [{"case_id": last, "reason": "corrected"}]
        assert answer["taken_back"] == 3

    def test_children_go_before_who_answers_for_them(self) -> None:
        found = judge([
            Listed("a", False, None, children=("c",)), Listed("b", True, "corrected"), Listed("c", False, None),
            Listed("d", False, None, children=("elsewhere",)),
        ])  # fmt: skip

        assert [one.case_id for one in found.as_recorded] == ["c", "a"]
        assert (found.in_error, found.left, found.recorded) == (1, {"d": "answers_for"}, 4)


@pytest.mark.invariant("I192")
@pytest.mark.parametrize(
    ("crash_at", "ended"),
    [("work.before_commit", 0), ("work.after_commit", 2), ("work.before_commit:2", 2), ("work.after_commit:2", 4)],
)
async def test_who_is_killed_between_two_batches_goes_on(
    site: Site, database: Database, vault: Vault, crash_at: str, ended: int
) -> None:
    content = a_list(a_row(1), a_row(2, born="2018-01-01", **{"with": "001"}), *map(a_row, range(3, 6)))
    manifest_id = await taken_in(database, vault, await a_voyage(database), content)
    process = await asyncio.create_subprocess_exec(
        *(*forking.python(), "tests.intake.take_list_back", database.url, manifest_id),
        env={**os.environ, "CRASH_AT": crash_at},
    )
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL
    in_error = "SELECT count(*) FROM arrivals WHERE ended_as = 'entered_in_error'"
    assert await database.pool.fetchval(in_error) == ended

    answer = (await taken_back(site, manifest_id)).json()

    assert (answer["taken_back"], answer["in_error"], answer["left"]) == (5 - ended, 5, [])
    facts = "SELECT count(*), count(DISTINCT case_id) FROM journal WHERE type = 'intake.arrival_entered_in_error.v1'"
    assert tuple(await database.pool.fetchrow(facts)) == (5, 5)
    assert await database.pool.fetchval(
        "SELECT count(*) FROM journal WHERE type = 'intake.needs_corrected.v1'"
    ) == 0  # fmt: skip


class TestPage:
    async def test_is_reached_from_the_voyage_says_how_many_and_why_and_takes_one_press(
        self, site: Site, database: Database, vault: Vault
    ) -> None:
        voyage = await a_voyage(database)
        manifest_id = await taken_in(database, vault, voyage, FAMILY)
        await asked_in_a_talk(site, database, (await cases(database, manifest_id))[2])
        officer = site("officer")
        at = re.search(r'href="(/id/daftar/[^"]+)"', (await officer.get(f"/id/pelayaran/{voyage.voyage_id}")).text)
        assert at

        page = await officer.get(at[1])
        assert "Tarik 2 orang" in said(page)
        assert "Sudah disaring" in said(page)
        assert "1 baris daftar ini tertahan" in said(page)
        pressed = await officer.post(at[1], data={})

        assert pressed.status_code == 303
        after = await officer.get(pressed.headers["location"])
        assert "2 orang ditarik." in after.text
        assert "Selebihnya sudah dicatat sebagai salah catat" in said(after)
        assert "Tarik 2 orang" not in said(after)

    async def test_refuses_in_words_what_is_taken_back(self, site: Site, database: Database, vault: Vault) -> None:
        manifest_id = await taken_in(database, vault, await a_voyage(database), FAMILY)
        page = f"/id/daftar/{manifest_id}/pelayaran-lain"
        assert (await site("officer").post(page, data={})).status_code == 303

        again = await site("officer").post(page, data={})

        assert again.status_code == 409
        assert "kirim berkasnya ke pelayaran yang benar" in said(again)
        assert (await site("stranger").get(page)).status_code == 404
