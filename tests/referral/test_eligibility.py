"""Whom an office may take, when it is open, and what an entry of the directory must be: pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest

from services.referral.actions.routing import Routing
from services.referral.domain import entries, hours
from services.referral.domain.agencies import Agency, directory
from services.referral.domain.eligibility import unmet
from services.referral.domain.routing import Facts
from shared.contracts import codes
from shared.kit.actor import system
from tests.referral.conftest import Desk

OF_REGENCY = ("DINSOS", "DINKES", "DISDUKCAPIL", "DISNAKER", "DP3AP2KB", "UPTDPPA")
OF_PROVINCE = ("BP3MI", "DINSOS", "DINKES", "DISDUKCAPIL", "DISNAKER", "DP3AP2KB", "UPTDPPA")
AN_OFFICE = Agency("DINSOS-73.06", "DINSOS", "regency", "73.06", "Dinas Sosial Gowa", "Asia/Makassar", True, False)


def facts(
    need: str = "ELDER", age: str = "adult", sex: str = "F", port: str = "65.03", home: str | None = "73.06"
) -> Facts:
    return Facts(need=need, age_band=age, port_regency=port, origin_regency=home, sex=sex)


@pytest.mark.parametrize("need", codes.needs())
def test_what_an_office_leaves_open_restricts_nobody(need: str) -> None:
    assert unmet(AN_OFFICE, facts(need)) == ()


@pytest.mark.parametrize(
    ("entry", "said", "clauses"),
    [
        ({"needs": ("TIP",)}, {"need": "ELDER"}, ("need",)),
        ({"needs": ("TIP", "ELDER")}, {"need": "ELDER"}, ()),
        ({"sexes": ("F",)}, {"sex": "M"}, ("sex",)),
        ({"sexes": ("F",)}, {"sex": "F"}, ()),
        ({"sexes": ("F",)}, {"sex": "X"}, ()),
        ({"min_age": 18}, {"age": "child"}, ("age",)),
        ({"min_age": 18}, {"age": "unknown"}, ("age",)),
        ({"min_age": 18}, {"age": "adult"}, ()),
        ({"min_age": 60}, {"age": "adult"}, ("age",)),
        ({"min_age": 60}, {"age": "elderly"}, ()),
        ({"max_age": 17}, {"age": "adult"}, ("age",)),
        ({"max_age": 12}, {"age": "unknown"}, ()),
        ({"max_age": 59}, {"age": "elderly"}, ("age",)),
        ({"serves": ("73.71",)}, {}, ("regency",)),
        ({"serves": ("73",)}, {}, ()),
        ({"serves": ("65.03",)}, {}, ()),
        ({"serves": ("65",)}, {"home": None}, ()),
        ({"serves": ("73",)}, {"home": None}, ("regency",)),
        ({"accessibility": ()}, {"need": "PWD"}, ("accessibility",)),
        ({"accessibility": ()}, {"need": "ELDER"}, ()),
        ({"accessibility": ("wheelchair",)}, {"need": "PWD"}, ()),
        ({"with_children": False}, {"need": "CHILD", "age": "child"}, ("with_children",)),
        ({"with_children": True}, {"need": "CHILD", "age": "child"}, ()),
        ({"is_current": False}, {}, ("period",)),
        ({"needs": ("TIP",), "sexes": ("M",), "is_current": False}, {}, ("need", "sex", "period")),
    ],
)
def test_the_clauses_that_fail_are_named(entry: dict[str, Any], said: dict[str, Any], clauses: tuple[str, ...]) -> None:
    assert unmet(replace(AN_OFFICE, **entry), facts(**said)) == clauses


class TestPeriod:
    def test_turns_at_midnight_where_the_office_is(self) -> None:
        office = replace(AN_OFFICE, active_from=date(2026, 12, 1), active_until=date(2026, 12, 31))
        begins, ends = datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)
        moments = [begins - timedelta(seconds=1), begins, ends - timedelta(seconds=1), ends]

        assert [office.at(moment).is_current for moment in moments] == [False, True, True, False]

    def test_outside_of_it_nothing_is_routed_there(self) -> None:
        office = replace(AN_OFFICE, active_from=date(2026, 12, 1))

        assert directory([office], datetime(2026, 11, 27, tzinfo=UTC)).available == frozenset()


class TestHours:
    def test_of_the_state_are_the_37_and_a_half_hours_of_the_decree(self) -> None:
        open_ = sum(o.closes - o.opens for o in AN_OFFICE.opening_hours)
        breaks = 4 * 60 + 90

        assert (open_ - breaks) / 60 == 37.5
        assert {o.weekday for o in AN_OFFICE.opening_hours} == {1, 2, 3, 4, 5}

    @pytest.mark.parametrize(
        "text", ["MO 08:00-12:00; MO 13:00-17:00", "SA,SU 00:00-24:00", "MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30"]
    )
    def test_are_written_as_they_are_read(self, text: str) -> None:
        assert hours.written(hours.read(text)) == text

    @pytest.mark.parametrize(
        "text",
        ["", "MO", "XX 08:00-12:00", "MO 08:00-08:00", "MO 12:00-08:00", "MO 08:60-09:00", "MO 08:00-25:00",
         "MO 08:00-12:00; MO 11:00-13:00", "; ".join(f"MO,TU,WE,TH,FR,SA,SU {h:02d}:00-{h:02d}:30" for h in range(9))],
    )  # fmt: skip
    def test_that_cannot_be_are_refused(self, text: str) -> None:
        with pytest.raises(hours.HoursUnreadable):
            hours.read(text)


def test_holidays_are_whole_years_with_their_source() -> None:
    known = codes.holidays()

    assert len([h for h in known if h.day.year == 2026 and h.province_code is None]) == 17
    assert all(h.source and h.name and h.name_en for h in known)
    assert len({(h.day, h.province_code) for h in known}) == len(known)
    assert all(h.province_code is None or h.province_code in codes.provinces() for h in known)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({}, []),
        ({"kind": "DINSSOS"}, [("kind", "DINSSOS")]),
        ({"region": "99.99"}, [("region", "99.99")]),
        ({"name": " "}, [("name", "")]),
        ({"name": "x" * 121}, [("name", "")]),
        ({"name": "a\x00b"}, [("name", "")]),
        ({"zone": "Europe/Berlin"}, [("zone", "Europe/Berlin")]),
        ({"needs": ("TIP", "TRIP")}, [("needs", "TRIP")]),
        ({"needs": ()}, [("needs", "")]),
        ({"sexes": ("X",)}, [("sexes", "X")]),
        ({"serves": ("73", "00")}, [("serves", "00")]),
        ({"languages": ("id", "Bugis")}, [("languages", "Bugis")]),
        ({"accessibility": ("lift",)}, [("accessibility", "lift")]),
        ({"accessibility": ()}, []),
        ({"min_age": 18, "max_age": 17}, [("min_age", "18–17")]),
        ({"max_age": 200}, [("min_age", "200")]),
        ({"phone": "+62 411 123456"}, []),
        ({"phone": "ring us"}, [("phone", "ring us")]),
        ({"email": "dinsos@gowakab.go.id"}, []),
        ({"email": "dinsos"}, [("email", "dinsos")]),
        ({"supervised_by": "DINSOS-73"}, []),
        ({"supervised_by": "DINSOS-99"}, [("supervised_by", "DINSOS-99")]),
        ({"supervised_by": "DINSOS-73.06"}, [("supervised_by", "DINSOS-73.06")]),
        ({"active_from": date(2026, 2, 1), "active_until": date(2026, 1, 1)}, [("active_until", "2026-01-01")]),
        ({"reserved": ("hours", "name")}, [("reserved", "name")]),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(entry: dict[str, Any], found: list[tuple[str, str]]) -> None:
    problems = entries.problems(replace(AN_OFFICE, **entry), kinds={"DINSOS"}, offices={"DINSOS-73", "DINSOS-73.06"})

    assert [(p.field, p.value) for p in problems] == found
    assert all(p.message and p.remedy for p in problems)


async def test_every_province_and_regency_has_its_statutory_offices(desk: Desk) -> None:
    rows = await desk.rows("SELECT kind, level, region FROM agencies WHERE takes_referrals AND suspended_at IS NULL")
    found = {(row["kind"], row["region"]) for row in rows}

    assert set(product(OF_REGENCY, codes.regencies())) - found == set()
    assert set(product(OF_PROVINCE, codes.provinces())) - found == set()


async def test_every_need_of_every_age_from_everywhere_has_a_last_resort_in_the_whole_country(
    desk: Desk, routing: Routing
) -> None:
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        router = await routing.router(work)
    offices = router.directory.agencies
    left: list[Facts] = []
    first = {code[:2]: code for code in reversed(codes.regencies())}
    places = [(code, code) for code in codes.regencies()] + [(code, None) for code in first.values()]
    for (port, home), need, age in product(places, codes.needs(), get_args(codes.AgeBand)):
        asked = facts(need, age, port=port, home=home)
        levels = {offices[c.agency_id].level for c in router.rules.decide(asked, router.directory).candidates}
        if "national" not in levels or len(levels) < 2:
            left.append(asked)

    assert left == []
