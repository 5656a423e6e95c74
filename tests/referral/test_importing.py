"""The directory out into a file and in again: looked at first, taken in whole or not at all."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.referral.actions import importing, keeping
from services.referral.actions.importing import Format, Preview
from services.referral.domain import entries, hours, hsds
from services.referral.domain.agencies import OWN, Agency, agency_id
from services.referral.store import agencies
from shared.contracts import codes
from shared.kit.actor import Actor, system
from tests.conftest import DatabaseUrls
from tests.referral.conftest import PEOPLE, Desk
from tests.referral.test_directory import referral

RULED = frozenset({"DINSOS", "RSJ"})
KEEPER = system("referral", "directory")


def lists(values: Any, *, least: int = 1) -> Any:
    return st.none() | st.sets(st.sampled_from(sorted(values)), min_size=least, max_size=4).map(
        lambda found: tuple(sorted(found))
    )


@st.composite
def offices(draw: Any) -> Agency:
    """An entry that may stand."""
    region = draw(st.none() | st.sampled_from([*codes.provinces(), *codes.regencies()]))
    ages = sorted(draw(st.tuples(st.integers(0, 120), st.integers(0, 120))))
    days = sorted(draw(st.tuples(st.dates(date(2020, 1, 1)), st.dates(date(2020, 1, 1)))))
    printable = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=60)
    return Agency(
        agency_id=agency_id("DINSOS", region),
        kind="DINSOS",
        level="national" if region is None else "regency" if "." in region else "province",
        region=region,
        name=draw(printable.map(str.strip).filter(bool)),
        zone=draw(st.sampled_from(entries.ZONES)),
        takes_referrals=draw(st.booleans()),
        is_suspended=draw(st.booleans()),
        needs=draw(lists(codes.needs())),
        sexes=draw(lists(entries.SEXES)),
        min_age=draw(st.none() | st.just(ages[0])),
        max_age=draw(st.none() | st.just(ages[1])),
        serves=draw(lists([*codes.provinces(), *codes.regencies()])),
        languages=draw(lists(["id", "bug", "mak", "jv"])),
        accessibility=draw(lists(entries.ACCESSIBILITY, least=0)),
        with_children=draw(st.none() | st.booleans()),
        hours=draw(st.none() | st.sampled_from([hours.STATUTORY, hours.read("MO,SU 00:00-24:00; TU 08:00-12:00")])),
        keeps_holidays=draw(st.booleans()),
        phone=draw(st.none() | st.just("+62 411 123456")),
        email=draw(st.none() | st.just("dinsos@gowakab.go.id")),
        supervised_by=draw(st.none() | st.just("BP3MI-73")),
        active_from=draw(st.none() | st.just(days[0])),
        active_until=draw(st.none() | st.just(days[1])),
        reserved=draw(st.sets(st.sampled_from(OWN)).map(lambda found: tuple(sorted(found)))),
    )


@pytest.mark.parametrize("format_", ["json", "csv"])
@given(office=offices())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_goes_out_comes_in_as_it_was(format_: Format, office: Agency) -> None:
    known = {"BP3MI-73": replace(office, agency_id="BP3MI-73", kind="BP3MI"), office.agency_id: office}
    assert entries.problems(office, kinds=RULED, offices=known.keys()) == []

    looked = importing.looked(importing.exported([office], format_), known, RULED)
    anew = importing.looked(importing.exported([office], format_), {"BP3MI-73": known["BP3MI-73"]}, RULED)

    assert looked.counts == {"added": 0, "changed": 0, "suspended": 0, "untouched": 1, "bad": 0}
    assert [written.agency for written in anew.written] == [office]


async def take_in(desk: Desk, content: bytes, digest: str = "") -> Preview:
    """Look, and when there is no digest to confirm, take in what was seen."""
    async with desk.database.work(KEEPER, purpose="test") as work:
        seen = digest or (await importing.preview(work, content, ruled=RULED)).digest
        return await importing.take_in(work, content, seen, ruled=RULED)


def a_file(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(field for row in rows for field in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


A_SHELTER = {
    "kind": "RSJ", "region": "73.06", "name": "RSKD Dadi", "zone": "Asia/Makassar", "takes_referrals": "yes",
}  # fmt: skip


@pytest.mark.parametrize("format_", ["json", "csv"])
async def test_the_whole_directory_goes_out_and_in_unchanged(desk: Desk, format_: Format) -> None:
    async with desk.database.work(KEEPER, purpose="test") as work:
        found = await agencies.list_agencies(work)

    taken = await take_in(desk, importing.exported(found, format_))

    assert taken.counts == {"added": 0, "changed": 0, "suspended": 0, "untouched": len(found), "bad": 0}
    assert len(found) > 2000
    assert await desk.told() == []


async def test_a_file_says_what_it_would_change_and_does_it_when_confirmed(desk: Desk) -> None:
    looked = await take_in(desk, a_file(A_SHELTER))

    assert [(row.agency_id, row.fate) for row in looked.rows] == [("RSJ-73.06", "added")]
    changed = await take_in(desk, a_file({"kind": "DINSOS", "region": "73.06", "name": "Dinsos Gowa", "needs": "TIP"}))
    [row] = changed.rows
    assert row.fate == "changed"
    assert {field: after for field, _, after in row.changes} == {"name": "Dinsos Gowa", "needs": "TIP"}
    suspended = await take_in(
        desk, a_file({"kind": "DINSOS", "region": "73.06", "name": "Dinsos Gowa", "is_suspended": "yes"})
    )
    assert [row.fate for row in suspended.rows] == ["suspended"]
    rows = await desk.rows("SELECT name, needs, suspended_at, version FROM agencies WHERE agency_id = 'DINSOS-73.06'")
    assert [(r["name"], r["needs"], r["suspended_at"] is not None, r["version"]) for r in rows] == [
        ("Dinsos Gowa", ["TIP"], True, 3)
    ]
    assert await desk.told() == ["directory_changed"] * 3


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"name": ""}, "name", "missing"),
    ({"kind": "DINSSOS"}, "kind", "kind_unknown"),
    ({"region": "99.99"}, "region", "region_unknown"),
    ({"needs": "TIP,TRIP"}, "needs", "need_unknown"),
    ({"hours": "always"}, "hours", "hours_unreadable"),
    ({"min_age": "old"}, "min_age", "unreadable"),
    ({"takes_referrals": "maybe"}, "takes_referrals", "unreadable"),
    ({"active_from": "1/2/2026"}, "active_from", "unreadable"),
    ({"supervised_by": "DINSOS-99"}, "supervised_by", "supervisor_unknown"),
    ({"agency_id": "RSJ-73"}, "agency_id", "id_crossed"),
]


@pytest.mark.parametrize(("said", "field", "code"), BAD)
async def test_a_bad_row_is_named_and_keeps_the_good_ones_out(
    desk: Desk, said: dict[str, str], field: str, code: str
) -> None:
    good = A_SHELTER | {"region": "73.71"}
    content = a_file(good, A_SHELTER | said)
    async with desk.database.work(KEEPER, purpose="test") as work:
        looked = await importing.preview(work, content, ruled=RULED)

    [bad] = [row for row in looked.rows if row.fate == "bad"]
    assert (bad.number, [(p.field, p.code) for p in bad.problems]) == (2, [(field, code)])
    assert bad.problems[0].message
    assert bad.problems[0].remedy
    with pytest.raises(importing.RowsBad):
        await take_in(desk, content)
    assert await desk.rows("SELECT 1 FROM agencies WHERE kind = 'RSJ' AND region LIKE '73.%'") == []
    assert await desk.told() == []


async def test_an_office_that_is_there_twice_is_named(desk: Desk) -> None:
    async with desk.database.work(KEEPER, purpose="test") as work:
        looked = await importing.preview(work, a_file(A_SHELTER, A_SHELTER), ruled=RULED)

    assert [[p.code for p in row.problems] for row in looked.rows] == [["twice"], ["twice"]]


def broken(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Put a value at a path of a service."""

    def damage(service: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for step in way:
            service = service[int(step)] if step.isdigit() else service[step]  # type: ignore[index]
        service[last] = value

    return damage


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("organization_id", "organization_id"),
        ("organization.parent_organization_id", "parent_organization_id"),
        ("service_at_locations.0.location_id", "location_id"),
        ("service_at_locations.0.service_id", "service_id"),
        ("schedules.0.service_id", "service_id"),
        ("attributes.0.link_id", "link_id"),
    ],
)
def test_a_broken_reference_of_hsds_is_named(path: str, field: str) -> None:
    office = Agency(
        "DINSOS-73", "DINSOS", "province", "73", "Dinsos", "Asia/Makassar", True, False, hours=hours.STATUTORY
    )
    service = hsds.service(office)
    broken(path, "00000000-0000-0000-0000-000000000000")(service)

    looked = importing.looked(orjson.dumps([service]), {}, RULED)

    [row] = looked.rows
    assert [(p.field, p.code) for p in row.problems] == [(field, "reference_broken")]


@pytest.mark.parametrize("damage", [{"name": 7}, {"organization": None}, {"attributes": 1}, {"schedules": ["x"]}])
def test_a_service_of_another_shape_is_a_bad_row(damage: dict[str, Any]) -> None:
    office = Agency("DINSOS-73", "DINSOS", "province", "73", "Dinsos", "Asia/Makassar", True, False)

    looked = importing.looked(orjson.dumps([hsds.service(office) | damage, "x", None]), {}, RULED)

    assert [row.fate for row in looked.rows] == ["bad"] * 3


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[", b"\xff\xfe", b"a,b\n1,2", b"kind,name,shoe_size\nDINSOS,x,40", b'kind,name\n"x']
)
def test_what_is_no_directory_is_refused(content: bytes) -> None:
    with pytest.raises(importing.FileUnusable):
        importing.looked(content, {}, RULED)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(importing.FileTooLarge):
        importing.looked(b"kind,name\n" + b"DINSOS,x\n" * (importing.MOST_ROWS + 1), {}, RULED)
    with pytest.raises(importing.FileTooLarge):
        importing.looked(b" " * (importing.MOST_BYTES + 1), {}, RULED)


async def test_what_was_not_looked_at_is_not_taken_in(desk: Desk) -> None:
    content = a_file({"kind": "DINSOS", "region": "73.06", "name": "Dinsos Gowa"})
    async with desk.database.work(KEEPER, purpose="test") as work:
        seen = (await importing.preview(work, content, ruled=RULED)).digest

    with pytest.raises(importing.NotAsSeen):
        await take_in(desk, content + b"DINSOS,73.71,Makassar\n", seen)
    async with desk.database.work(KEEPER, purpose="test") as work:
        await keeping.change_agency(work, "DINSOS-73.06", {"phone": "112"})
    with pytest.raises(importing.NotAsSeen):
        await take_in(desk, content, seen)

    assert [row["name"] for row in await desk.rows("SELECT name FROM agencies WHERE agency_id = 'DINSOS-73.06'")] != [
        "Dinsos Gowa"
    ]


def test_the_command_line_looks_first_and_takes_in_what_was_seen(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    out, file = tmp_path / "directory.json", tmp_path / "new.csv"
    file.write_bytes(a_file(A_SHELTER, A_SHELTER | {"region": "73.71", "needs": "MENTAL"}))

    exported = referral(database_urls, "agencies", "export", str(out))
    unseen = referral(database_urls, "agencies", "import", str(file))
    looked = referral(database_urls, "agencies", "import", str(file), "--dry-run")
    digest = looked.stdout.split()[-1]
    taken = referral(database_urls, "agencies", "import", str(file), "--digest", digest)
    again = referral(database_urls, "agencies", "import", str(file), "--digest", digest)

    assert exported.stdout.strip() == f"{len(orjson.loads(out.read_bytes())['contents'])} offices"
    assert "Look first" in unseen.stderr
    assert looked.stdout.startswith("1\tadded\tRSJ-73.06\n2\tadded\tRSJ-73.71\n2 added, 0 changed")
    assert taken.stdout.endswith("taken in\n"), taken.stderr
    assert (again.returncode, "look again" in again.stderr) == (1, True)


async def test_a_coordinator_may_and_others_cannot(desk: Desk) -> None:
    content = a_file(
        A_SHELTER,
        {"kind": "DINSOS", "region": "73.06", "name": "Dinsos Gowa", "zone": "Asia/Makassar", "takes_referrals": "yes"},
    )
    coordinator: Actor = PEOPLE["coordinator"]
    async with desk.database.work(coordinator, purpose="keep_directory") as work:
        seen = (await importing.preview(work, content, ruled=RULED)).digest
        taken = await importing.take_in(work, content, seen, ruled=RULED)

    assert (taken.counts["added"], taken.counts["changed"]) == (1, 1)
    rows = await desk.rows("SELECT by_role FROM agency_versions WHERE agency_id = 'RSJ-73.06'")
    assert [row["by_role"] for row in rows] == ["coordinator"]
