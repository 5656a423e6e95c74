"""Keys that a KMS has wrapped are unwrapped once, at the start; trouble is waited out or named, and no key is shown."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from click.testing import CliRunner

from deploy.local import ports
from services.intake.__main__ import cli
from services.intake.gateways.kms import InTheClear, KeyUnusable, KmsAway, Transit, decoded, unwrap_all
from services.intake.store.vault import KEY_BYTES
from shared.kit import commands
from tests import forking
from tests.conftest import DatabaseUrls
from tests.intake import kms_server
from tests.intake.kms_server import TOKEN, KmsServer

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
async def server() -> AsyncIterator[KmsServer]:
    async with kms_server.serving() as server:
        yield server


def transit(server: KmsServer, *, name: str = "rujukan", token: str = TOKEN, timeout_s: float = 5) -> Transit:
    return Transit(server.url, name, token, timeout_s)


async def unwrapped(kms: Transit, given: str) -> bytes:
    return await kms.unwrap(given, setting="VAULT_KEK")


class TestTransit:
    async def test_unwraps_what_it_wrapped(self, server: KmsServer) -> None:
        wrapped = await transit(server).wrap(KEY)

        assert await unwrapped(transit(server), wrapped) == KEY
        assert decoded(wrapped) != KEY

    @pytest.mark.parametrize(
        ("kms", "said"),
        [
            ({"token": "s.another"}, "KMS_TOKEN is not accepted, or may not use rujukan (answer 403)"),
            ({"name": "unknown"}, "KMS_URL has no key unknown there, see KMS_KEY (answer 404)"),
            ({"name": "another"}, "VAULT_KEK was not wrapped by another of this KMS (answer 400)"),
        ],
        ids=["token", "name", "key"],
    )
    async def test_names_the_setting_that_is_wrong(self, server: KmsServer, kms: dict[str, str], said: str) -> None:
        server.keys["another"] = kms_server.Fernet(kms_server.Fernet.generate_key())

        with pytest.raises(KeyUnusable) as refused:
            await unwrapped(transit(server, **kms), server.wrapped(KEY))

        assert str(refused.value) == said

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (lambda: web.Response(text="<html>Welcome</html>"), "its answer has no plaintext"),
            (lambda: web.json_response(["data"]), "its answer has no plaintext"),
            (lambda: web.json_response({"data": {"plaintext": 7}}), "its answer has no plaintext"),
            (lambda: web.json_response({"data": {"plaintext": "é"}}), "not base64"),
            (lambda: web.json_response({"data": {"plaintext": "A" * 100_000}}), "more than 65536 bytes"),
            (lambda: web.Response(status=307, headers={"Location": "/v1/transit/decrypt/rujukan"}), "leads elsewhere"),
        ],
        ids=["page", "list", "number", "no base64", "endless", "redirect"],
    )
    async def test_takes_no_other_answer_than_that_of_a_kms(
        self, server: KmsServer, answer: Callable[[], web.Response], said: str
    ) -> None:
        async def strange(_: web.Request) -> web.Response:
            return answer()

        server.behave = strange
        with pytest.raises(KeyUnusable, match=f"KMS_URL .*{said}"):
            await unwrapped(transit(server), server.wrapped(KEY))

        assert len(server.asked) == 1

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    async def test_is_away_while_it_says_so(self, server: KmsServer, status: int) -> None:
        async def busy(_: web.Request) -> web.Response:
            return web.Response(status=status)

        server.behave = busy
        with pytest.raises(KmsAway):
            await unwrapped(transit(server), server.wrapped(KEY))

    async def test_is_away_when_it_does_not_answer_in_time(self, server: KmsServer) -> None:
        server.behave = kms_server.slowly

        with pytest.raises(KmsAway):
            await unwrapped(transit(server, timeout_s=0.2), server.wrapped(KEY))

    async def test_is_away_when_nobody_listens(self) -> None:
        with pytest.raises(KmsAway):
            await unwrapped(Transit(f"http://127.0.0.1:{ports.free()}/v1", "rujukan", TOKEN, 1), "vault:v1:AAAA")


class TestUnwrapAll:
    async def test_waits_while_the_kms_is_away(self, server: KmsServer) -> None:
        async def away_twice(_: web.Request) -> web.Response | None:
            return web.Response(status=503) if len(server.asked) <= 2 else None

        server.behave = away_twice
        given = [("VAULT_KEK", server.wrapped(KEY)), ("VAULT_INDEX_KEY", server.wrapped(OTHER))]

        assert await unwrap_all(transit(server), given, bytes_wanted=KEY_BYTES) == [KEY, OTHER]
        assert len(server.asked) == 4

    @pytest.mark.parametrize(("key", "said"), [(bytes(range(16)), "must be 32 bytes"), (bytes(32), "is a constant")])
    async def test_refuses_what_unwraps_to_no_key(self, server: KmsServer, key: bytes, said: str) -> None:
        given = [("VAULT_KEK", server.wrapped(KEY)), ("VAULT_KEK_OLD", server.wrapped(key))]

        with pytest.raises(KeyUnusable, match=f"VAULT_KEK_OLD {said}"):
            await unwrap_all(transit(server), given, bytes_wanted=KEY_BYTES)

    async def test_takes_keys_in_the_clear_where_there_is_no_kms(self) -> None:
        given = [("VAULT_KEK", await InTheClear().wrap(KEY))]

        assert await unwrap_all(InTheClear(), given, bytes_wanted=KEY_BYTES) == [KEY]


def environment(**more: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "KMS_"))},
        "ENVIRONMENT": "development",
        "ROLES": "http",
        "OIDC_ISSUER": "http://127.0.0.1:1",
        **more,
    }


@asynccontextmanager
async def intake(command: str, **more: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(*forking.python(), "services.intake", command), env=environment(**more), stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class TestNewKey:
    """`python -m services.intake new-key`, before there is anything else to tell the service."""

    async def test_is_in_the_clear_where_there_is_no_kms(self) -> None:
        made = [await self.made() for _ in range(2)]

        assert [len(decoded(key)) for key in made] == [KEY_BYTES, KEY_BYTES]
        assert made[0] != made[1]

    async def test_is_wrapped_where_there_is_one(self, server: KmsServer) -> None:
        made = await self.made(KMS_URL=server.url, KMS_TOKEN=TOKEN)

        assert made.startswith("vault:v1:")
        assert len(await unwrapped(transit(server), made)) == KEY_BYTES

    @pytest.mark.parametrize(
        ("url", "token", "said"),
        [("", "s.another", "intake: KMS_TOKEN is not accepted"), ("http://127.0.0.1:1/v1", TOKEN, "intake: KMS_URL")],
    )
    async def test_is_not_made_when_nobody_wraps_it(self, server: KmsServer, url: str, token: str, said: str) -> None:
        async with intake("new-key", KMS_URL=url or server.url, KMS_TOKEN=token) as process:
            printed, shown = await process.communicate()

        assert (process.returncode, printed) == (78, b"")
        assert said in shown.decode()

    async def made(self, **more: str) -> str:
        async with intake("new-key", **more) as process:
            printed, shown = await process.communicate()
        assert (process.returncode, shown) == (0, b"")
        return printed.decode().strip()


class TestStart:
    """The process itself."""

    def settings(self, server: KmsServer, urls: DatabaseUrls, **more: str) -> dict[str, str]:
        return {
            "DATABASE_URL_INTAKE": urls("intake").application,
            "KMS_URL": server.url,
            "KMS_TOKEN": TOKEN,
            "VAULT_KEK": server.wrapped(KEY),
            "VAULT_INDEX_KEY": server.wrapped(OTHER),
            **more,
        }

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"KMS_TOKEN": "s.another"}, "intake: KMS_TOKEN is not accepted"),
            ({"VAULT_KEK": "vault:v1:AAAA"}, "intake: VAULT_KEK was not wrapped by rujukan of this KMS"),
            ({"VAULT_KEK_OLD": "the same"}, "intake: VAULT_KEK_OLD has a key twice, or that of VAULT_KEK"),
        ],
    )
    async def test_is_refused_with_the_setting_and_why(
        self, server: KmsServer, database_urls: DatabaseUrls, wrong: dict[str, str], said: str
    ) -> None:
        wrong = {name: server.wrapped(KEY) if value == "the same" else value for name, value in wrong.items()}
        async with intake("serve", **self.settings(server, database_urls, **wrong)) as process:
            _, shown = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == 78
        assert said in shown.decode()
        for secret in ("s.another", "vault:v1", TOKEN, "Traceback"):
            assert secret not in shown.decode()

    def test_is_said_to_wait_by_the_check_which_does_not_wait_for_ever(
        self, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "BUILT_WITHIN_S", 0.5)
        away = KmsServer(url=f"http://127.0.0.1:{ports.free()}/v1/transit")

        checked = CliRunner().invoke(cli, ["check"], env=environment(**self.settings(away, database_urls)))

        assert checked.exit_code == 1
        assert "intake: what it needs to start is still away after 0.5 s" in checked.output

    async def test_waits_for_a_kms_that_is_away(self, server: KmsServer, database_urls: DatabaseUrls) -> None:
        port = ports.free()
        told = self.settings(server, database_urls, KMS_URL=f"http://127.0.0.1:{port}/v1/transit", PORT="0")

        async with intake("serve", **told) as process:
            assert process.stderr is not None
            while b"kms_away" not in (said := await asyncio.wait_for(process.stderr.readline(), 30)):
                assert said, "it ended instead of waiting"
            async with kms_server.serving(port) as back:
                back.keys = server.keys
                async with asyncio.timeout(30):
                    while len(back.asked) < 2:
                        await asyncio.sleep(0.05)

            assert process.returncode is None
