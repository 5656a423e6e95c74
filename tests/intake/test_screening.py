"""Questions by group, a rule from answers to needs, indicators that are scored and explained; a person decides."""

import copy
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import screening
from services.intake.domain.refusals.screening import AnswerUnknown, DecisionNeedsReason, LevelNotDecided
from services.intake.domain.screening import (
    ANSWERS,
    BY_OTHERS,
    POINTS_TO,
    Circumstances,
    Group,
    Screening,
    Trafficking,
    Unsound,
    assess,
    expect_decided,
    explain,
    questionnaire_of,
    to_add,
)
from services.intake.pages import labels
from services.intake.screening import FOLDER
from shared.contracts.codes import AgeBand, NeedCode, TraffickingDecision, TraffickingReason
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.correcting import a_proposal, confirmed, corrected
from tests.intake.factories import START
from tests.intake.test_erasures import erased, told

Site = Callable[[str], Browser]
NOW = screening.current()
IDS = sorted(NOW.ids)
BANDS: tuple[AgeBand, ...] = get_args(AgeBand)
SHOWN = {"sent_by_agent": "yes", "papers_taken": "yes", "unpaid_forced": "yes"}
TALK = {
    "questionnaire": NOW.version, "version": 1, "place": "ruang 2", "spoken_in": "Bugis", "interpreter": "interpreter",
    "alone": True,
}  # fmt: skip

answers_given = st.dictionaries(st.sampled_from(IDS), st.sampled_from(ANSWERS))


class TestAssess:
    @given(answers_given, st.sampled_from(BANDS))
    def test_proposes_a_need_exactly_where_an_answer_shows_it(self, answers: Any, band: AgeBand) -> None:
        found = assess(NOW, answers, age_band=band)

        shows = {question.id: question.shows for question in NOW.questions}
        for rule in NOW.rules:
            is_shown = any(answers.get(name) == shows[name] for name in rule.any)
            applies = rule.of is None or band in ("child", "unknown")
            assert (rule.need in found.proposed) == (is_shown and applies)
            assert set(found.because.get(rule.need, ())) <= set(rule.any)
        assert set(found.open) == NOW.ids - answers.keys()
        assert not BY_OTHERS & set(found.proposed)

    @given(answers_given, st.sampled_from(IDS))
    def test_another_answer_that_shows_something_takes_nothing_away(self, answers: Any, more: str) -> None:
        shows = {question.id: question.shows for question in NOW.questions}
        before = assess(NOW, answers, age_band="adult")
        after = assess(NOW, {**answers, more: shows[more]}, age_band="adult")

        assert set(before.proposed) <= set(after.proposed)
        assert before.trafficking.score <= after.trafficking.score

    def test_declined_and_unknown_point_to_nothing(self) -> None:
        for answer in ("declined", "unknown"):
            found = assess(NOW, dict.fromkeys(IDS, answer), age_band="child")
            assert (found.proposed, found.trafficking.level) == ((), "none")

    @pytest.mark.parametrize("answers", [{"hurt_now": "maybe"}, {"no_such_question": "yes"}])
    def test_refuses_what_is_not_asked(self, answers: Any) -> None:
        with pytest.raises(AnswerUnknown):
            assess(NOW, answers, age_band="adult")


class TestTrafficking:
    def level(self, *shown: str, band: AgeBand = "adult") -> Trafficking:
        return assess(NOW, dict.fromkeys(shown, "yes"), age_band=band).trafficking

    def test_is_indicated_by_act_means_and_purpose_together(self) -> None:
        """UU 21/2007 Art 1: each of the three has to be there, whatever the score."""
        by_element = {
            element: [one.question for one in NOW.indicators if one.element == element]
            for element in ("act", "means", "purpose")
        }
        for act, means, purpose in product(*by_element.values()):
            assert self.level(act, means, purpose).level == "indicated"
            assert self.level(means, purpose).level == "possible"
            assert self.level(act, means).level != "indicated"

    def test_of_a_child_needs_no_means(self) -> None:
        for band in BANDS:
            expected = "indicated" if band in ("child", "unknown") else "possible"
            assert self.level("sent_by_agent", "unpaid_forced", band=band).level == expected

    def test_says_which_answers_weigh_most(self) -> None:
        found = self.level("no_choice", "sexual_use", "sent_by_agent")

        assert found.shown == ("sexual_use", "sent_by_agent", "no_choice")
        assert (found.score, found.elements) == (7, ("act", "means", "purpose"))

    def test_of_one_weak_indicator_is_none(self) -> None:
        assert self.level("no_choice").level == "none"

    def test_is_decided_by_a_person_who_says_why_it_is_otherwise(self) -> None:
        levels: tuple[Any, ...] = ("indicated", "possible", "none")
        decisions: tuple[TraffickingDecision, ...] = get_args(TraffickingDecision)
        for level, decision in product(levels, decisions):
            shown = Trafficking(level, 5, (), ())
            if level != "none" and decision == "not_asked":
                with pytest.raises(LevelNotDecided):
                    expect_decided(shown, decision, "no_private_room")
                continue
            expect_decided(shown, decision, "explained_otherwise")
            if decision not in POINTS_TO[level]:
                with pytest.raises(DecisionNeedsReason):
                    expect_decided(shown, decision, None)


class TestExplain:
    @given(answers_given, st.sampled_from(BANDS))
    def test_says_of_a_kept_talk_what_was_said_when_it_was_decided(self, answers: Any, band: AgeBand) -> None:
        found = assess(NOW, answers, age_band=band)
        told = found.trafficking
        kept = Screening(
            *("s", "c", NOW.version, "rina", START, Circumstances("ruang 2", "Bugis", "none", alone=True)),
            *(found.proposed, (), told.level, told.score, "not_asked", None),
        )

        assert explain(NOW, kept, answers) == found


def test_adds_what_was_chosen_and_never_what_follows_from_age() -> None:
    every: tuple[NeedCode, ...] = get_args(NeedCode)

    assert set(to_add(every, ["SICK"], "not_indicated")) == set(every) - BY_OTHERS - {"TIP", "SICK"}
    assert to_add([], [], "indicated") == ("TIP",)
    assert to_add([], ["TIP"], "indicated") == ()


class TestQuestionnaire:
    @pytest.mark.parametrize("version", screening.versions())
    def test_of_every_version_is_sound(self, version: str) -> None:
        assert screening.load(version).version == version

    @pytest.mark.parametrize(
        ("path", "value", "said"),
        [
            (("rules", 0, "any", 0), "nobody_asks", "no question"),
            (("rules", 0, "need"), "UAC", "no answer decides"),
            (("sections", 0, "questions", 1, "id"), "hurt_now", "twice"),
            (("sections", 0, "questions", 1, "en_text"), "", "lacks words"),
            (("sections", 0, "group"), "others", "unknown group"),
            (("trafficking", "indicators", 0, "element"), "means", "the act"),
            (("not_asked",), {}, "no rule leads to"),
        ],
    )
    def test_with_a_hole_is_refused_and_says_where(self, path: tuple[Any, ...], value: Any, said: str) -> None:
        broken = copy.deepcopy(orjson.loads((FOLDER / f"{NOW.version}.json").read_bytes()))
        place = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

        with pytest.raises(Unsound, match=said):
            questionnaire_of(broken)

    def test_has_words_for_every_code(self) -> None:
        assert set(labels.SCREENING_GROUPS) == set(get_args(Group))
        assert set(labels.TRAFFICKING_DECISIONS) == set(get_args(TraffickingDecision))
        assert set(labels.TRAFFICKING_REASONS) == set(get_args(TraffickingReason))
        assert set(labels.ANSWERS) == set(ANSWERS)


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A later version, which asks nothing of the one before in the same words."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    given = orjson.loads((FOLDER / f"{NOW.version}.json").read_bytes())
    for section in given["sections"]:
        for question in section["questions"]:
            question["id_text"] = question["en_text"] = "?"
    version = "2099-01"
    (tmp_path / f"{version}.json").write_bytes(orjson.dumps({**given, "version": version}))
    monkeypatch.setattr(screening, "FOLDER", tmp_path)
    screening.versions.cache_clear()
    yield version
    screening.versions.cache_clear()
    screening.load.cache_clear()


async def a_case(site: Site, **more: Any) -> str:
    person = {"full_name": "Siti binti Aman", "sex": "F", "birth_date": "1990", **more}
    answer = await site("officer").post("/api/arrivals", json=person)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def screened(site: Site, case_id: str, *, status: int = 201, actor: str = "officer", **said: Any) -> Any:
    answer = await site(actor).post(f"/api/arrivals/{case_id}/screenings", json={**TALK, **said})
    assert answer.status_code == status, answer.text
    return answer.json()


class TestScreening:
    async def test_adds_the_needs_that_were_chosen_and_keeps_the_answers_sealed(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        tried = await site("officer").post(
            f"/api/arrivals/{case_id}/screening-trial",
            json={"questionnaire": NOW.version, "answers": {**SHOWN, "hurt_now": "yes"}},
        )
        done = await screened(
            site, case_id, answers={**SHOWN, "hurt_now": "yes"}, needs=tried.json()["proposed"], decision="indicated"
        )
        answered = await site("officer").get(f"/api/screenings/{done['screening_id']}")

        assert tried.json()["trafficking"]["level"] == "indicated"
        assert tried.json()["because"]["SICK"] == ["hurt_now"]
        assert set(done["added"]) == {"SICK", "WAGE", "TIP"}
        assert answered.json()["answers"] == {**SHOWN, "hurt_now": "yes"}
        [corrected] = await told(database, case_id, "intake.needs_corrected.v1")
        assert (set(corrected["added"]), corrected["reason"]) == ({"SICK", "WAGE", "TIP"}, "assessed")
        [fact] = await told(database, case_id, "intake.arrival_screened.v1")
        assert (fact["decision"], fact["alone"], fact["interpreter"]) == ("indicated", True, "interpreter")
        row = await database.pool.fetchrow("SELECT sealed, place FROM screenings")
        assert b"papers_taken" not in bytes(row["sealed"])
        [read] = await told(database, case_id, "intake.person_record_read.v1")
        assert read["fields"] == ["screening_answers"]

    async def test_without_anything_new_adds_nothing_and_is_kept(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)

        done = await screened(site, case_id, answers={"hurt_now": "no"}, decision="not_indicated")

        assert done["added"] == []
        assert await told(database, case_id, "intake.needs_corrected.v1") == []

    async def test_on_an_arrival_that_has_changed_is_refused_and_says_who_was_first(self, site: Site) -> None:
        case_id = await a_case(site)
        await screened(site, case_id, answers={"hurt_now": "yes"}, needs=["SICK"], decision="not_indicated")

        refused = await screened(site, case_id, status=409, answers={}, needs=["WAGE"], decision="not_indicated")

        assert refused["code"] == "arrival_changed"
        assert "rina" in refused["detail"]

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"answers": SHOWN, "decision": "not_asked"}, "level_not_decided"),
            ({"answers": SHOWN, "decision": "not_indicated"}, "decision_needs_reason"),
            ({"answers": {"nobody_asks": "yes"}, "decision": "not_asked"}, "answer_unknown"),
            ({"answers": {}, "decision": "not_asked", "questionnaire": "2020-01"}, "questionnaire_unknown"),
        ],
    )
    async def test_that_is_not_whole_keeps_nothing(self, site: Site, database: Database, said: Any, code: str) -> None:
        case_id = await a_case(site)

        refused = await screened(site, case_id, status=422, **said)

        assert refused["code"] == code
        assert await database.pool.fetchval("SELECT count(*) FROM screenings") == 0

    async def test_stays_explained_by_its_own_version_whatever_is_asked_or_corrected_since(
        self, site: Site, newer: str
    ) -> None:
        case_id = await a_case(site, birth_date=None)
        answers = {**SHOWN, "child_papers": "no"}
        done = await screened(site, case_id, answers=answers, needs=["ATT"], decision="indicated")
        proposal_id = await a_proposal(site, case_id, version=2)
        assert (await confirmed(site, proposal_id, "colleague"))[0] == 200

        path = f"/api/screenings/{done['screening_id']}"
        kept = (await site("officer").get(path)).json()
        page = await site("officer").get(f"/id/penyaringan/{done['screening_id']}")
        asked = (await site("officer").get("/api/screening", version=kept["questionnaire"])).json()

        assert (await site("officer").get("/api/screening")).json()["version"] == newer
        assert (asked["version"], kept["questionnaire"]) == (NOW.version, NOW.version)
        assert kept["because"] == {"ATT": ["child_papers"], "WAGE": ["unpaid_forced"]}
        assert (kept["elements"], kept["shown"]) == (
            ["act", "means", "purpose"],
            ["unpaid_forced", "papers_taken", "sent_by_agent"],
        )
        assert f"{kept['score']} poin" in page.text
        told = page.text.partition("<h2")[2]
        text = {question.id: question.text["id"] for question in NOW.questions}
        assert all(text[name] in told for name in ("child_papers", "unpaid_forced", "papers_taken"))
        assert (await site("officer").get("/api/screening", version="1999-01")).status_code == 422

    async def test_of_who_has_died_is_refused(self, site: Site) -> None:
        case_id = await a_case(site)
        await corrected(site, case_id, "death", died_on=START.date().isoformat(), place="in_care")

        tried = await site("officer").post(
            f"/api/arrivals/{case_id}/screening-trial", json={"questionnaire": NOW.version, "answers": {}}
        )
        refused = await screened(site, case_id, status=409, version=2, answers={}, decision="not_asked")

        assert [tried.json()["code"], refused["code"]] == ["person_has_died"] * 2

    @pytest.mark.parametrize("how", ["death", "error", "erasure"])
    async def test_that_leaves_it_open_waits_no_longer_when_nobody_can_be_asked(self, site: Site, how: str) -> None:
        case_id = await a_case(site)
        await screened(site, case_id, answers={"unpaid_forced": "yes"}, decision="assess_further")

        if how == "erasure":
            await erased(site, case_id)
        elif how == "death":
            await corrected(site, case_id, how, died_on=START.date().isoformat(), place="in_care")
        else:
            await corrected(site, case_id, how, reason="test_entry")

        assert (await site("officer").get("/api/screenings")).json()["items"] == []

    async def test_that_is_sent_twice_is_one(self, site: Site, database: Database) -> None:
        case_id, key = await a_case(site), new_id()
        said = {**TALK, "answers": {"hurt_now": "yes"}, "needs": ["SICK"], "decision": "not_indicated"}

        first, again = [
            await site("officer").post(f"/api/arrivals/{case_id}/screenings", key=key, json=said) for _ in range(2)
        ]

        assert first.json() == again.json()
        assert await database.pool.fetchval("SELECT count(*) FROM screenings") == 1

    async def test_that_leaves_it_open_waits_until_a_later_one_decides(self, site: Site) -> None:
        case_id = await a_case(site)
        await screened(site, case_id, answers={"unpaid_forced": "yes"}, decision="assess_further")
        waiting = (await site("officer").get("/api/screenings")).json()["items"]
        await screened(site, case_id, answers=SHOWN, decision="indicated")

        assert [one["case_id"] for one in waiting] == [case_id]
        assert (await site("officer").get("/api/screenings")).json()["items"] == []
        assert (await site("stranger").get("/api/screenings")).json()["items"] == []

    async def test_ends_with_the_person(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        done = await screened(site, case_id, answers=SHOWN, decision="indicated")
        await erased(site, case_id)

        answered = await site("officer").get(f"/api/screenings/{done['screening_id']}")

        assert answered.json()["answers"] == {}
        kept = await database.pool.fetchrow("SELECT octet_length(sealed), place, language FROM screenings")
        assert tuple(kept) == (0, "", "")

    @pytest.mark.parametrize(("actor", "status"), [("stranger", 404), ("system", 403), ("worker", 403), ("dpo", 403)])
    async def test_is_for_the_port_alone(self, site: Site, actor: str, status: int) -> None:
        case_id = await a_case(site)
        done = await screened(site, case_id, answers={}, decision="not_asked")

        await screened(site, case_id, status=status, actor=actor, answers={}, decision="not_asked")
        assert (await site(actor).get(f"/api/screenings/{done['screening_id']}")).status_code == status


class TestPages:
    async def test_show_what_answers_point_to_before_anybody_decides(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        path = f"/id/kedatangan/{case_id}/penyaringan"
        officer = site("officer")
        answers = {"q_hurt_now": "yes", "q_sent_by_agent": "yes", "q_papers_taken": "yes", "q_unpaid_forced": "yes"}
        talk = {"questionnaire": NOW.version, "version": "1"}

        asked = await officer.get(path)
        shown = await officer.post(path, data={**talk, **answers})
        unseen = {"decide": "1", "decision": "not_indicated", "place": "ruang\u200b 2"}
        bad = await officer.post(path, data={**talk, **answers, **unseen})
        kept = await officer.post(
            path,
            data={
                **talk, **answers, "decide": "1", "needs": ["SICK"], "decision": "indicated", "place": "ruang 2",
                "language": "Bugis", "interpreter": "none", "alone": "1",
            },
        )  # fmt: skip
        done = (await officer.get(f"/api/arrivals/{case_id}/screenings")).json()["items"]
        page = await officer.get(f"/id/penyaringan/{done[0]['screening_id']}")

        assert "Apakah Anda sakit" in asked.text
        assert "Jawaban menunjuk ke perdagangan orang" in shown.text
        assert await database.pool.fetchval("SELECT count(*) FROM screenings") == 1
        assert (shown.status_code, bad.status_code, kept.status_code) == (200, 422, 303)
        assert "Tempat berbicara: Ada karakter yang tidak terlihat di dalamnya." in bad.text
        assert "Bahasa: Ini belum ada." in bad.text
        assert set(done[0]["added"]) == {"SICK", "TIP"}
        assert "paspor" in page.text

    async def test_tell_who_comes_second_who_was_first_and_let_the_talk_be_kept_all_the_same(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        path = f"/id/kedatangan/{case_id}/penyaringan"
        talk = {
            "questionnaire": NOW.version, "version": "1", "q_hurt_now": "yes", "decide": "1", "needs": ["SICK"],
            "decision": "not_indicated", "place": "ruang 2", "language": "Bugis", "interpreter": "none",
        }  # fmt: skip
        await corrected(site, case_id, "origin", origin_regency="53.01", reason="family_said")

        late = await site("officer").post(path, data=talk)
        version = re.search(r'name="version" value="(\d+)"', late.text)
        assert version
        again = await site("officer").post(path, data={**talk, "version": version[1]})

        assert (late.status_code, again.status_code) == (409, 303)
        assert 'name="q_hurt_now" value="yes" checked' in late.text
        assert await database.pool.fetchval("SELECT count(*) FROM screenings") == 1

    async def test_list_who_is_to_be_assessed_further(self, site: Site) -> None:
        case_id = await a_case(site)
        await screened(site, case_id, answers={"unpaid_forced": "yes"}, decision="assess_further")

        page = await site("officer").get("/id/penyaringan")

        assert case_id in page.text
