"""Households by hand: one person is enough for more protection, two are needed for less."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from services.intake import clock as clocks
from services.intake.pages import labels
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.correcting import corrected
from tests.intake.factories import START
from tests.intake.test_erasures import a_case, erased, told
from tests.intake.test_records import export

Site = Callable[[str], Browser]

CHILD: dict[str, Any] = {"age": 8, "nik": None}
ASKED = {"relation": "mother", "proof": "family_card"}


async def a_child(site: Site) -> str:
    return await a_case(site, **CHILD)


async def household(site: Site, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site("officer").get(f"/api/cases/{case_id}/household")).json()
    return found


async def joined(site: Site, case_id: str, other: str, version: int = 0, actor: str = "officer") -> Any:
    sent = {"with_case_id": other, "version": version}
    return await site(actor).post(f"/api/cases/{case_id}/household", json=sent)


async def a_proposal(site: Site, child: str, adult: str, actor: str = "officer") -> str:
    answer = await site(actor).post(f"/api/cases/{child}/guardians", json={"adult_case_id": adult, **ASKED})
    assert answer.status_code == 202, answer.text
    link_id: str = answer.json()["link_id"]
    return link_id


async def confirmed(site: Site, link_id: str, actor: str = "colleague", version: int = 1) -> Any:
    return await site(actor).post(f"/api/guardians/{link_id}/confirmation", json={"version": version})


async def ended(site: Site, link_id: str, version: int, actor: str = "officer") -> Any:
    sent = {"version": version, "reason": "child_at_risk"}
    return await site(actor).post(f"/api/guardians/{link_id}/end", json=sent)


async def needs_of(database: Database, case_id: str) -> set[str]:
    return set(await database.pool.fetchval("SELECT needs FROM arrivals WHERE case_id = $1", case_id))


class TestHousehold:
    async def test_is_formed_joined_and_left_with_its_history_kept(self, site: Site, database: Database) -> None:
        one, two, three = [await a_case(site) for _ in range(3)]
        assert (await joined(site, one, two)).status_code == 200
        assert (await joined(site, three, one, version=1)).status_code == 200
        parting = {"reason": "family_parted", "version": 2}
        left = await site("officer").post(f"/api/cases/{two}/household/parting", json=parting)

        assert left.json()["household_id"] is None
        found = await household(site, one)
        assert (found["version"], len(found["members"])) == (3, 3)
        assert {m["case_id"]: m["parted_for"] for m in found["members"]} == {
            one: None,
            three: None,
            two: "family_parted",
        }
        facts = [(f["change"], f["members"]) for f in await told(database, two, "intake.household_changed.v1")]
        assert facts == [("joined", [one]), ("parted", sorted([one, three]))]

    async def test_whoever_comes_second_learns_who_was_first(self, site: Site) -> None:
        cases = [await a_case(site) for _ in range(4)]
        await joined(site, cases[0], cases[1])
        answers = await asyncio.gather(
            joined(site, cases[2], cases[0], version=1), joined(site, cases[3], cases[1], version=1, actor="colleague")
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [lost] = [answer.json() for answer in answers if answer.status_code == 409]
        assert lost["code"] == "household_changed"
        assert "versi 1" in lost["detail"]
        assert "versi 2" in lost["detail"]

    async def test_nobody_is_in_two_whatever_comes_together(self, site: Site, database: Database) -> None:
        one, *others = [await a_case(site) for _ in range(4)]
        await asyncio.gather(*(joined(site, one, other) for other in others))

        assert await database.pool.fetchval(
            "SELECT count(*) FROM household_members WHERE case_id = $1 AND parted_at IS NULL", one
        ) == 1  # fmt: skip

    async def test_of_two_families_is_not_mixed_up(self, site: Site) -> None:
        one, two, three, four = [await a_case(site) for _ in range(4)]
        await joined(site, one, two)
        await joined(site, three, four)

        assert (await joined(site, one, three, version=1)).json()["code"] == "in_two_households"
        assert (await joined(site, one, two, version=1)).json()["code"] == "already_together"

    async def test_is_left_by_an_arrival_that_was_none(self, site: Site, database: Database) -> None:
        one, two = await a_case(site), await a_case(site)
        await joined(site, one, two)

        await corrected(site, two, "error", reason="never_arrived")

        found = await household(site, one)
        assert {m["case_id"]: m["parted_for"] for m in found["members"]} == {one: None, two: "in_error"}
        told_last = (await told(database, two, "intake.household_changed.v1"))[-1]
        assert (told_last["change"], told_last["reason"]) == ("parted", "in_error")

    async def test_of_who_never_landed_is_none(self, site: Site) -> None:
        mother, wrong = await a_case(site), await a_case(site)
        assert (await corrected(site, wrong, "error", reason="never_arrived"))[0] == 200
        for one, other in ((mother, wrong), (wrong, mother)):
            assert (await joined(site, one, other)).json()["code"] == "arrival_in_error"

    async def test_of_another_port_looks_like_a_missing_one(self, site: Site) -> None:
        one, two = await a_case(site), await a_case(site)
        answers = [await site("stranger").get(f"/api/cases/{id_}/household") for id_ in (one, new_id())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
        assert (await joined(site, one, two, actor="stranger")).status_code == 404

    async def test_keeps_its_history_whoever_writes(self, site: Site, owner: asyncpg.Connection) -> None:
        one, two = await a_case(site), await a_case(site)
        await joined(site, one, two)
        await owner.execute("SET rujukan.scope = 'service'")
        with pytest.raises(asyncpg.CheckViolationError, match="not rewritten"):
            await owner.execute("UPDATE household_members SET joined_by = 'nobody'")


class TestGuardian:
    async def test_takes_a_second_person_to_answer_for_a_child(self, site: Site, database: Database) -> None:
        child, mother = await a_child(site), await a_case(site)
        link_id = await a_proposal(site, child, mother)

        assert (await household(site, child))["household_id"] is None
        assert (await confirmed(site, link_id, actor="officer")).json()["code"] == "nobody_else_confirms"
        assert await told(database, child, "intake.guardian_linked.v1") == []
        assert (await confirmed(site, link_id)).json()["state"] == "confirmed"
        [linked] = await told(database, child, "intake.guardian_linked.v1")
        assert (linked["adult_case_id"], linked["relation"], linked["proof"]) == (mother, "mother", "family_card")
        assert len((await household(site, child))["members"]) == 2

    async def test_linking_takes_away_no_protection(self, site: Site, database: Database) -> None:
        child, mother = await a_child(site), await a_case(site)
        await confirmed(site, await a_proposal(site, child, mother))

        assert "UAC" in await needs_of(database, child)

    async def test_unlinking_protects_at_once_by_one_person(self, site: Site, database: Database) -> None:
        mother = await a_case(site)
        child = await a_case(site, **CHILD, companion={"adult": mother, **ASKED})
        assert "UAC" not in await needs_of(database, child)
        [link] = (await household(site, child))["guardians"]
        assert (await ended(site, link["link_id"], 1)).json()["state"] == "ended"

        assert "UAC" in await needs_of(database, child)
        [unlinked] = await told(database, child, "intake.guardian_unlinked.v1")
        assert (unlinked["unaccompanied"], unlinked["reason"]) == (True, "child_at_risk")
        [needs] = await told(database, child, "intake.needs_corrected.v1")
        assert needs["added"] == ["UAC"]

    async def test_a_child_with_another_adult_is_not_alone(self, site: Site, database: Database) -> None:
        mother, father = await a_case(site), await a_case(site)
        child = await a_case(site, **CHILD, companion={"adult": mother, **ASKED})
        [link] = (await household(site, child))["guardians"]
        assert (await confirmed(site, await a_proposal(site, child, father))).status_code == 200
        await ended(site, link["link_id"], 1)

        [unlinked] = await told(database, child, "intake.guardian_unlinked.v1")
        assert unlinked["unaccompanied"] is False
        assert "UAC" not in await needs_of(database, child)

    @pytest.mark.invariant("I159")
    async def test_lapses_when_nobody_confirms_it_and_the_child_stays_alone(
        self, site: Site, database: Database, clock: FixedClock
    ) -> None:
        child, mother = await a_child(site), await a_case(site)
        link_id = await a_proposal(site, child, mother)
        pages = ("/id/wali", f"/id/keluarga/{child}")
        due = START + timedelta(days=3)
        assert not any(["lewat" in (await site("officer").get(page)).text for page in pages])
        [waiting] = (await site("colleague").get("/api/guardians")).json()["items"]
        [link] = (await household(site, child))["guardians"]
        assert {datetime.fromisoformat(one["due_at"]) for one in (waiting, link)} == {due}
        clock.advance(timedelta(days=4))
        assert all(["lewat" in (await site("officer").get(page)).text for page in pages])
        clock.advance(timedelta(days=3))

        assert (await confirmed(site, link_id)).json()["code"] == "link_ended"
        assert await clocks.Lapsing(database)() == 1

        assert (await confirmed(site, link_id, version=2)).json()["code"] == "link_ended"
        [fact] = await told(database, child, "intake.guardian_proposal_ended.v1")
        assert fact["how"] == "expired"
        [link] = (await household(site, child))["guardians"]
        assert (link["state"], link["due_at"]) == ("ended", None)

    @pytest.mark.parametrize(("actor", "how"), [("officer", "withdrawn"), ("colleague", "refused")])
    async def test_what_was_asked_for_only_can_come_to_nothing(
        self, site: Site, database: Database, actor: str, how: str
    ) -> None:
        child, mother = await a_child(site), await a_case(site)
        link_id = await a_proposal(site, child, mother)
        await ended(site, link_id, 1, actor=actor)

        [fact] = await told(database, child, "intake.guardian_proposal_ended.v1")
        assert fact["how"] == how
        assert (await confirmed(site, link_id, version=2)).json()["code"] == "link_ended"
        assert (await confirmed(site, link_id)).json()["code"] == "household_changed"

    @pytest.mark.parametrize("actor", ["officer", "colleague"])
    @pytest.mark.parametrize(
        ("what", "said", "ended_for"),
        [
            ("death", {"died_on": START.date().isoformat(), "place": "in_care"}, "died"),
            ("error", {"reason": "never_arrived"}, "in_error"),
            ("age", {"birth_date": "2012-05-01", "reason": "papers_found"}, "in_error"),
        ],
    )
    async def test_what_was_asked_for_only_is_overtaken_by_what_is_corrected_and_nobody_has_refused_it(
        self, site: Site, database: Database, what: str, said: dict[str, Any], ended_for: str, actor: str
    ) -> None:
        child, mother = await a_child(site), await a_case(site)
        await a_proposal(site, child, mother)

        assert (await corrected(site, mother, what, actor=actor, **said))[0] == 200

        [link] = (await household(site, child))["guardians"]
        assert (link["state"], link["ended_for"]) == ("ended", ended_for)
        [fact] = await told(database, child, "intake.guardian_proposal_ended.v1")
        assert fact["how"] == "overtaken"

    async def test_two_who_confirm_and_refuse_at_once_have_one_winner(self, site: Site, database: Database) -> None:
        child, mother = await a_child(site), await a_case(site)
        link_id = await a_proposal(site, child, mother)
        answers = await asyncio.gather(confirmed(site, link_id), ended(site, link_id, 1))

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        linked = await told(database, child, "intake.guardian_linked.v1")
        refused = await told(database, child, "intake.guardian_proposal_ended.v1")
        assert len(linked) + len(refused) == 1

    async def test_is_an_adult_and_answers_for_a_child(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site)
        for one, other in ((child, await a_child(site)), (mother, child), (mother, await a_case(site)), (child, child)):
            sent = {"adult_case_id": other, **ASKED}
            answer = await site("officer").post(f"/api/cases/{one}/guardians", json=sent)
            assert answer.json()["code"] == "guardian_unfit"

    @pytest.mark.parametrize("which", [0, 1], ids=["child", "adult"])
    @pytest.mark.parametrize(
        ("what", "said", "code"),
        [
            ("death", {"died_on": START.date().isoformat(), "place": "at_port"}, "one_has_died"),
            ("error", {"reason": "never_arrived"}, "arrival_in_error"),
        ],
    )
    async def test_is_nobody_who_has_died_or_never_landed(
        self, site: Site, which: int, what: str, said: dict[str, str], code: str
    ) -> None:
        two = await a_child(site), await a_case(site)
        assert (await corrected(site, two[which], what, **said))[0] == 200
        sent = {"adult_case_id": two[1], **ASKED}
        answer = await site("officer").post(f"/api/cases/{two[0]}/guardians", json=sent)
        assert (answer.status_code, answer.json()["code"]) == (409, code)

        form = {"adult": two[1], "relation": "mother", "proof": "none"}
        page = await site("officer").post(f"/en/keluarga/{two[0]}/wali", data=form)
        assert page.status_code == 422
        assert ("One of the two has died." if what == "death" else "was entered in error before.") in page.text

    async def test_is_linked_once(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site)
        await a_proposal(site, child, mother)
        sent = {"adult_case_id": mother, **ASKED}
        again = await site("colleague").post(f"/api/cases/{child}/guardians", json=sent)
        assert again.json()["code"] == "linked_before"

    async def test_does_not_part_while_answering(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site)
        await confirmed(site, await a_proposal(site, child, mother))
        for case_id in (child, mother):
            sent = {"reason": "in_error", "version": 1}
            answer = await site("officer").post(f"/api/cases/{case_id}/household/parting", json=sent)
            assert answer.json()["code"] == "still_answers_for_child"

    async def test_is_never_confirmed_by_one_person_whoever_writes(self, site: Site, owner: asyncpg.Connection) -> None:
        child, mother = await a_child(site), await a_case(site)
        await a_proposal(site, child, mother)
        await owner.execute("SET rujukan.scope = 'service'")
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(
                "UPDATE guardian_links SET state = 'confirmed', version = 2, confirmed_by = proposed_by,"
                " confirmed_at = proposed_at"
            )

    async def test_the_same_key_asks_once(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site)
        key, sent = new_id(), {"adult_case_id": mother, **ASKED}
        answers = [await site("officer").post(f"/api/cases/{child}/guardians", key=key, json=sent) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert [one["link_id"] for one in (await site("colleague").get("/api/guardians")).json()["items"]] == [
            answers[0].json()["link_id"]
        ]


class TestPersonalData:
    async def test_the_export_has_the_own_belonging_and_no_other_case(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site)
        await confirmed(site, await a_proposal(site, child, mother))

        made = await export(site, child)

        assert [(one["case_id"], one["others"]) for one in made["households"]] == [(child, 1)]
        assert [(one["role"], one["relation"], one["state"]) for one in made["guardians"]] == [
            ("child", "mother", "confirmed")
        ]
        assert mother not in str(made)

    async def test_erasing_one_leaves_the_others(self, site: Site) -> None:
        child, mother = await a_child(site), await a_case(site, full_name="Melati Putih")
        await confirmed(site, await a_proposal(site, child, mother))
        await erased(site, mother)

        made = await export(site, child)
        assert made["cases"][0]["identity"]["full_name"]
        assert [one["household_id"] for one in made["households"]] == [(await household(site, child))["household_id"]]
        assert "Melati" not in str(await household(site, child))


def chosen(page: httpx2.Response, *fields: str) -> list[str]:
    """What stands chosen in these selects of a page; the first where nothing is."""
    found = []
    for field in fields:
        options = page.text.partition(f'<select id="f-{field}"')[2].partition("</select>")[0]
        found += re.findall(r'value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)[:1]
    return found


class TestPages:
    async def test_show_link_confirm_and_unlink(self, site: Site, clock: FixedClock) -> None:
        child, mother = await a_child(site), await a_case(site)
        form = {"adult": mother, "relation": "sibling", "proof": "family_card"}
        empty = await site("officer").get(f"/id/keluarga/{child}")
        assert chosen(empty, "relation", "proof") == ["not_stated", "none"]
        wrong = await site("officer").post(f"/id/keluarga/{child}/wali", data={**form, "adult": child})
        assert (wrong.status_code, chosen(wrong, "relation", "proof")) == (422, ["sibling", "family_card"])
        asked = await site("officer").post(f"/id/keluarga/{child}/wali", data=form)
        assert asked.status_code == 303
        [link] = (await household(site, child))["guardians"]
        assert link["state"] == "proposed"
        own = await site("officer").post(f"/id/wali/{link['link_id']}", data={"decision": "confirmed", "version": "1"})
        assert own.status_code == 422
        assert "Petugas lain" in own.text
        listed = await site("colleague").get("/id/wali")
        assert f"/keluarga/{child}" in listed.text
        other = await site("colleague").post(
            f"/id/wali/{link['link_id']}", data={"decision": "confirmed", "version": "1"}
        )
        assert other.status_code == 303
        shown = await site("officer").get(f"/id/keluarga/{child}")
        assert labels.case_code(mother) in shown.text
        stale = await site("officer").post(
            f"/id/wali/{link['link_id']}", data={"unlink": "not_related", "version": "1"}
        )
        assert stale.status_code == 409
        done = await site("officer").post(f"/id/wali/{link['link_id']}", data={"unlink": "not_related", "version": "2"})
        assert done.status_code == 303
        stale = await site("officer").post(f"/id/keluarga/{child}/pisah", data={"reason": "in_error", "version": "0"})
        assert (stale.status_code, chosen(stale, "reason")) == (409, ["in_error"])
        parted = await site("officer").post(f"/id/keluarga/{child}/pisah", data={"reason": "in_error", "version": "1"})
        assert parted.status_code == 303
        clock.advance(timedelta(seconds=1))
        joined_ = await site("officer").post(f"/id/keluarga/{child}", data={"with": mother, "version": "0"})
        assert joined_.status_code == 303, joined_.text

    async def test_say_what_is_wrong_beside_what_was_typed(self, site: Site) -> None:
        child = await a_child(site)
        answer = await site("officer").post(f"/en/keluarga/{child}", data={"with": "nobody", "version": "0"})
        assert answer.status_code == 422
        assert "nobody" in answer.text
