"""Access that was taken away is away: for sessions, tokens, what is being answered, and what is being written."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import httpx2
import pytest
import uvicorn
from click.testing import CliRunner

from deploy.local import ports
from shared.contracts.access import Scope
from shared.kit.access_commands import access_group
from shared.kit.actor import Actor, system
from shared.kit.clock import SystemClock
from shared.kit.database import connect
from shared.kit.heard import Heard
from shared.kit.identity import RevocationsUnknown, Revoked, revocations
from shared.kit.identity.revocations import Cut, Revocations
from shared.kit.inbox import Inbox
from shared.kit.work import Work
from tests.conftest import DatabaseUrls
from tests.kit.conftest import Party, SpeakerSettings
from tests.kit.site import SECRET, Site, begin, session_cookie, signed_in
from tests.kit.test_relay_and_inbox import hearing, relaying
from tests.waiting import until

OFFICE = "BP3MI-65"
API = {"accept": "application/json"}


async def revoke(site: Site, scope: Scope, code: str, *, bars: bool = True) -> None:
    """As another process would: this one is not told."""
    async with site.database.work(system("intake", "operator"), purpose="revoke") as work:
        await revocations.revoke(work, scope=scope, code=code, bars=bars, why="precaution")


async def restore(site: Site, scope: Scope, code: str) -> None:
    async with site.database.work(system("intake", "operator"), purpose="restore") as work:
        await revocations.restore(work, scope=scope, code=code)


async def heard_of(site: Site) -> None:
    """The time after which every process holds people against what was committed."""
    await asyncio.sleep(revocations.FRESH_S)


@asynccontextmanager
async def under_way(
    site: Site, request: Coroutine[Any, Any, httpx2.Response]
) -> AsyncIterator[asyncio.Task[httpx2.Response]]:
    """This request to a slow route has come in, and is answered after this."""
    site.released.clear()
    asking = asyncio.create_task(request)
    await until(lambda: site.in_flight)
    yield asking
    site.released.set()


async def reasons(site: Site) -> list[str]:
    return [said["data"]["reason"] for kind, said in await site.trail() if kind == "access.access_denied.v1"]


class TestRevoking:
    @pytest.mark.parametrize(
        ("scope", "code"),
        [("person", "petugas.nnk"), ("organisation", OFFICE), ("role", "port_officer")],
    )
    @pytest.mark.parametrize("bars", [True, False])
    async def test_ends_sessions(self, site: Site, scope: Scope, code: str, bars: bool) -> None:
        async with site.browser() as browser, site.browser() as other:
            await signed_in(browser)
            await signed_in(other, "dinsos.7306")
            await revoke(site, scope, code, bars=bars)
            await heard_of(site)
            mine, theirs = await browser.get("/id/saya"), await other.get("/id/saya")

        assert (mine.status_code, theirs.status_code) == (303, 200)
        assert [row["actor_id"] for row in await site.database.fetch("SELECT actor_id FROM sessions")] == [
            "dinsos.7306"
        ]

    @pytest.mark.parametrize(
        ("scope", "code"), [("client", "svc-intake"), ("organisation", "rujukan"), ("role", "service")]
    )
    async def test_ends_tokens_that_were_issued_before(self, site: Site, scope: Scope, code: str) -> None:
        header = await site.identity.service_token.header("intake")
        async with site.browser() as browser:
            before = await browser.get("/api/whoever", headers=header)
            await revoke(site, scope, code, bars=False)
            await heard_of(site)
            after = await browser.get("/api/whoever", headers=header)

        assert before.text == "svc-intake"
        assert (after.status_code, after.json()["code"]) == (401, "access_revoked")
        assert after.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert await reasons(site) == ["revoked"]

    async def test_of_a_client_is_not_that_of_a_person_with_its_name(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            await revoke(site, "client", "petugas.nnk")
            await heard_of(site)

            assert (await browser.get("/id/saya")).status_code == 200

    async def test_that_bars_lets_nobody_sign_in_until_it_is_lifted(self, site: Site) -> None:
        await revoke(site, "organisation", OFFICE)
        async with site.browser(**API) as browser:
            barred = await browser.get(await begin(browser))
            await restore(site, "organisation", OFFICE)
            await heard_of(site)
            site.clock.advance(timedelta(seconds=1))
            await signed_in(browser)

        assert (barred.status_code, barred.json()["code"]) == (403, "access_barred")
        assert await reasons(site) == ["revoked"]

    async def test_that_only_ends_lets_sign_in_again(self, site: Site) -> None:
        async with site.browser() as browser:
            await signed_in(browser)
            await revoke(site, "person", "petugas.nnk", bars=False)
            await heard_of(site)
            site.clock.advance(timedelta(seconds=1))
            await signed_in(browser)

            assert (await browser.get("/id/saya")).status_code == 200

    async def test_does_not_give_old_sessions_and_tokens_back_when_it_is_lifted(self, site: Site) -> None:
        header = await site.identity.service_token.header("intake")
        async with site.browser() as browser:
            await browser.get("/api/whoever", headers=header)
            await revoke(site, "client", "svc-intake")
            site.clock.advance(timedelta(seconds=1))
            await restore(site, "client", "svc-intake")
            await heard_of(site)

            assert (await browser.get("/api/whoever", headers=header)).status_code == 401

    async def test_takes_back_a_write_that_is_under_way(self, site: Site) -> None:
        header = await site.identity.service_token.header("intake")
        async with site.browser() as browser:
            async with under_way(site, browser.post("/api/slow-write", headers=header)) as writing:
                await revoke(site, "organisation", "rujukan")
                await heard_of(site)
            answer = await writing

        assert answer.status_code == 401
        assert "access.signed_out.v1" not in [kind for kind, _ in await site.trail()]

    async def test_answers_a_request_that_is_under_way_with_a_refusal(self, site: Site) -> None:
        header = await site.identity.service_token.header("intake")
        async with site.browser() as browser:
            async with under_way(site, browser.get("/api/slow?s=0", headers=header)) as asking:
                await revoke(site, "organisation", "rujukan")
                await heard_of(site)
            answer = await asking

        assert (answer.status_code, answer.json()["code"]) == (401, "access_revoked")
        assert SECRET not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert await reasons(site) == ["revoked"]


class TestWithoutTheDatabase:
    async def test_what_was_read_a_moment_ago_still_does(self, site: Site) -> None:
        copy, actor = site.identity.revocations, Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())
        await copy.check(actor)
        assert copy._connection is not None
        copy._connection.terminate()
        copy._database.url = "postgresql://nobody@127.0.0.1:1/none"
        copy._read_at -= revocations.FRESH_S + 0.05

        await copy.check(actor)

    async def test_nobody_is_let_in_after_a_second(self, site: Site) -> None:
        copy, actor = site.identity.revocations, Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())
        await copy.check(actor)
        assert copy._connection is not None
        copy._connection.terminate()
        copy._database.url = "postgresql://nobody@127.0.0.1:1/none"
        copy._read_at -= revocations.ENOUGH_S + 0.05

        with pytest.raises(RevocationsUnknown):
            await copy.check(actor)
        await copy.check(system("intake", "clock"))

    async def test_what_was_revoked_here_is_never_forgotten(self, site: Site) -> None:
        copy, actor = site.identity.revocations, Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())
        await copy.check(actor)
        assert copy._connection is not None
        copy._connection.terminate()
        copy._database.url = "postgresql://nobody@127.0.0.1:1/none"
        copy.changed()

        with pytest.raises(RevocationsUnknown):
            await copy.check(actor)


class TestCopy:
    async def test_of_many_who_ask_at_once_is_read_once(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        readings = 0
        read = Revocations._read

        async def counted(copy: Revocations) -> None:
            nonlocal readings
            readings += 1
            await read(copy)

        monkeypatch.setattr(Revocations, "_read", counted)
        actor = Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())
        await asyncio.gather(*(site.identity.revocations.check(actor) for _ in range(500)))

        assert readings == 1

    async def test_that_takes_long_to_read_still_answers(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        fetch = asyncpg.Connection.fetch

        async def slowly(connection: asyncpg.Connection, *asked: Any) -> Any:
            rows = await fetch(connection, *asked)
            await asyncio.sleep(revocations.FRESH_S * 1.5)
            return rows

        monkeypatch.setattr(asyncpg.Connection, "fetch", slowly)
        actor = Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())

        async with asyncio.timeout(5):
            await asyncio.gather(*(site.identity.revocations.check(actor) for _ in range(50)))

    async def test_is_read_anew_for_what_was_committed_while_it_was_read(self, site: Site) -> None:
        copy, actor = site.identity.revocations, Actor("a", "b", frozenset({"c"}), issued_at=site.clock.now())
        asking = asyncio.create_task(copy.check(actor))
        await asyncio.sleep(0)
        await revoke(site, "person", "a")
        copy.changed()
        await asyncio.gather(asking, return_exceptions=True)

        with pytest.raises(Revoked):
            await copy.check(actor)


T0 = datetime(2026, 11, 26, tzinfo=UTC)


class TestFacts:
    async def test_told_late_do_not_undo_a_later_decision(self, site: Site) -> None:
        await revoke(site, "person", "a")
        site.clock.advance(timedelta(seconds=2))
        await restore(site, "person", "a")
        site.clock.advance(timedelta(seconds=-1))
        await revoke(site, "person", "a")

        async with site.database.work(system("intake", "test"), purpose="look") as work:
            assert await revocations.list_barred(work, limit=9) == []

    @pytest.mark.parametrize(
        ("cut", "issued", "covered"),
        [
            (Cut(T0, bars=False), T0 - timedelta(seconds=1), True),
            (Cut(T0, bars=False), T0, True),
            (Cut(T0, bars=False), T0 + timedelta(seconds=1), False),
            (Cut(T0, bars=True), T0 + timedelta(hours=1), True),
            (Cut(None, bars=False), T0, False),
        ],
        ids=str,
    )
    def test_cover_what_was_issued_until_then_or_all(self, cut: Cut, issued: datetime, covered: bool) -> None:
        actor = Actor("a", "b", frozenset({"c"}))

        assert revocations.covers({("person", "a"): cut}, actor, issued) is covered


@asynccontextmanager
async def served(site: Site) -> AsyncIterator[str]:
    """The site on a real socket, where bytes leave one after another."""
    port = ports.free()
    server = uvicorn.Server(
        uvicorn.Config(site.app, port=port, log_level="critical", lifespan="off", backlog=2048, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = server.force_exit = True
    await serving


async def test_an_organisation_that_is_removed_gets_no_byte_a_second_later(
    site: Site, database_urls: DatabaseUrls
) -> None:
    """1,000 requests and 50 streams are open when it is removed by another process."""
    last_byte = {"dinsos": 0.0, "svc-intake": 0.0}
    statuses: dict[str, list[int]] = {"dinsos": [], "svc-intake": []}

    async def ask(client: aiohttp.ClientSession, path: str, who: str, headers: dict[str, str]) -> None:
        try:
            async with client.get(path, headers=headers) as answer:
                statuses[who].append(answer.status)
                async for chunk in answer.content.iter_any():
                    if SECRET.encode() in chunk:
                        last_byte[who] = max(last_byte[who], time.monotonic())
        except (TimeoutError, aiohttp.ClientError):
            pass

    async with site.browser() as browser:
        await signed_in(browser, "dinsos.7306")
        theirs = {"cookie": f"rujukan-intake={session_cookie(browser)}"}
    ours = await site.identity.service_token.header("intake")
    elsewhere = await connect(database_urls("identity").application, service="intake", clock=SystemClock())
    async with (
        served(site) as url,
        aiohttp.ClientSession(
            url, connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(90)
        ) as client,
    ):
        site.released.clear()
        open_ones = [
            asyncio.create_task(ask(client, f"/api/slow?s={n * 0.005}", "dinsos", theirs)) for n in range(1_000)
        ]
        open_ones += [asyncio.create_task(ask(client, "/api/stream", "dinsos", theirs)) for _ in range(50)]
        others = [asyncio.create_task(ask(client, "/api/slow?s=6", "svc-intake", ours)) for _ in range(5)]
        while site.in_flight < 1_055:
            await asyncio.sleep(0.01)
        site.released.set()
        await asyncio.sleep(0.5)

        async with elsewhere.work(system("intake", "operator"), purpose="revoke") as work:
            await revocations.revoke(work, scope="organisation", code="DINSOS-73.06", bars=True, why="misuse")
        removed = time.monotonic()
        await asyncio.gather(*open_ones, *others)
    await elsewhere.aclose()

    assert 0 < last_byte["dinsos"] <= removed + 1
    assert len(statuses["dinsos"]) == 1_050
    assert statuses["dinsos"].count(401) >= 500
    assert statuses["svc-intake"] == [200] * 5
    assert last_byte["svc-intake"] > removed + 1


class TestHearing:
    @pytest.mark.parametrize("everything", [False, True], ids=["by name", "everything"])
    async def test_of_another_service_takes_effect_within_a_second(
        self, speaker: Party, hearer: Party, everything: bool
    ) -> None:
        inbox, leaves = Inbox(hearer.database), []
        if everything:

            @inbox.hears_everything
            async def on_everything(work: Work, heard: list[Heard[Any]]) -> None:
                leaves.extend(heard)

        revocations.subscribe(inbox)
        copy = Revocations(hearer.database)
        actor = Actor("a", "DINSOS-31", frozenset({"agency_worker"}), issued_at=datetime.now(UTC))

        async def is_revoked() -> bool:
            try:
                await copy.check(actor)
            except Revoked:
                return True
            return False

        async with relaying(speaker), hearing(hearer, inbox):
            await tell(speaker, "person", "warm-up")
            await until(lambda: is_known(hearer, "warm-up"), within_s=30)
            began = time.monotonic()
            await tell(speaker, "organisation", "DINSOS-31")
            await until(is_revoked, within_s=10)
            took_s = time.monotonic() - began
        await copy.aclose()

        assert took_s < 1
        assert len(leaves) == (2 if everything else 0)


async def tell(party: Party, scope: Scope, code: str) -> None:
    async with party.database.work(system("intake", "operator"), purpose="revoke") as work:
        await revocations.revoke(work, scope=scope, code=code, bars=True, why="misuse")


async def is_known(party: Party, code: str) -> bool:
    return bool(await party.database.fetch("SELECT 1 FROM revocations WHERE code = $1", code))


class TestPages:
    async def test_take_access_away_and_give_it_back(self, site: Site) -> None:
        async with site.browser() as operator, site.browser(**API) as officer:
            csrf = await signed_in(operator, "operator")
            await signed_in(officer)
            shown = await operator.get("/en/pencabutan")
            form = {"csrf": csrf, "scope": "organisation", "code": OFFICE, "kind": "bar", "why": "misuse"}
            done = await operator.post("/en/pencabutan", data=form | {"idempotency_key": "1"})
            at_once = await officer.get("/id/saya")
            listed = await operator.get("/en/pencabutan")
            back = {"csrf": csrf, "scope": "organisation", "code": OFFICE, "idempotency_key": "2"}
            restored = await operator.post("/en/pencabutan/pulih", data=back)
            empty = await operator.get("/en/pencabutan")

        assert (shown.status_code, done.status_code, restored.status_code) == (200, 303, 303)
        assert at_once.status_code == 401
        assert OFFICE in listed.text
        assert OFFICE not in empty.text
        told = [(kind, said["actor"]) for kind, said in await site.told()]
        assert ("access.access_revoked.v1", "operator") in told
        assert ("access.access_restored.v1", "operator") in told

    async def test_say_what_is_wrong(self, site: Site) -> None:
        async with site.browser() as operator:
            csrf = await signed_in(operator, "dpo")
            form = {"csrf": csrf, "scope": "organisation", "code": "Siti Aminah", "kind": "bar", "why": ""}
            answer = await operator.post("/en/pencabutan", data=form)
            tampered = await operator.post("/en/pencabutan/pulih", data={"csrf": csrf, "scope": "all", "code": "x"})

        assert answer.status_code == tampered.status_code == 422
        assert "Enter the code as it stands on the trail." in answer.text
        assert "Choose a reason." in answer.text

    async def test_ask_for_a_recent_sign_in(self, site: Site) -> None:
        async with site.browser() as operator:
            csrf = await signed_in(operator, "operator")
            site.clock.advance(timedelta(minutes=11))
            shown = await operator.get("/id/pencabutan")
            posted = await operator.post("/id/pencabutan", data={"csrf": csrf})
            asked = await operator.post("/api/revocations", json={}, headers={"x-csrf-token": csrf} | API)

        assert shown.headers["location"].startswith("/masuk?next=%2Fid%2Fpencabutan&menit=10")
        assert posted.status_code == 303
        assert asked.json()["code"] == "sign_in_not_recent"

    @pytest.mark.parametrize("login", ["petugas.nnk", "koordinator", "auditor", "penyelia.73", "lsm"])
    async def test_are_for_nobody_else(self, site: Site, login: str) -> None:
        async with site.browser() as browser:
            csrf = await signed_in(browser, login)
            form = {"csrf": csrf, "scope": "role", "code": "auditor", "kind": "bar", "why": "misuse"}
            answers = [
                await browser.get("/id/pencabutan"),
                await browser.post("/id/pencabutan", data=form),
                await browser.post("/id/pencabutan/pulih", data=form),
                await browser.get("/api/revocations"),
                await browser.post("/api/revocations", json={}, headers={"x-csrf-token": csrf}),
                await browser.post("/api/restorations", json={}, headers={"x-csrf-token": csrf}),
            ]

        assert {answer.status_code for answer in answers} == {403}
        assert await site.database.fetch("SELECT 1 FROM revocations") == []

    @pytest.mark.parametrize(
        ("scope", "code"), [("person", "operator"), ("role", "operator"), ("organisation", "KP2MI")]
    )
    async def test_do_not_take_the_own_access_away(self, site: Site, scope: str, code: str) -> None:
        async with site.browser() as operator:
            csrf = await signed_in(operator, "operator")
            wanted = {"scope": scope, "code": code, "why": "misuse"}
            headers = {"x-csrf-token": csrf, "idempotency-key": "1"} | API
            answer = await operator.post("/api/revocations", json=wanted, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (409, "own_access")

    async def test_have_an_api_beside_them(self, site: Site) -> None:
        async with site.browser(**API) as operator:
            csrf = await signed_in(operator, "operator")
            headers = {"x-csrf-token": csrf, "idempotency-key": "1"}
            wanted = {"scope": "person", "code": "petugas.nnk", "why": "left"}
            first = await operator.post("/api/revocations", json=wanted, headers=headers)
            again = await operator.post("/api/revocations", json=wanted, headers=headers)
            listed = await operator.get("/api/revocations")
            back = {"scope": "person", "code": "petugas.nnk"}
            await operator.post("/api/restorations", json=back, headers=headers | {"idempotency-key": "2"})

        assert (first.status_code, again.headers["idempotent-replay"]) == (201, "true")
        [bar] = listed.json()["revocations"]
        assert (bar["scope"], bar["code"], bar["why"]) == ("person", "petugas.nnk", "left")
        assert [kind for kind, _ in await site.told()].count("access.access_revoked.v1") == 1


class TestCommands:
    def test_take_access_away_list_it_and_give_it_back(
        self, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "ENVIRONMENT": "development",
            "ROLES": "http",
            "DATABASE_URL_INTAKE": database_urls("speaker").application,
        }.items():
            monkeypatch.setenv(name, value)

        def run(*words: str) -> str:
            ended = CliRunner().invoke(access_group(SpeakerSettings), words)
            assert ended.exit_code == 0, ended.output
            return ended.output

        taken = run("revoke", "organisation", "DINSOS-31", "--why", "misuse")
        ended = run("revoke", "person", "petugas.nnk", "--why", "lost_device", "--end-only")
        listed = run("list")
        given = run("restore", "organisation", "DINSOS-31")

        assert taken == "organisation DINSOS-31: kept out\n"
        assert ended == "person petugas.nnk: ended\n"
        assert listed.startswith("organisation DINSOS-31 misuse 20")
        assert len(listed.splitlines()) == 1
        assert given == "organisation DINSOS-31: let in again\n"
        assert run("list") == ""

    @pytest.mark.parametrize(
        "words",
        [
            ["revoke", "person", "Siti Aminah", "--why", "left"],
            ["revoke", "everybody", "x", "--why", "left"],
            ["revoke", "person", "x"],
            ["revoke", "person", "x", "--why", "own_wish"],
        ],
        ids=str,
    )
    def test_refuse_what_is_no_code(self, words: list[str]) -> None:
        assert CliRunner().invoke(access_group(SpeakerSettings), words).exit_code == 2
