"""People see where they are signed in, end one session, or all of them everywhere."""

import asyncio
from datetime import timedelta

import pytest

from shared.kit.identity import revocations
from shared.kit.identity.devices import device_of
from tests.kit.site import HOME, Site, session_cookie, signed_in

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


async def device_ids(site: Site) -> dict[str, str]:
    rows = await site.database.fetch("SELECT device, device_id FROM sessions")
    return {row["device"]: str(row["device_id"]) for row in rows}


class TestPage:
    async def test_shows_each_session_and_which_is_this_one(self, site: Site) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as phone, site.browser(**{"user-agent": CHROME}) as desk:
            await signed_in(phone)
            site.clock.advance(timedelta(minutes=3))
            await signed_in(desk)
            page = (await desk.get("/en/perangkat")).text

        assert page.count("Signed in since") == 2
        assert page.index("Chrome · Windows") < page.index("this device") < page.index("Firefox · Android")
        assert page.count("Sign this device out") == 1

    async def test_shows_nobody_elses_and_none_that_has_ended(self, site: Site) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as mine, site.browser(**{"user-agent": CHROME}) as theirs:
            await signed_in(mine)
            await signed_in(theirs, "dinsos.7306")
            async with site.browser() as forgotten:
                await signed_in(forgotten)
            site.clock.advance(timedelta(minutes=20))
            await mine.get("/id/saya")
            site.clock.advance(timedelta(minutes=20))
            page = (await mine.get("/en/perangkat")).text

        assert page.count("Signed in since") == 1
        assert "Firefox · Android" in page

    async def test_needs_a_person_who_is_signed_in(self, site: Site) -> None:
        async with site.browser() as browser:
            header = await site.identity.service_token.header("intake")
            stranger = await browser.get("/id/perangkat")
            system = await browser.get("/api/whoever", headers=header)
            answer = await browser.get("/id/perangkat", headers=header | {"accept": "application/json"})

        assert stranger.headers["location"] == "/masuk?next=/id/perangkat"
        assert (system.status_code, answer.status_code) == (200, 401)


class TestEndingOne:
    async def test_ends_it_and_no_other(self, site: Site) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as phone, site.browser(**{"user-agent": CHROME}) as desk:
            await signed_in(phone)
            csrf = await signed_in(desk)
            ids = await device_ids(site)
            done = await desk.post(f"/id/perangkat/{ids['firefox:android']}/akhir", data={"csrf": csrf})

            assert done.status_code == 303
            assert (await phone.get("/id/saya")).status_code == 303
            assert (await desk.get("/id/saya")).status_code == 200
        assert [kind for kind, _ in await site.trail()][-1] == "access.signed_out.v1"

    async def test_of_somebody_else_does_nothing(self, site: Site) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as theirs, site.browser(**{"user-agent": CHROME}) as mine:
            await signed_in(theirs, "dinsos.7306")
            csrf = await signed_in(mine)
            ids = await device_ids(site)
            await mine.post(f"/id/perangkat/{ids['firefox:android']}/akhir", data={"csrf": csrf})

            assert (await theirs.get("/id/saya")).status_code == 200

    async def test_takes_the_sessions_own_token(self, site: Site) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as phone, site.browser(**{"user-agent": CHROME}) as desk:
            await signed_in(phone)
            await signed_in(desk)
            ids = await device_ids(site)
            answers = [
                await desk.post(f"/id/perangkat/{ids['firefox:android']}/akhir"),
                await desk.post("/id/perangkat/keluar-semua"),
            ]

            assert {answer.status_code for answer in answers} == {403}
            assert (await phone.get("/id/saya")).status_code == 200

    @pytest.mark.parametrize("ended", ["{device_id}/akhir", "keluar-semua"])
    async def test_takes_a_recent_sign_in(self, site: Site, ended: str) -> None:
        async with site.browser(**{"user-agent": FIREFOX}) as phone, site.browser(**{"user-agent": CHROME}) as desk:
            csrf = await signed_in(desk)
            site.clock.advance(timedelta(minutes=11))
            await signed_in(phone)
            address = "/id/perangkat/" + ended.format(device_id=(await device_ids(site))["firefox:android"])
            asked = await desk.post(address, data={"csrf": csrf}, headers={"referer": f"{HOME}/id/perangkat"})

            assert (asked.status_code, asked.headers["location"]) == (303, "/masuk?next=%2Fid%2Fperangkat&menit=10")
            assert (await phone.get("/id/saya")).status_code == 200


class TestSigningOutEverywhere:
    async def test_ends_all_sessions_of_the_person_and_tells_the_other_services(self, site: Site) -> None:
        async with site.browser() as phone, site.browser() as desk, site.browser() as other:
            await signed_in(phone)
            csrf = await signed_in(desk)
            await signed_in(other, "dinsos.7306")
            left = await desk.post("/id/perangkat/keluar-semua", data={"csrf": csrf})
            after = [await browser.get("/id/saya") for browser in (phone, desk, other)]

        assert (left.status_code, left.headers["location"]) == (303, "/")
        assert "rujukan-intake=" in left.headers["set-cookie"]
        assert [answer.status_code for answer in after] == [303, 303, 200]
        [(kind, said)] = await site.told()
        assert (kind, said["data"]["code"], said["data"]["bars"]) == ("access.access_revoked.v1", "petugas.nnk", False)

    async def test_lets_the_person_sign_in_again(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            await browser.post("/id/perangkat/keluar-semua", data={"csrf": csrf})
            site.clock.advance(timedelta(seconds=1))
            await asyncio.sleep(revocations.FRESH_S)
            await signed_in(browser)

            assert (await browser.get("/id/saya")).status_code == 200


class TestParallelSessions:
    async def test_are_apart_and_each_has_its_own_id(self, site: Site) -> None:
        async with site.browser() as first, site.browser() as second:
            csrf = await signed_in(first)
            await signed_in(second)
            ids = {session_cookie(first), session_cookie(second)}
            await first.post("/keluar", data={"csrf": csrf})

            assert len(ids) == 2
            assert (await second.get("/id/saya")).status_code == 200


class TestDevice:
    @pytest.mark.parametrize(
        ("said", "code"),
        [
            (FIREFOX, "firefox:android"),
            (CHROME, "chrome:windows"),
            (CHROME + " Edg/131.0", "edge:windows"),
            (CHROME + " OPR/115.0", "opera:windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1", "safari:ios"),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-T505) SamsungBrowser/23.0 Chrome/115.0",
                "samsung:android",
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.4 Safari/605.1.15", "safari:macos"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Firefox/133.0", "firefox:linux"),
            ("curl/8.5.0", "other:other"),
            ("", "other:other"),
            ("Siti Aminah <siti@example.id>", "other:other"),
        ],
    )
    def test_is_a_family_and_a_system_and_nothing_of_what_was_said(self, said: str, code: str) -> None:
        assert device_of(said) == code
