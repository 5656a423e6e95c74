"""The whole of `make up`, without the demo, as a process that can be killed."""

import re
import shutil
import signal
import socket
from pathlib import Path
from typing import cast

import aiohttp
import asyncpg
import pytest

from deploy.local import folder, stack
from deploy.local.demo import ngo, stage
from deploy.local.postgres import Urls
from deploy.local.report import Trouble
from deploy.local.supervisor import Supervisor
from shared.kit import actor
from shared.kit.database import connect
from tests.conftest import DatabaseUrls
from tests.kit.conftest import a_voyage
from tests.local.conftest import CLEAN, Launch, Launcher, all_gone

SERVING = "Data, logs and secrets are in"


@pytest.fixture
def up(launch: Launch, tmp_path: Path) -> Launch:
    """`up()` runs `make up` on this test's folder until it serves."""

    def start(**environment: str) -> Launcher:
        launcher = launch("deploy.local", "up", "--empty", "--data", str(tmp_path / "data"), **environment)
        launcher.wait_for(SERVING, 120)
        return launcher

    return start


def addresses(launcher: Launcher) -> dict[str, str]:
    lines = (line.split() for line in launcher.said.splitlines() if "http://127.0.0.1:" in line)
    return {words[0]: words[1] for words in lines if words[0] in stack.SERVICES}


@pytest.mark.timeout(300)
class TestUp:
    async def test_serves_until_ctrl_c_and_stops_everything_within_ten_seconds(self, up: Launch) -> None:
        launcher = up(RUJUKAN_BROKER="tansu")
        children = launcher.children()

        async with aiohttp.ClientSession() as session:
            for url in addresses(launcher).values():
                async with session.get(f"{url}/readyz") as answer:
                    assert answer.status == 200

        assert set(children) == {"postgres", "kafka", "identity", *stack.SERVICES}
        assert launcher.end(signal.SIGINT) < 10
        assert launcher.process.returncode == 0
        assert all_gone(list(children.values()), 0)

    async def test_leaves_no_child_when_it_is_killed_and_tells_an_empty_broker_everything_again(
        self, up: Launch
    ) -> None:
        first = up()
        children = first.children()
        first.end(signal.SIGKILL)
        assert len(children) == 7
        assert all_gone(list(children.values()))
        shutil.rmtree(first.data / "kafka")

        second = up()

        assert f"The last run (process {first.process.pid}) was killed" in second.said
        assert "sending everything that the journals hold again" in second.said


class TestRefusedUp:
    """What is refused before anything is started leaves the folder as it was."""

    def test_is_told_in_a_sentence_that_the_folder_cannot_be_made(self, launch: Launch, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        launcher = launch("deploy.local", "up", "--data", str(tmp_path / "file" / "data"))

        launcher.wait_for("Give --data a folder that you may write to.")
        assert launcher.process.wait(20) == 1
        assert "Traceback" not in launcher.said

    async def test_takes_no_address_from_the_story_that_is_being_played(self, launch: Launch, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with socket.create_server(("127.0.0.1", 0)) as receiver:
            async with folder.locked(data, print):
                ngo.keep(data / "demo" / stage.PORTS, {stage.LISTENING: receiver.getsockname()[1], stage.DEAD: 9})
                played = (data / "demo" / stage.PORTS).read_text()

                launcher = launch("deploy.local", "up", "--data", str(data))

                launcher.wait_for("Stop that one, or give --data another folder.")
                assert launcher.process.wait(20) == 1
                assert (data / "demo" / stage.PORTS).read_text() == played


class TestAConfiguredDatabase:
    @pytest.fixture
    def configured(self, database_urls: DatabaseUrls, kafka_server: str) -> dict[str, str]:
        """A database per service and a broker that are not ours."""
        given = {**CLEAN, "KAFKA_BOOTSTRAP_SERVERS": kafka_server}
        for name in stack.SERVICES:
            given[f"DATABASE_URL_{name.upper()}"] = database_urls(name).application
            given[f"MIGRATION_DATABASE_URL_{name.upper()}"] = database_urls(name).owner
        return given

    @pytest.mark.parametrize(
        ("variable", "part", "other", "reason"),
        [
            ("MIGRATION_DATABASE_URL_NOTIFY", r":\d+/", ":9/", "it does not answer"),
            ("MIGRATION_DATABASE_URL_NOTIFY", ":test@", ":guess@", "it does not let us in"),
            ("MIGRATION_DATABASE_URL_NOTIFY", "/[^/]+$", "/nowhere", "it does not let us in"),
            ("DATABASE_URL_NOTIFY", r":\d+/", ":9/", "it does not answer"),
            ("DATABASE_URL_NOTIFY", ":test@", ":guess@", "it does not let us in"),
            ("DATABASE_URL_NOTIFY", "$", "?sslmode=maybe", "it does not let us in"),
        ],
    )
    async def test_that_cannot_be_used_is_named_by_its_variable(
        self, tmp_path: Path, configured: dict[str, str], variable: str, part: str, other: str, reason: str
    ) -> None:
        configured[variable] = re.sub(part, other, configured[variable])

        with pytest.raises(Trouble, match=f"the database of notify: {reason}") as refused:
            async with stack.running(tmp_path, environment=configured, say=lambda _: None):
                pass

        assert f" {variable} " in refused.value.remedy
        assert "migration" not in refused.value.remedy

    async def test_whose_migrations_were_changed_says_so(
        self, tmp_path: Path, configured: dict[str, str], database_urls: DatabaseUrls
    ) -> None:
        owner = await asyncpg.connect(database_urls("notify").owner)
        await owner.execute("UPDATE schema_migrations SET checksum = 'x'")
        await owner.close()

        with pytest.raises(Trouble, match="it cannot be migrated") as refused:
            async with stack.running(tmp_path, environment=configured, say=lambda _: None):
                pass

        assert refused.value.remedy == stack.MIGRATION_REMEDY


class TestEnvironmentOf:
    def test_gives_each_service_its_own_secrets_and_nothing_of_the_migrations(self, tmp_path: Path) -> None:
        base = stack.Foundations(
            data=tmp_path,
            bootstrap="127.0.0.1:9092",
            broker="Apache Kafka",
            idempotent=True,
            forgot=False,
            postgres="PostgreSQL",
            databases={name: Urls(application=f"{name}-app", owner=f"{name}-owner") for name in stack.SERVICES},
            secrets=folder.keep_secrets(tmp_path, stack.SERVICES),
            first_run=True,
            supervisor=cast(Supervisor, None),
        )
        urls = {name: stack.local(port) for name, port in stack.PORTS.items()}

        told = {name: stack.environment_of(name, urls, base) for name in stack.SERVICES}

        owned = {
            secret: [name for name in stack.SERVICES if base.secrets[secret] in told[name].values()]
            for secret in base.secrets
        }
        assert {secret: names for secret, names in owned.items() if names} == {
            "VAULT_KEK": ["intake"],
            "VAULT_INDEX_KEY": ["intake"],
            "NOTIFY_SECRET_KEY": ["notify"],
            "LEDGER_KEY": ["audit"],
        }
        for name in stack.SERVICES:
            databases = {key: value for key, value in told[name].items() if "DATABASE_URL" in key and value}
            assert databases == {f"DATABASE_URL_{name.upper()}": f"{name}-app"}


class TestTellAgain:
    async def test_points_at_every_row(self, database_urls: DatabaseUrls) -> None:
        urls = database_urls("kit")
        database = await connect(urls.application, service="intake")
        async with database.work(actor.system("intake", "test"), purpose="test") as work:
            for _ in range(20):
                work.emit(a_voyage())
        before = await database.fetch("SELECT position FROM outbox ORDER BY position")
        await database.pool.execute("DELETE FROM outbox WHERE position % 3 > 0")

        await stack.tell_again(urls)

        assert len(before) > 1
        assert await database.fetch("SELECT position FROM outbox ORDER BY position") == before
        await database.aclose()
