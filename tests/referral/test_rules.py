"""The rules in force: every row is hit by an example, every cell compiles, the same facts give the same answer."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral import rules
from services.referral.domain.agencies import Agency, Directory, agency_id, directory
from services.referral.domain.routing import Considered, Facts
from services.referral.rules import checks, lint, reasons
from services.referral.rules.findings import BadRules
from services.referral.store import agencies
from shared.contracts import codes
from shared.kit import words
from shared.kit.actor import system
from tests.referral.conftest import Desk

VERSION = rules.latest()
RULES = rules.load(VERSION)
TEXT = (rules.FOLDER / f"{VERSION}.json").read_bytes()
PORT, HOME = "65.03", "73.08"
EXAMPLES = [
    Facts(need, age, PORT, home, consent)
    for need, age, home, consent in itertools.product(
        codes.needs(), ("child", "adult", "elderly", "unknown"), (HOME, None), (False, True)
    )
]
"""Everybody who could land at Nunukan."""


def everywhere() -> Directory:
    """A directory that has each kind the rules name, at the port and at home."""
    found: list[Agency] = []
    for row in RULES.rows:
        regions: list[str | None] = [None]
        if row.level != "national":
            regions = [region if row.level == "regency" else region[:2] for region in (PORT, HOME)]
        found += [
            Agency(agency_id(row.kind, r), row.kind, row.level, r, row.kind, "Asia/Makassar", True, False)
            for r in regions
        ]
    return directory(found, datetime(2026, 11, 23, tzinfo=UTC))


ANYWHERE = everywhere()


@pytest.mark.parametrize("row", RULES.rows, ids=lambda row: row.id)
def test_every_row_is_hit_by_an_example(row: lint.Row) -> None:
    hits = [
        c
        for facts in EXAMPLES
        for c in RULES.decide(facts, ANYWHERE).considered
        if c.row == row.id and c.why_not is None
    ]

    assert hits


@pytest.mark.parametrize("need", codes.needs())
def test_every_need_has_the_times_of_the_file_and_a_national_backstop(need: str) -> None:
    known = codes.needs()[need]

    for age, home in itertools.product(("child", "adult", "elderly", "unknown"), (HOME, None)):
        decision = RULES.decide(Facts(need, age, PORT, home), ANYWHERE)
        assert {(c.answer_hours, c.service_hours) for c in decision.candidates} == {
            (known.answer_hours, known.service_hours)
        }
        assert "-" not in decision.candidates[-1].agency_id


@pytest.mark.parametrize("facts", EXAMPLES, ids=str)
def test_an_earlier_version_gives_the_same_times_by_fewer_words(facts: Facts) -> None:
    earlier, now = (rules.load(version).decide(facts, ANYWHERE) for version in ("2026-11", VERSION))

    assert [(c.agency_id, c.answer_hours, c.service_hours) for c in earlier.candidates] == [
        (c.agency_id, c.answer_hours, c.service_hours) for c in now.candidates
    ]


@pytest.mark.parametrize("facts", EXAMPLES, ids=str)
def test_the_need_of_a_child_and_what_the_case_team_alone_may_see_are_restricted(facts: Facts) -> None:
    terms = RULES.decide(facts, ANYWHERE).terms

    assert terms is not None
    is_child = facts.age_band in {"child", "unknown"}
    assert (terms.visibility == "restricted") is (is_child or codes.needs()[facts.need].restricted)


@pytest.mark.parametrize("need", codes.needs())
def test_civil_society_is_asked_by_consent_only(need: str) -> None:
    without = RULES.decide(Facts(need, "adult", PORT, HOME), ANYWHERE)
    with_consent = RULES.decide(Facts(need, "adult", PORT, HOME, consent=True), ANYWHERE)

    assert not any(c.agency_id.startswith("CSO-") for c in without.candidates)
    assert any(c.agency_id.startswith("CSO-") for c in with_consent.candidates)
    assert all(
        c.failed == ("consent",) for c in without.considered if c.kind.startswith("CSO-")
    )  # and it says what is missing


def test_nothing_is_ever_routed_to_the_police() -> None:
    assert not any("POL" in row.kind for row in RULES.rows)


def test_a_child_alone_is_the_ports_first_and_then_the_homes() -> None:
    asked = [c.agency_id for c in RULES.decide(Facts("UAC", "child", PORT, HOME), ANYWHERE).candidates]

    assert asked[:5] == ["DP3AP2KB-65.03", "UPTDPPA-65.03", "DP3AP2KB-65", "UPTDPPA-73.08", "DP3AP2KB-73"]


def test_somebody_from_the_port_itself_has_no_office_twice() -> None:
    asked = [c.agency_id for c in RULES.decide(Facts("SICK", "adult", PORT, PORT), ANYWHERE).candidates]

    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("facts", EXAMPLES[::7], ids=str)
@pytest.mark.parametrize(("version", "form"), [("2026-11", 1), ("2026-11", 2), (VERSION, 3)])
def test_the_stored_facts_under_the_stored_version_give_the_same_answer(facts: Facts, version: str, form: int) -> None:
    stored = rules.load(version).decide(facts, ANYWHERE, form=form)

    read = rules.read(stored.body)
    again = rules.load(read.rules_version).replay(
        read, {(a.agency_id, a.version): a for a in ANYWHERE.agencies.values()}
    )

    assert (read.candidates, read.terms) == (stored.candidates, stored.terms)
    assert again.body == stored.body


class TestEntry:
    """What an office says of itself decides with the rules, and is part of why."""

    FACTS = Facts("SICK", "adult", PORT, HOME, sex="F")

    def first(self, **says: Any) -> Considered:
        """What becomes of the office that would be asked first, when its entry says this."""
        first = RULES.decide(self.FACTS, ANYWHERE).candidates[0].agency_id
        entry = replace(ANYWHERE.agencies[first], version=7, **says)
        decision = RULES.decide(self.FACTS, replace(ANYWHERE, agencies={**ANYWHERE.agencies, first: entry}))
        return next(c for c in decision.considered if c.agency_id == first)

    @pytest.mark.parametrize(
        ("says", "clause"),
        [
            ({"needs": ("WAGE",)}, "need"),
            ({"sexes": ("M",)}, "sex"),
            ({"max_age": 17}, "age"),
            ({"serves": ("31",)}, "regency"),
            ({"is_current": False}, "period"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_that_does_not_take_the_person_is_passed_over_and_says_why(self, says: dict[str, Any], clause: str) -> None:
        passed_over = self.first(**says)

        assert (passed_over.why_not, passed_over.unmet, passed_over.entry) == ("not_eligible", (clause,), 7)

    def test_that_takes_the_person_is_asked(self) -> None:
        assert self.first(needs=("SICK",), sexes=("F",), serves=(HOME,)).why_not is None

    def test_says_how_far_it_is(self) -> None:
        near = next(c for c in RULES.decide(self.FACTS, ANYWHERE).considered if c.agency_id == f"DINKES-{HOME[:2]}")

        # Maros to the middle of South Sulawesi.
        assert near.km is not None
        assert 50 < near.km < 250


async def test_every_kind_of_the_rules_is_in_the_directory_of_all_regions(desk: Desk) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        found = directory(await agencies.list_agencies(work), await agencies.changed_at(work))

    for row in RULES.rows:
        regions: list[Any] = [None]
        if row.level != "national":
            regions = list(codes.regencies() if row.level == "regency" else codes.provinces())
        assert all(found.find(row.kind, region) for region in regions), row.id


async def test_every_need_from_every_regency_reaches_somebody(desk: Desk) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        found = directory(await agencies.list_agencies(work), await agencies.changed_at(work))

    for need, home in itertools.product(codes.needs(), [*list(codes.regencies())[::9], None]):
        assert RULES.decide(Facts(need, "adult", "21.71", home), found).candidates


@pytest.mark.parametrize("fault", ["need", "age_band", "port_regency", "origin_regency"])
def test_facts_of_the_wrong_kind_are_refused_and_never_match_nothing(fault: str) -> None:
    facts = replace(EXAMPLES[0], **{fault: "?"})  # type: ignore[arg-type]

    with pytest.raises(rules.FactsUnusable, match=fault):
        RULES.decide(facts, ANYWHERE)


def test_a_router_evaluates_the_same_facts_once() -> None:
    router = rules.Router(RULES, ANYWHERE)

    for _ in range(100):
        for facts in EXAMPLES[:5]:
            router.decide(facts)

    assert router.evaluations == 5


class TestLint:
    def changed(self, table: str, **cells: str) -> bytes:
        text = orjson.loads(TEXT)
        node = next(node for node in text["nodes"] if node["id"] == table)
        node["content"]["rules"][0].update(cells)
        return orjson.dumps(text)

    @pytest.mark.parametrize(
        ("table", "cells", "said"),
        [
            ("candidates", {"age": '"child'}, "candidates uac-1 age_band: cannot be read"),
            ("candidates", {"kind": "foo("}, "candidates uac-1 kind: holds nothing that has a value"),
            ("candidates", {"kind": ""}, "candidates uac-1 kind: is empty"),
            ("candidates", {"level": '"village"'}, "candidates uac-1: kind, level and place do not belong together"),
            ("candidates", {"place": '"nation"'}, "candidates uac-1: kind, level and place do not belong together"),
            ("candidates", {"need": ""}, "candidates uac-1 need: does not say for which needs it is"),
            ("candidates", {"_id": "uac-2"}, "candidates uac-2: has the id of another row"),
            ("candidates", {"_id": ""}, "candidates #1: has no id"),
            ("candidates", {"_description": "a\nb"}, "candidates uac-1: holds a cell that is no text"),
            ("terms", {"decide": "1/"}, "terms terms-uac decide_hours: holds nothing that has a value"),
        ],
    )
    def test_refuses_a_bad_cell_by_table_row_and_column(self, table: str, cells: dict[str, str], said: str) -> None:
        with pytest.raises(BadRules) as refused:
            lint.tables("bad", self.changed(table, **cells))

        assert said in str(refused.value)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda jdm: jdm.update(settings={}), "holds settings, which says nothing here"),
            (lambda jdm: jdm["nodes"][1]["content"].update(passThrough=True), "terms: holds passThrough"),
            (lambda jdm: jdm["nodes"][1]["content"]["rules"][0].update(usia="5"), "terms terms-uac: holds usia"),
            (lambda jdm: jdm["nodes"][1]["content"]["inputs"][0].update(type="number"), "terms: holds type"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, change: Callable[[Any], object], said: str) -> None:
        jdm = orjson.loads(TEXT)
        change(jdm)

        with pytest.raises(BadRules) as refused:
            lint.tables("bad", orjson.dumps(jdm))

        assert said in str(refused.value)

    @pytest.mark.parametrize(
        "text", [b"", b"[]", b"{}", b'{"nodes": 1}', b'{"nodes": [1]}', b'{"nodes": [{"id": "a"}]}']
    )
    def test_refuses_what_is_no_jdm(self, text: bytes) -> None:
        with pytest.raises(BadRules, match="no decision tables in JDM"):
            lint.tables("bad", text)

    def test_refuses_a_node_that_runs_code(self) -> None:
        text = orjson.loads(TEXT)
        text["nodes"].append({"id": "f", "type": "functionNode", "name": "f", "content": {"source": ""}})

        with pytest.raises(BadRules, match="functionNode"):
            lint.tables("bad", orjson.dumps(text))

    def test_refuses_another_hit_policy(self) -> None:
        with pytest.raises(BadRules, match="collect"):
            lint.tables("bad", TEXT.replace(b'"hitPolicy": "collect"', b'"hitPolicy": "first"'))


class TestChecks:
    """What the engine would swallow is refused by name, with what to do."""

    def text(self, change: Callable[[dict[str, list[dict[str, str]]]], object]) -> bytes:
        """The rules in force, changed: table to rows."""
        text = orjson.loads(TEXT)
        change({n["id"]: n["content"]["rules"] for n in text["nodes"] if n["type"] == "decisionTableNode"})
        return orjson.dumps(text)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda t: t["terms"][0].update(need='"UACC"'), "terms terms-uac need: a code that there is not"),
            (lambda t: t["terms"][0].update(sex='"W"'), "terms terms-uac sex: a code that there is not"),
            (lambda t: t["terms"][0].update(decide='"soon"'), "terms terms-uac decide_hours: is no time"),
            (lambda t: t["terms"][0].update(service="0"), "terms terms-uac service_hours: is no time"),
            (
                lambda t: t["terms"][0].update(service="1.5"),
                "terms terms-uac service_hours: is no time that can be kept; write 8760 hours at most, in whole",
            ),
            (
                lambda t: t["terms"][0].update(decide="0.1"),
                "terms terms-uac decide_hours: is no time that can be kept; write 720 hours at most, in quarters",
            ),
            (
                lambda t: t["terms"][0].update(decide="1"),
                "terms terms-uac decide_hours: with the time to open it makes no whole hours",
            ),
            (lambda t: t["terms"][0].update(urgency="4"), "terms terms-uac urgency: is none of 1, 2, 3"),
            (lambda t: t["terms"][0].update(urgency="true"), "terms terms-uac urgency: is none of 1, 2, 3"),
            (lambda t: t["terms"][0].update(counted='"working"'), "terms terms-uac counted: of urgency 1 all hours"),
            (lambda t: t["terms"][0].update(visibility='"normal"'), "terms terms-uac visibility: holds for a child"),
            (lambda t: t["terms"][5].update(visibility='"specific"'), "terms-sick-child visibility: holds for a child"),
            (lambda t: t["terms"][0].update(basis='""'), "terms terms-uac basis: is none of consent"),
            (
                lambda t: t["terms"][-2].update(consent='"person_before_asking"'),
                "terms terms-need consent: lets nobody be asked before a consent",
            ),
            (
                lambda t: t["terms"][6].update(consent='"person_before_asking"'),
                "terms terms-sick consent: lets nobody be asked before a consent",
            ),
            (lambda t: t["candidates"][0].update(age='"infant"'), "uac-1 age_band: a code that there is not"),
            (lambda t: t["candidates"][0].update(consent='"yes"'), "uac-1 consent: a code that there is not"),
            (lambda t: t["candidates"][0].update(consent="1"), "uac-1 consent: holds for nothing"),
            (lambda t: t["candidates"][0].update(need="> 5"), "uac-1 need: holds for nothing"),
            (lambda t: t["terms"][1].update(need='"CHILD", "UAC"'), "terms-child: also holds where the row terms-uac"),
            (lambda t: t["terms"].pop(0), "terms: no row holds for UAC child F true"),
            (lambda t: t["terms"][0].update(sex='"F"'), "terms: no row holds for UAC child M true"),
            (
                lambda t: t["candidates"].append({**t["candidates"][0], "_id": "again"}),
                "again: proposes the same office as the row uac-1",
            ),
            (
                lambda t: [row.update(consent="true") for row in t["candidates"] if row["level"] == '"national"'],
                "no row proposes a national office for UAC",
            ),
        ],
    )
    def test_refuse_with_row_and_column(self, change: Any, said: str) -> None:
        with pytest.raises(BadRules) as refused:
            rules.Rules("bad", self.text(change))

        assert said in str(refused.value)

    def test_name_everything_that_is_wrong_at_once(self) -> None:
        def change(tables: dict[str, list[dict[str, str]]]) -> None:
            tables["terms"][0]["need"] = '"UACC"'
            tables["candidates"][0]["consent"] = "1"

        with pytest.raises(BadRules) as refused:
            rules.Rules("bad", self.text(change))

        assert {(f.row, f.reason) for f in refused.value.findings} >= {
            ("terms-uac", "unknown_code"),
            ("uac-1", "never_holds"),
            ("", "no_terms"),
        }

    def test_refuse_a_kind_of_office_that_the_directory_has_not(self) -> None:
        tables = lint.tables("bad", TEXT)

        with pytest.raises(BadRules, match="no office of this kind"):
            checks.check("bad", tables, kinds={"DINSOS"})

    @given(st.data())
    def test_no_seeded_bad_cell_is_ever_taken(self, data: st.DataObject) -> None:
        def change(tables: dict[str, list[dict[str, str]]]) -> None:
            row = data.draw(st.sampled_from(tables[data.draw(st.sampled_from(["terms", "candidates"]))]))
            column = data.draw(st.sampled_from([name for name in row if not name.startswith("_")]))
            row[column] = data.draw(st.sampled_from(['"', "foo(", '"NOPE"', "[", "1/0", "true and", '""', "null"]))

        with pytest.raises(BadRules):
            checks.check("bad", lint.tables("bad", self.text(change)), kinds={row.kind for row in RULES.rows})


class TestSentences:
    """What stood in the way, and so what would have made an office eligible, from codes, in both languages."""

    def test_say_of_each_office_that_is_not_asked_why_in_both_languages(self) -> None:
        words.load(Path(reasons.__file__).parents[1] / "locale")
        first = RULES.decide(EXAMPLES[0], ANYWHERE).candidates[0].agency_id
        for change in (
            {"sexes": ("F",)},
            {"is_suspended": True},
            {"takes_referrals": False},
            {"is_current": False},
            {},
        ):
            found = {**ANYWHERE.agencies, first: replace(ANYWHERE.agencies[first], **change)}
            for facts in EXAMPLES:
                decision = RULES.decide(replace(facts, sex="M"), replace(ANYWHERE, agencies=found))
                for one in reasons.said(decision)["considered"]:
                    assert bool(one["why"]["id"]) is bool(one["why"]["en"]) is (one["why_not"] is not None)
                    assert one["why"]["id"] != one["why"]["en"] or not one["why"]["en"]

    @pytest.mark.parametrize(("clause", "cell"), [("sex", '"F"'), ("age", '"elderly"')])
    def test_know_every_clause_that_a_coordinator_may_write(self, clause: str, cell: str) -> None:
        text = orjson.loads(TEXT)
        rows = next(node["content"]["rules"] for node in text["nodes"] if node["id"] == "candidates")
        rows[0][clause] = cell
        decision = rules.Rules("sexes", orjson.dumps(text)).decide(replace(EXAMPLES[0], sex="M"), ANYWHERE)

        [said] = [one for one in reasons.said(decision)["considered"] if one["row"] == rows[0]["_id"]]

        assert said["why"]["en"].startswith("The rule is for people of another")

    def test_tell_the_terms_of_new_rules_and_the_hours_of_earlier_ones(self) -> None:
        now, before = (rules.load(v).decide(EXAMPLES[0], ANYWHERE) for v in (VERSION, "2026-11"))

        assert dict(reasons.terms("en", now)) == {
            "Urgency": "1",
            "To open it (h)": "0.25",
            "Then to answer (h)": "0.75",
            "To the first help (h)": "4",
            "Hours counted": "day and night",
            "Consent": "the guardian's, or an authorised agency's",
            "Seen by": "the case team only",
            "Lawful basis": "legal obligation",
        }
        assert dict(reasons.terms("en", before)) == {"To answer (h)": "1", "To the first help (h)": "4"}
