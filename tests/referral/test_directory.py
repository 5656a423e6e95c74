"""The directory as its keepers see it: the command line, and how soon routing follows."""

import os
import subprocess
from datetime import timedelta

import orjson
import pytest

from services.referral.actions import keeping
from services.referral.domain import agencies
from shared.kit.actor import system
from tests import forking
from tests.conftest import DatabaseUrls
from tests.referral.conftest import Desk
from tests.referral.factories import an_arrival


def referral(urls: DatabaseUrls, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the service's command line."""
    environment = {
        **os.environ,
        "ENVIRONMENT": "development",
        "DATABASE_URL_REFERRAL": urls("referral").application,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "INTAKE_URL": "http://127.0.0.1:1",
    }
    command = [*forking.python(), "services.referral", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_office_is_entered_listed_suspended_and_resumed(database_urls: DatabaseUrls) -> None:
    added = referral(database_urls, "agencies", "add", "RSJ", "RSKD Dadi Gowa", "--region", "73.06")
    assert added.returncode == 0, added.stderr

    states = []
    for change in ("suspend", "resume"):
        assert referral(database_urls, "agencies", change, "RSJ-73.06").returncode == 0
        states.append(referral(database_urls, "agencies", "list", "--kind", "RSJ", "--region", "73.06").stdout)

    assert states == ["RSJ-73.06\tRSKD Dadi Gowa\tsuspended\n", "RSJ-73.06\tRSKD Dadi Gowa\tactive\n"]


def test_an_office_is_changed(database_urls: DatabaseUrls) -> None:
    changed = [
        referral(database_urls, "agencies", "change", "DINSOS-73.06", *options).stdout
        for options in (("--name", "Dinas Sosial Gowa", "--zone", "Asia/Makassar"), ("--never-by-itself",))
    ]

    assert changed == [
        "DINSOS-73.06\tDinas Sosial Gowa\tactive\n",
        "DINSOS-73.06\tDinas Sosial Gowa\tnever by itself\n",
    ]


def test_police_and_civil_society_are_entered_as_never_asked_by_themselves(database_urls: DatabaseUrls) -> None:
    entered = [
        referral(database_urls, "agencies", "add", *office).stdout
        for office in (
            ("POLDA", "Unit PPA Polres Gowa", "--region", "73.06"),
            ("CSO-LEGAL", "LBH Makassar", "--region", "73"),
            ("CSO-LEGAL", "LBH Gowa", "--region", "73.06", "--by-itself"),
        )
    ]

    assert [line.rstrip().rpartition("\t")[2] for line in entered] == ["never by itself", "never by itself", "active"]


def test_the_command_line_says_what_stood_in_the_way(database_urls: DatabaseUrls) -> None:
    said = [
        referral(database_urls, "agencies", *arguments)
        for arguments in (
            ("add", "DINSOS", "Dinas Sosial", "--region", "73.06"),
            ("add", "DINSOS", "Dinas Sosial", "--region", "99.99"),
            ("add", "DINSSOS", "Dinas Sosial", "--region", "73.06"),
            ("add", "RSJ", " ", "--region", "73.06"),
            ("suspend", "DINSOS-99"),
            ("change", "DINSOS-99", "--name", "Dinas Sosial"),
            ("change", "DINSOS-73.06", "--by-itself"),
        )
    ]

    assert [answer.returncode for answer in said] == [1] * len(said)
    known, nowhere, misspelt, nameless, *absent = [answer.stderr for answer in said]
    assert "The directory has this office already." in known
    assert "No province or regency has this code." in nowhere
    assert "Neither the directory nor the rules know this kind of office." in misspelt
    assert "DINSSOS" in misspelt
    assert "name: This is missing." in nameless
    assert all("The directory has no such office, or it is so already." in stderr for stderr in absent)


async def test_every_change_is_on_the_trail(desk: Desk) -> None:
    async with desk.database.work(system("referral", "directory"), purpose="keep_directory") as work:
        await keeping.add_agency(work, kind="RSJ", region="73.06", name="RSKD Dadi", ruled=frozenset())
        await keeping.change_agency(work, "RSJ-73.06", {"name": "RSKD Dadi Gowa", "takes_referrals": False})
        await keeping.suspend_agency(work, agency_id="RSJ-73.06")
        await keeping.resume_agency(work, agency_id="RSJ-73.06")

    rows = await desk.rows("SELECT shared, case_id, payload FROM journal WHERE type = 'referral.directory_changed.v1'")
    told = [orjson.loads(row["payload"])["data"] for row in rows]
    assert [(fact["change"], fact["fields"], fact["takes_referrals"], fact["suspended"]) for fact in told] == [
        ("added", [], True, False),
        ("changed", ["name", "takes_referrals"], False, False),
        ("suspended", [], False, True),
        ("resumed", [], False, False),
    ]
    assert {row["shared"] for row in rows} == {False}
    assert {str(row["case_id"]) for row in rows} == {agencies.entry("RSJ-73.06")}


async def test_what_was_refused_leaves_no_trail(desk: Desk) -> None:
    with pytest.raises(keeping.AgencyUnknown):
        async with desk.database.work(system("referral", "directory"), purpose="keep_directory") as work:
            await keeping.resume_agency(work, agency_id="DINSOS-73.06")

    assert await desk.told() == []


async def test_the_first_filling_asks_by_itself_whom_a_new_entry_would(desk: Desk) -> None:
    rows = await desk.rows("SELECT DISTINCT kind, takes_referrals FROM agencies")

    assert [row["kind"] for row in rows if row["takes_referrals"] is not agencies.is_asked_by_itself(row["kind"])] == []


async def test_routing_follows_a_change_within_two_seconds(desk: Desk) -> None:
    await desk.open(an_arrival("ELDER"))
    async with desk.database.work(system("referral", "test"), purpose="test") as work:
        await keeping.suspend_agency(work, "DINSOS-73.06")
    desk.clock.advance(timedelta(seconds=2))

    await desk.open(an_arrival("ELDER"))

    assert sorted(agency for _, agency, _ in await desk.attempts()) == ["DINSOS-73", "DINSOS-73.06"]


@pytest.mark.parametrize("kind", ["POLDA-73", "CSO-CHILD"])
async def test_police_and_civil_society_are_listed_and_never_asked_by_themselves(desk: Desk, kind: str) -> None:
    [row] = await desk.rows("SELECT takes_referrals FROM agencies WHERE agency_id = $1", kind)

    assert row["takes_referrals"] is False
