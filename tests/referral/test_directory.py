"""The directory as its keepers see it: the command line, and how soon routing follows."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from services.referral.actions import keeping
from shared.kit.actor import system
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
    command = [sys.executable, "-m", "services.referral", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_office_is_entered_listed_suspended_and_resumed(database_urls: DatabaseUrls) -> None:
    added = referral(database_urls, "agencies", "add", "RPTC", "Rumah Perlindungan Trauma Center", "--region", "31")
    assert added.returncode == 0, added.stderr

    states = []
    for change in ("suspend", "resume"):
        assert referral(database_urls, "agencies", change, "RPTC-31").returncode == 0
        states.append(referral(database_urls, "agencies", "list", "--kind", "RPTC").stdout)

    assert states == [
        "RPTC-31\tRumah Perlindungan Trauma Center\tsuspended\n",
        "RPTC-31\tRumah Perlindungan Trauma Center\tactive\n",
    ]


def test_the_command_line_says_what_stood_in_the_way(database_urls: DatabaseUrls) -> None:
    known = referral(database_urls, "agencies", "add", "DINSOS", "Dinas Sosial", "--region", "73.06")
    nowhere = referral(database_urls, "agencies", "add", "DINSOS", "Dinas Sosial", "--region", "99.99")
    unknown = referral(database_urls, "agencies", "suspend", "DINSOS-99")

    assert [said.returncode for said in (known, nowhere, unknown)] == [1, 1, 1]
    assert "The directory has this office already." in known.stderr
    assert "No province or regency has this code." in nowhere.stderr


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
