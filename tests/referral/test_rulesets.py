"""Versions of the rules: drafted, tried, put in force by two people, and in use at once."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import openpyxl
import orjson
import pytest

from services.referral import rules
from services.referral.actions import ruling
from services.referral.actions.answering import Answer
from services.referral.actions.routing import Routing
from services.referral.domain import escalations, rulesets
from services.referral.domain.rulesets import RuleSet
from services.referral.rules import sheets
from services.referral.store import rulesets as store
from shared.kit.actor import Actor, system
from tests.conftest import DatabaseUrls
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import START, an_arrival
from tests.referral.test_directory import referral

SHIPPED = rules.load(rules.latest())
ANI, BUDI = PEOPLE["coordinator"], Actor("koordinator.2", "KP2MI", frozenset({"coordinator"}))


def edited(**cells: str) -> bytes:
    """The shipped rules with other cells in the row of terms of the sick."""
    text = orjson.loads(SHIPPED.text)
    terms = next(node["content"]["rules"] for node in text["nodes"] if node["id"] == "terms")
    next(row for row in terms if row["_id"] == "terms-sick").update(cells)
    return orjson.dumps(text)


@pytest.fixture
async def entered(desk: Desk) -> Desk:
    """With the shipped version in force."""
    async with desk.database.work(system("referral", "rules"), purpose="start") as work:
        await store.enter_shipped(work, SHIPPED.version, SHIPPED.text)
    return desk


async def step(desk: Desk, who: Actor, act: str, *arguments: object) -> RuleSet:
    async with desk.database.work(who, purpose="keep_rules") as work:
        found: RuleSet = await getattr(ruling, act)(work, *arguments)
    return found


async def put_in_force(desk: Desk, version: str, body: bytes) -> None:
    await step(desk, ANI, "draft_rules", version, body)
    await step(desk, ANI, "note_tried", version)
    await step(desk, ANI, "ask_activation", version)
    await step(desk, BUDI, "activate_rules", version)


async def states(desk: Desk) -> dict[str, str]:
    return {row["version"]: row["state"] for row in await desk.rows("SELECT version, state FROM rule_sets")}


class TestVersions:
    async def test_what_is_shipped_is_in_force_until_people_say_otherwise(self, entered: Desk) -> None:
        async with entered.database.work(system("referral", "rules"), purpose="start") as work:
            await store.enter_shipped(work, "2099-01", edited(decide="47.75"))  # a later release

        assert await states(entered) == {SHIPPED.version: "active", "2099-01": "draft"}

    async def test_is_in_force_after_two_people_and_retires_the_one_before(self, entered: Desk) -> None:
        await put_in_force(entered, "quick", edited(decide="47.75"))

        assert await states(entered) == {SHIPPED.version: "retired", "quick": "active"}
        assert [kind for kind in await entered.told() if kind == "rules_changed"] == ["rules_changed"] * 5

    async def test_running_services_decide_by_it_within_two_seconds(self, entered: Desk) -> None:
        await entered.open(an_arrival("SICK"))
        await put_in_force(entered, "quick", edited(decide="47.75"))
        entered.clock.advance(timedelta(seconds=2))

        await entered.open(an_arrival("SICK"))

        rows = await entered.rows(
            "SELECT e.rules_version FROM referrals r JOIN explanations e ON e.digest = r.explanation"
            " ORDER BY r.opened_at"
        )
        assert [row["rules_version"] for row in rows] == [SHIPPED.version, "quick"]

    async def test_say_how_urgent_a_need_is_for_gaps_and_for_the_ladder(self, entered: Desk) -> None:
        """The list of needs has who is sick before old people; these rules have it the other way round."""
        await put_in_force(entered, "unhurried", edited(urgency="3"))
        entered.clock.advance(timedelta(seconds=2))
        await entered.open(an_arrival("SICK"))
        [row] = await entered.rows("SELECT agency_id FROM assignments")
        await entered.answer("decline", row["agency_id"], Answer(await entered.live(), reason="person_refused"))
        [waiting] = await entered.rows("SELECT due_at - opened_at AS time FROM escalations")
        await entered.rows("UPDATE agencies SET suspended_at = now(), changed_at = changed_at + interval '1 minute'")
        entered.clock.advance(timedelta(seconds=2))
        for need in ("SICK", "ELDER"):
            await entered.open(an_arrival(need))
            entered.clock.advance(timedelta(minutes=1))
        await entered.rows("UPDATE agencies SET suspended_at = NULL, changed_at = changed_at + interval '1 minute'")

        await entered.reroute()

        assert waiting["time"] == escalations.WITHIN["agency_supervisor"]
        told = await entered.rows("SELECT payload FROM journal WHERE type = 'referral.gap_closed.v1' ORDER BY position")
        assert [orjson.loads(row["payload"])["data"]["need"] for row in told] == ["ELDER", "SICK"]

    async def test_say_by_which_hours_an_agency_answers_and_helps(self, entered: Desk) -> None:
        text = orjson.loads(edited(decide="47.75"))
        terms = next(node["content"]["rules"] for node in text["nodes"] if node["id"] == "terms")
        next(row for row in terms if row["_id"] == "terms-wage").update(counted='"always"')
        await put_in_force(entered, "restless", orjson.dumps(text))
        entered.clock.advance(timedelta(seconds=2))
        await entered.open(an_arrival("WAGE"))
        asked_at = entered.clock.now()

        [row] = await entered.rows("SELECT agency_id, answer_due_at FROM assignments")
        await entered.answer("accept", row["agency_id"], Answer(await entered.live()))

        [helping] = await entered.rows("SELECT service_due_at FROM assignments")
        assert row["answer_due_at"] == asked_at + timedelta(hours=6)
        assert helping["service_due_at"] == asked_at + timedelta(hours=72)

    async def test_make_a_need_the_case_teams_alone(self, entered: Desk) -> None:
        text = orjson.loads(edited(decide="47.75"))
        terms = next(node["content"]["rules"] for node in text["nodes"] if node["id"] == "terms")
        next(row for row in terms if row["_id"] == "terms-wage").update(visibility='"restricted"')
        await entered.open(an_arrival("WAGE"))
        await put_in_force(entered, "discreet", orjson.dumps(text))
        entered.clock.advance(timedelta(seconds=2))
        await entered.open(an_arrival("WAGE"))

        rows = await entered.rows("SELECT restricted FROM referrals ORDER BY opened_at")
        assert [row["restricted"] for row in rows] == [False, True]

    async def test_is_compiled_once_in_a_process(self, entered: Desk) -> None:
        await put_in_force(entered, "quick", edited(decide="47.75"))
        entered.clock.advance(timedelta(seconds=2))
        other = Routing(SHIPPED)
        for routing in (entered.routing, other):
            async with entered.database.work(system("referral", "consumer"), purpose="hear") as work:
                await routing.router(work)

        assert entered.routing.rules is other.rules

    async def test_one_person_alone_does_not_suffice(self, entered: Desk) -> None:
        await step(entered, ANI, "draft_rules", "quick", edited(decide="47.75"))
        await step(entered, ANI, "note_tried", "quick")
        await step(entered, ANI, "ask_activation", "quick")

        with pytest.raises(rulesets.RulesNeedAnother):
            await step(entered, ANI, "activate_rules", "quick")

        assert (await states(entered))["quick"] == "tried"

    async def test_the_database_itself_refuses_one_person_alone_and_two_in_force(self, entered: Desk) -> None:
        await step(entered, ANI, "draft_rules", "quick", edited(decide="47.75"))
        alone = "UPDATE rule_sets SET asked_by = 'a', activated_by = 'a' WHERE version = 'quick'"
        second = "UPDATE rule_sets SET state = 'active', tried_at = now(), activated_at = now() WHERE version = 'quick'"

        for statement, constraint in (
            (alone, "rules_take_two_people"),
            (second, "one_version_of_the_rules_is_in_force"),
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
                async with entered.database.work(ANI, purpose="test") as work:
                    await work.connection.execute(statement)
            assert refused.value.constraint_name == constraint

    async def test_has_to_be_tried_and_asked_for_first(self, entered: Desk) -> None:
        await step(entered, ANI, "draft_rules", "quick", edited(decide="47.75"))

        with pytest.raises(rulesets.RulesNotThere):
            await step(entered, ANI, "ask_activation", "quick")
        await step(entered, ANI, "note_tried", "quick")
        with pytest.raises(rulesets.RulesNotThere):
            await step(entered, BUDI, "activate_rules", "quick")

    async def test_a_name_or_the_same_tables_are_taken_once(self, entered: Desk) -> None:
        with pytest.raises(rulesets.RulesKnown):
            await step(entered, ANI, "draft_rules", SHIPPED.version, edited(decide="47.75"))
        with pytest.raises(rulesets.RulesKnown):
            await step(entered, ANI, "draft_rules", "again", SHIPPED.text)

    async def test_what_could_not_decide_is_not_even_a_draft(self, entered: Desk) -> None:
        with pytest.raises(ruling.RulesUnusable) as refused:
            await step(entered, ANI, "draft_rules", "bad", edited(need='"SICKK"'))

        assert {f.reason for f in refused.value.findings} == {"unknown_code", "no_terms"}
        assert "bad" not in await states(entered)

    def test_every_step_that_is_not_in_the_table_is_refused(self) -> None:
        found = RuleSet("v", "draft", b"", "ani", START)

        for state in ("draft", "tried", "active", "retired"):
            for event, act in (
                ("tried", lambda r: rulesets.tried(r, now=START)),
                ("activation_asked", lambda r: rulesets.ask(r, by="ani", now=START)),
                ("activated", lambda r: rulesets.activate(replace(r, asked_by="ani"), by="budi", now=START)),
                ("retired", lambda r: rulesets.retire(r, now=START)),
            ):
                to = rulesets.MOVES.get((state, event))  # type: ignore[call-overload]
                if to is None:
                    with pytest.raises(rulesets.RulesNotThere):
                        act(replace(found, state=state))  # type: ignore[arg-type]
                else:
                    assert act(replace(found, state=state)).state == to  # type: ignore[arg-type]


class TestApi:
    async def test_from_a_draft_to_the_question_for_a_second_person(self, site: Site, entered: Desk) -> None:
        ani = site("coordinator")
        await entered.open(*[an_arrival("SICK") for _ in range(20)])

        drafted = await ani.send(
            "POST",
            "/api/rules?version=quick",
            key="d",
            json=orjson.loads(edited(decide="47.75")),
        )
        tried = await ani.send("POST", "/api/rules/quick/tries", key="t")
        asked = await ani.send("POST", "/api/rules/quick/activation-requests", key="a")
        alone = await ani.send("POST", "/api/rules/quick/activations", key="b")

        assert drafted.status_code == 201, drafted.text
        assert [line["needs"] for line in tried.json()["result"]["deadlines"]] == [20]
        assert asked.json()["asked"]
        assert (alone.status_code, alone.json()["code"]) == (409, "rules_need_another")

    async def test_findings_are_named_at_their_cells(self, site: Site, entered: Desk) -> None:
        answer = await site("coordinator").send(
            "POST",
            "/api/rules?version=bad",
            json=orjson.loads(edited(need='"SICKK"')),
        )

        assert answer.status_code == 422
        assert "/terms/terms-sick/need" in answer.text

    async def test_from_a_workbook_and_from_one_table_as_csv(self, site: Site, entered: Desk) -> None:
        ani = site("coordinator")
        path = f"/api/rules/{SHIPPED.version}"
        book = openpyxl.load_workbook(io.BytesIO((await ani.get(f"{path}/workbook")).content))
        book["terms"]["I2"] = 1.75
        table = (await ani.get(f"{path}/tables/terms")).text.replace("0.25,0.75,4,", "0.25,1.75,4,", 1)
        out = io.BytesIO()
        book.save(out)

        by_book = await ani.send(
            "POST", "/api/rules?version=book", content=out.getvalue(), headers={"content-type": sheets.XLSX}
        )
        by_csv = await ani.send(
            "POST", "/api/rules?version=csv&table=terms", content=table.encode(), headers={"content-type": "text/csv"}
        )
        formula = await ani.send(
            "POST",
            "/api/rules?version=bad&table=terms",
            content=table.replace(",UAC,", ",=1,", 1).encode(),
            headers={"content-type": "text/csv"},
        )

        assert by_book.status_code == 201, by_book.text
        assert (by_csv.status_code, by_csv.json()["code"]) == (409, "rules_known")  # they say the same
        assert formula.status_code == 422
        assert "/terms/C2" in formula.text

    async def test_everybody_may_read_by_which_rules_is_decided(self, site: Site, entered: Desk) -> None:
        listed = (await site("worker").get("/api/rules")).json()["items"]
        [active] = [item for item in listed if item["state"] == "active"]

        assert (await site("worker").get(f"/api/rules/{active['version']}")).content == SHIPPED.text


def test_the_command_line_drafts_what_was_edited_in_a_spreadsheet(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    workbook, jdm = tmp_path / "rules.xlsx", tmp_path / "rules.json"

    exported = referral(database_urls, "rules", "export", SHIPPED.version, str(workbook))
    assert exported.returncode == 0, exported.stderr
    book = openpyxl.load_workbook(workbook)
    book["terms"]["I2"] = 1.75
    book.save(workbook)
    drafted = referral(database_urls, "rules", "draft", "quick", str(workbook))
    referral(database_urls, "rules", "export", "quick", str(jdm))
    book["terms"]["I2"] = "=1+1"
    book.save(workbook)
    refused = referral(database_urls, "rules", "draft", "worse", str(workbook))

    assert drafted.stdout == "quick\tdraft\n", drafted.stderr
    assert orjson.loads(jdm.read_bytes())["nodes"][1]["content"]["rules"][0]["decide"] == "1.75"
    assert refused.returncode == 1
    assert "terms I2: is a formula" in refused.stderr
    assert [line.split("\t")[:2] for line in referral(database_urls, "rules", "list").stdout.splitlines()] == [
        ["quick", "draft"]
    ]
