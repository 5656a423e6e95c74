"""People sign in, stay, and leave; what a page may ask for with their cookie, and what it may not."""

import asyncio
import base64
import hashlib
import json
from datetime import timedelta
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kit import identity
from shared.kit.identity import sign_in
from tests.conftest import DatabaseUrls
from tests.kit.site import HOME, Site, a_site, begin, provider_answer, session_cookie, signed_in


class TestSigningIn:
    async def test_makes_the_person_known_from_then_on(self, site: Site) -> None:
        async with site.browser() as browser:
            before = await browser.get("/id/saya")
            await signed_in(browser)
            after = await browser.get("/id/saya")

        assert (before.status_code, before.headers["location"]) == (303, "/masuk?next=/id/saya")
        assert after.text.startswith("petugas.nnk ")

    async def test_stands_on_the_trail(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)

        [(kind, said)] = await site.trail()
        assert kind == "access.signed_in.v1"
        assert (said["actor"], said["role"], said["data"]["service"]) == ("petugas.nnk", "port_officer", "intake")
        assert said["data"]["case_id"] == identity.person_stream("petugas.nnk")

    async def test_leaves_nothing_in_the_database_that_would_let_a_reader_in(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            held = session_cookie(browser)

        [row] = await site.database.fetch("SELECT * FROM sessions")
        assert row["session_hash"] == hashlib.sha256(held.encode()).digest()
        assert held not in str(dict(row))
        assert csrf not in str(dict(row))

    async def test_gives_a_new_session_and_ends_the_one_before(self, site: Site) -> None:
        async with site.browser() as browser, site.browser() as thief:
            await signed_in(browser)
            first = session_cookie(browser)
            await signed_in(browser, "dinsos.7306")
            thief.cookies.set("rujukan-intake", first)
            stolen = await thief.get("/id/saya")

        assert session_cookie(browser) != first
        assert stolen.status_code == 303

    async def test_never_takes_over_an_id_that_somebody_planted(self, site: Site) -> None:
        planted = "A" * 43
        async with site.browser() as browser:
            browser.cookies.set("rujukan-intake", planted, domain="localhost")
            done = await browser.get(await begin(browser))

        assert planted not in done.headers["set-cookie"]

    async def test_works_on_a_plain_address_with_cookies_scripts_cannot_read(self, site: Site) -> None:
        async with site.browser() as browser:
            done = await browser.get(await begin(browser))

        [cookie] = [line for line in done.headers.get_list("set-cookie") if line.startswith("rujukan-intake=")]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    async def test_binds_cookies_to_the_host_where_there_is_tls(self, database_urls: DatabaseUrls, issuer: str) -> None:
        url = database_urls("identity").application
        home = "https://localhost:8101"
        async with a_site(url, issuer, home) as site, site.browser(home) as browser:
            done = await browser.get(await begin(browser))

        cookies = done.headers.get_list("set-cookie")
        assert all(line.startswith("__Host-rujukan-intake") and "; Secure" in line for line in cookies)

    async def test_starts_at_the_public_name_of_this_machine(self, site: Site) -> None:
        async with site.browser("http://127.0.0.1:8101") as browser:
            answer = await browser.get("/masuk?next=/id/saya")

        assert answer.headers["location"] == f"{HOME}/masuk?next=%2Fid%2Fsaya"

    @pytest.mark.parametrize(
        ("said", "asks"),
        [
            ({"sec-fetch-site": "cross-site"}, True),
            ({"sec-fetch-site": "same-site"}, True),
            ({"sec-fetch-site": "cross-site", "sec-fetch-user": "?1"}, False),
            ({"sec-fetch-site": "same-origin"}, False),
            ({"sec-fetch-site": "none"}, False),
            ({}, False),
        ],
        ids=str,
    )
    async def test_begins_unasked_only_for_who_came_here_of_their_own_will(
        self, site: Site, said: dict[str, str], asks: bool
    ) -> None:
        async with site.browser(**said) as browser:
            answer = await browser.get("/masuk?next=/id/saya")

        assert ("prompt=login" in answer.headers["location"]) is asks


class TestSigningInIsRefused:
    async def refused(self, browser: httpx2.AsyncClient, address: str) -> None:
        answer = await browser.get(address, headers={"accept": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["code"] == "sign_in_failed"
        assert "rujukan-intake" not in browser.cookies

    async def test_in_a_browser_where_it_did_not_begin(self, site: Site) -> None:
        async with site.browser() as browser, site.browser() as victim:
            address = await begin(browser)
            await self.refused(victim, address)

        assert [said["data"]["reason"] for _, said in await site.trail()] == ["bad_token"]

    async def test_with_the_code_of_another_attempt(self, site: Site) -> None:
        async with site.browser() as browser, site.browser() as other:
            stolen = parse_qs(urlsplit(await begin(other)).query)["code"][0]
            own = parse_qs(urlsplit(await begin(browser)).query)
            await self.refused(browser, f"/masuk/kembali?code={stolen}&state={own['state'][0]}")

    async def test_with_a_code_that_was_used(self, site: Site) -> None:
        async with site.browser() as browser:
            address = await begin(browser)
            kept = dict(browser.cookies)
            await browser.get(address)
            browser.cookies.clear()
            browser.cookies.update(kept)
            await self.refused(browser, address)

    @pytest.mark.parametrize(
        "change",
        [{"state": "other"}, {"state": None}, {"code": None}, {"iss": "https://evil.example"}, {"code": "other"}],
        ids=str,
    )
    async def test_with_another_answer(self, site: Site, change: dict[str, str | None]) -> None:
        async with site.browser() as browser:
            address = urlsplit(await begin(browser))
            answer = {name: values[0] for name, values in parse_qs(address.query).items()} | change
            wanted = {name: value for name, value in answer.items() if value is not None}
            await self.refused(browser, str(httpx2.URL(address.path, params=wanted)))

    @pytest.mark.parametrize("nonce", ["other", ""])
    async def test_with_a_token_for_another_nonce(self, site: Site, nonce: str) -> None:
        async with site.browser() as browser:
            address = await begin(browser)
            cookie = browser.cookies["rujukan-intake-masuk"]
            attempt = json.loads(base64.urlsafe_b64decode(cookie + "==")) | {"nonce": nonce}
            forged = base64.urlsafe_b64encode(json.dumps(attempt).encode()).decode()
            browser.cookies.clear()
            browser.cookies.set("rujukan-intake-masuk", forged)
            await self.refused(browser, address)

    async def test_with_a_cookie_of_any_other_form(self, site: Site) -> None:
        for cookie in ("", "A", "e30=", "W10=", "bnVsbA==", "%%%", "é"):
            async with site.browser(cookie=f"rujukan-intake-masuk={cookie}".encode()) as browser:  # type: ignore[arg-type]
                await self.refused(browser, "/masuk/kembali?code=a&state=b")

    async def test_while_the_provider_is_away(self, database_urls: DatabaseUrls) -> None:
        url = database_urls("identity").application
        async with a_site(url, "http://127.0.0.1:1") as site, site.browser(accept="application/json") as browser:
            answer = await browser.get("/masuk")

        assert (answer.status_code, answer.json()["code"]) == (503, "identity_provider_away")
        assert "retry-after" in answer.headers


class TestWhereSigningInLeads:
    @pytest.mark.parametrize("path", ["/", "/id/", "/id/saya?hari=2026-11-23", "/en/kasus/a%2Fb"])
    def test_is_where_the_person_wanted_to_go(self, path: str) -> None:
        assert sign_in.local_path(path) == path

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "id",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=1",
            "/a\\..\\..",
            "/" + "a" * 1_000,
            None,
        ],
    )
    def test_is_never_another_site(self, path: str | None) -> None:
        assert sign_in.local_path(path) == "/"

    @given(st.text(alphabet=st.sampled_from(list("/\\:@?#.%\t\r\n aé")), max_size=12))
    def test_stays_with_us_for_any_text(self, path: str) -> None:
        target = sign_in.local_path(path)

        # What a browser makes of it: backslashes are slashes, tabs and line ends are nothing.
        seen = "".join("/" if letter == "\\" else letter for letter in target if letter not in "\t\r\n")
        assert urlsplit(urljoin(f"{HOME}/masuk", seen)).netloc == urlsplit(HOME).netloc


class TestSession:
    async def test_counts_on_the_kind_of_device_where_it_began(self, site: Site) -> None:
        phone = {"user-agent": "Mozilla/5.0 (Linux; Android 15; Pixel) Firefox/143.0"}
        async with site.browser(**phone) as browser, site.browser() as thief:
            await signed_in(browser)
            thief.cookies.set("rujukan-intake", session_cookie(browser))
            newer = await browser.get("/id/saya", headers={"user-agent": phone["user-agent"].replace("143", "144")})
            stolen = await thief.get("/id/saya", headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/143.0"})
            again = await browser.get("/id/saya")

        assert [newer.status_code, stolen.status_code, again.status_code] == [200, 303, 200]

    async def test_ends_half_an_hour_after_it_was_last_used(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            for _ in range(3):
                site.clock.advance(timedelta(minutes=29))
                assert (await browser.get("/id/saya")).status_code == 200
            site.clock.advance(timedelta(minutes=30, seconds=1))

            assert (await browser.get("/id/saya")).status_code == 303

    async def test_ends_twelve_hours_after_it_began(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            for _ in range(35):
                site.clock.advance(timedelta(minutes=20))
                assert (await browser.get("/id/saya")).status_code == 200
            site.clock.advance(timedelta(minutes=20))

            assert (await browser.get("/id/saya")).status_code == 303

    async def test_is_read_by_one_statement(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            site.clock.advance(timedelta(minutes=5))
            site.statements.clear()
            await browser.get("/id/saya")

        assert len([said for said in site.statements if "sessions" in said]) == 1
        assert len(site.statements) <= 2  # with the pool's own reset

    async def test_is_not_found_by_another_id(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)

        for cookie in ("", "x", "A" * 43, "A" * 44, "' OR 1=1 --"):
            async with site.browser() as other:
                other.cookies.set("rujukan-intake", cookie)
                assert (await other.get("/id/saya")).status_code == 303

    async def test_that_ended_is_forgotten_at_a_later_log_in(self, site: Site) -> None:
        async with site.browser() as first, site.browser() as second:
            await signed_in(first)
            await site.database.fetch(
                "UPDATE sessions SET signed_in_at = $1, expires_at = $2",
                site.clock.now() - timedelta(hours=13),
                site.clock.now() - timedelta(hours=1),
            )
            await signed_in(second)

        assert len(await site.database.fetch("SELECT 1 FROM sessions")) == 1

    async def test_of_a_person_may_be_missing_where_that_is_allowed(self, site: Site) -> None:
        async with site.browser() as browser:
            assert (await browser.get("/api/whoever")).text == "nobody"


class TestSigningOut:
    async def test_ends_the_session_and_stands_on_the_trail(self, site: Site) -> None:
        async with site.browser() as browser, site.browser() as thief:
            csrf = await signed_in(browser)
            thief.cookies.set("rujukan-intake", session_cookie(browser))
            left = await browser.post("/keluar", data={"csrf": csrf})
            later = await thief.get("/id/saya")

        assert left.status_code == 303
        assert later.status_code == 303
        assert [kind for kind, _ in await site.trail()] == ["access.signed_in.v1", "access.signed_out.v1"]

    async def test_makes_the_next_person_show_who_they_are(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            fresh = await browser.get("/masuk")
            await browser.post("/keluar", data={"csrf": csrf})
            again = await browser.get("/masuk")

        assert "prompt=login" not in fresh.headers["location"]
        assert "prompt=login" in again.headers["location"]

    async def test_has_the_browser_forget_what_it_has_of_our_pages(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            left = await browser.post("/keluar", data={"csrf": csrf})

        # In caches there is nothing (no-store); of the cookies one says that the next one must show who they are.
        assert left.headers["clear-site-data"] == '"storage"'

    async def test_is_not_done_for_another_site(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            refused = await browser.post("/keluar")

            assert refused.status_code == 403
            assert (await browser.get("/id/saya")).status_code == 200

    async def test_without_a_session_does_nothing(self, site: Site) -> None:
        async with site.browser() as browser:
            assert (await browser.post("/keluar")).status_code == 303


class TestDangerousActs:
    async def test_are_done_by_who_has_just_signed_in(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            site.clock.advance(timedelta(minutes=4))
            shown = await browser.get("/id/bahaya")
            done = await browser.post("/id/bahaya", data={"csrf": csrf})

        assert (shown.text, done.text) == ("petugas.nnk", "petugas.nnk")

    async def test_send_who_signed_in_long_ago_to_the_provider_and_back_to_the_form(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            site.clock.advance(timedelta(minutes=6))
            shown = await browser.get("/id/bahaya?hal=2")
            posted = await browser.post(
                "/id/bahaya", data={"csrf": csrf}, headers={"referer": f"{HOME}/id/bahaya?hal=2"}
            )
            to_provider = await browser.get(shown.headers["location"])

        assert shown.status_code == posted.status_code == 303
        assert shown.headers["location"] == posted.headers["location"] == "/masuk?next=%2Fid%2Fbahaya%3Fhal%3D2&menit=5"
        asked = parse_qs(urlsplit(to_provider.headers["location"]).query)
        assert (asked["prompt"], asked["max_age"]) == (["login"], ["300"])

    async def test_can_be_done_after_coming_back(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            before = session_cookie(browser)
            await site.database.fetch("UPDATE sessions SET authenticated_at = authenticated_at - interval '1 hour'")
            asked = await browser.get("/id/bahaya")
            back = await provider_answer(browser, asked.headers["location"] + "&login_hint=petugas.nnk")
            returned = await browser.get(back)
            done = await browser.get(returned.headers["location"])

        assert returned.headers["location"] == "/id/bahaya"
        assert done.text == "petugas.nnk"
        assert session_cookie(browser) != before

    async def test_never_lead_off_our_site(self, site: Site) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            site.clock.advance(timedelta(minutes=6))
            for referer in ("https://evil.example/id/bahaya", "//evil.example", "", "http://localhost:8102/x"):
                sent = await browser.post("/id/bahaya", data={"csrf": csrf}, headers={"referer": referer})
                assert sent.headers["location"] == "/masuk?next=%2Fid%2F&menit=5"

    async def test_do_not_go_round_in_circles_with_a_provider_that_asks_nobody(self, site: Site) -> None:
        async with site.browser() as browser:
            address = await provider_answer(browser, "/masuk?next=/id/bahaya&menit=5&login_hint=petugas.nnk")
            site.clock.advance(timedelta(minutes=6))
            refused = await browser.get(address)

        assert refused.status_code == 400

    async def test_tell_a_program_of_a_person_what_is_missing(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            site.clock.advance(timedelta(minutes=6))
            answer = await browser.get("/api/dangerous")

        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_not_recent")
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication", max_age="300"'

    async def test_ask_no_system(self, site: Site) -> None:
        async with site.browser() as browser:
            answer = await browser.get("/api/dangerous", headers=await site.identity.service_token.header("intake"))

        assert answer.text == "svc-intake"


class TestChangesByCookie:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": HOME},
            {"origin": HOME, "sec-fetch-site": "same-origin"},
            {"origin": "http://127.0.0.1:8101", "host": "127.0.0.1:8101"},
            {"sec-fetch-site": "none"},
        ],
        ids=str,
    )
    async def test_are_taken_from_our_pages(self, site: Site, headers: dict[str, str]) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            form = await browser.post("/id/catat", data={"csrf": csrf, "need": "MED"}, headers=headers)
            upload = await browser.post(
                "/id/catat", data={"csrf": csrf, "need": "KID"}, files={"file": b"a"}, headers=headers
            )
            script = await browser.post("/id/catat", json={}, headers=headers | {"x-csrf-token": csrf})

        assert form.text == "petugas.nnk MED"
        assert upload.text == "petugas.nnk KID"
        assert script.status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://localhost:8102"},
            {"origin": "https://localhost:8101"},
            {"origin": HOME, "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
        ids=str,
    )
    async def test_are_refused_from_other_sites_even_with_the_token(self, site: Site, headers: dict[str, str]) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser)
            answer = await browser.post("/id/catat", data={"csrf": csrf}, headers=headers)

        assert answer.status_code == 403
        assert [said["data"]["reason"] for _, said in (await site.trail())[1:]] == ["csrf"]

    async def test_are_refused_without_the_sessions_own_token(self, site: Site) -> None:
        async with site.browser() as browser, site.browser() as other:
            await signed_in(browser)
            foreign = await signed_in(other)
            answers = [
                await browser.post("/id/catat", data={}),
                await browser.post("/id/catat", data={"csrf": ""}),
                await browser.post("/id/catat", data={"csrf": foreign}),
                await browser.post("/id/catat", json={"csrf": foreign}),
                await browser.post("/id/catat?csrf=" + foreign),
                await browser.post("/id/catat", files={"csrf": b"a"}),
                await browser.post("/id/catat", headers={"x-csrf-token": "é".encode()}),  # type: ignore[dict-item]
            ]

        assert {answer.status_code for answer in answers} == {403}

    async def test_need_no_token_with_a_bearer_token(self, site: Site) -> None:
        async with site.browser() as browser:
            header = await site.identity.service_token.header("intake")
            answer = await browser.post("/id/catat", data={"need": "MED"}, headers=header)

        assert answer.text == "svc-intake MED"


class TestRefusals:
    async def test_for_a_role_stand_on_the_trail_by_the_routes_template(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser, "auditor")
            answer = await browser.get("/api/voyages/0193-secret/officers-only")

        assert (answer.status_code, answer.json()["code"]) == (403, "denied")
        kind, said = (await site.trail())[1]
        assert kind == "access.access_denied.v1"
        assert said["actor"] == "auditor"
        assert said["data"] == {
            "case_id": identity.person_stream("auditor"),
            "service": "intake",
            "reason": "role",
            "thing": "GET:api/voyages/:voyage_id/officers-only",
        }

    async def test_that_a_service_decides_stand_on_the_trail(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            answer = await browser.get("/api/theirs/0193")

        assert answer.status_code == 403
        assert (await site.trail())[1][1]["data"]["reason"] == "not_yours"

    async def test_of_a_program_in_a_loop_do_not_fill_the_journal(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser, "auditor")
            for _ in range(50):
                assert (await browser.get("/api/theirs/0193")).status_code == 403
            site.clock.advance(timedelta(minutes=1))
            await browser.get("/api/theirs/0193")

        reasons = [said["data"]["reason"] for _, said in (await site.trail())[1:]]
        assert reasons == ["not_yours"] * 30 + ["too_many", "not_yours"]

    async def test_of_a_bad_token_are_nobodys(self, site: Site) -> None:
        async with site.browser() as browser:
            answers = [
                await browser.get("/api/whoever", headers={"authorization": authorization})
                for authorization in ("Bearer forged", "Basic YTpi", "", "Bearer")
            ]

        assert {answer.status_code for answer in answers} == {401}
        assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer error="invalid_token"'}
        assert [(said["actor"], said["data"]["reason"]) for _, said in await site.trail()] == [
            ("anonymous", "bad_token")
        ] * 4

    async def test_of_a_token_of_another_service_leave_it_out(self, site: Site) -> None:
        async with site.browser() as browser:
            answer = await browser.get("/api/whoever", headers=await site.identity.service_token.header("referral"))

        assert answer.status_code == 401


class TestServiceToken:
    async def test_lets_one_service_speak_to_another(self, site: Site) -> None:
        header = await site.identity.service_token.header("intake")

        async with site.browser() as browser:
            assert (await browser.get("/api/whoever", headers=header)).text == "svc-intake"

    async def test_is_asked_for_once_per_audience(self, site: Site) -> None:
        headers = await asyncio.gather(*(site.identity.service_token.header("intake") for _ in range(20)))
        other = await site.identity.service_token.header("referral")

        assert len({header["Authorization"] for header in headers}) == 1
        assert other["Authorization"] != headers[0]["Authorization"]

    async def test_is_not_to_be_had_with_a_wrong_secret(self, issuer: str) -> None:
        token = identity.ServiceToken(issuer, "svc-intake", "wrong")

        with pytest.raises(identity.ProviderAway):
            await token.header("referral")

        await token.aclose()
