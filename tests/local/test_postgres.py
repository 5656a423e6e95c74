"""A real PostgreSQL: whose binaries, which roles, and a start after one that was killed."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import plain_user, ports, postgres
from deploy.local.postgres import Server, Urls
from deploy.local.report import Trouble
from deploy.local.supervisor import Supervisor


def a_postgres(folder: Path, version: str) -> Path:
    """Programs that say they are this PostgreSQL, in a folder to be put on the path."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that every account may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="rujukan-test-") as name:
        data = Path(name) / "data"
        data.parent.chmod(0o755)
        for part in ("logs", "run"):
            (data / part).mkdir(parents=True)
        yield data


class Desk:
    """Starts one server on a folder, again and again."""

    def __init__(self, data: Path) -> None:
        self.data = data / "postgres"
        self.children = Supervisor(data, print)

    async def begin(self, **environment: str) -> Server:
        server = await postgres.prepare(
            *(self.data, self.children.log("initdb")),
            port=ports.free(),
            password="a-password",
            environment={**os.environ, **environment},
            durable=False,
        )
        await self.children.start(server.child())
        return server

    async def end(self) -> None:
        await self.children.stop_all([["postgres"]])


@pytest.fixture
async def desk(data: Path) -> AsyncIterator[Desk]:
    desk = Desk(data)
    yield desk
    await desk.end()


class TestFind:
    def test_takes_the_systems_when_it_is_new_enough(self, tmp_path: Path) -> None:
        folder = a_postgres(tmp_path / "bin", "99.2")

        found = postgres.find({"PATH": str(folder)})

        assert (found.folder, found.version, found.origin) == (folder, "99.2", "the system's")

    def test_takes_the_wheels_when_the_systems_is_too_old(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "glob", lambda *_: [])
        folder = a_postgres(tmp_path / "bin", "14.9")

        found = postgres.find({"PATH": str(folder)})

        assert found.origin == "from the wheel"
        assert found.major >= postgres.OLDEST

    def test_takes_the_one_that_made_the_data(self, tmp_path: Path) -> None:
        older, newer = a_postgres(tmp_path / "a", "97.1"), a_postgres(tmp_path / "b", "98.0")

        found = postgres.find({"PATH": f"{newer}:{older}"}, major=97)

        assert found.folder == older

    def test_refuses_data_of_a_version_that_is_not_here(self) -> None:
        with pytest.raises(Trouble, match="the data was made by version 12"):
            postgres.find(dict(os.environ), major=12)


class TestAServer:
    async def test_gives_each_service_a_role_that_owns_and_a_role_that_only_uses(self, desk: Desk) -> None:
        server = await desk.begin()

        urls = await provide(server)

        owner, application = await asyncpg.connect(urls.owner), await asyncpg.connect(urls.application)
        await owner.execute("CREATE TABLE things (thing text)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.fetch("SELECT thing FROM things")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute("CREATE TABLE others (thing text)")
        flags = await application.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert not any(flags)
        await owner.close()
        await application.close()

    async def test_lets_no_service_into_the_database_of_another(self, desk: Desk) -> None:
        server = await desk.begin()
        passwords = {f"{name}_{role}": "secret" for name in ("one", "two") for role in ("owner", "app")}
        urls = await postgres.provide(server, ["one", "two"], passwords)

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(urls["one"].application.removesuffix("/one") + "/two")

    async def test_wants_the_password(self, desk: Desk) -> None:
        server = await desk.begin()

        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url(password="a-guess"))

    async def test_provides_a_second_time_without_complaint(self, desk: Desk) -> None:
        server = await desk.begin()

        assert await provide(server) == await provide(server)

    async def test_starts_although_the_number_of_a_killed_one_belongs_to_another_process(self, desk: Desk) -> None:
        await desk.begin()
        pid_file = desk.data / "postmaster.pid"
        left = pid_file.read_text().splitlines()
        await desk.end()
        with subprocess.Popen(["sleep", "60"]) as other:  # not ourselves: PostgreSQL forgives its parent
            pid_file.write_text("\n".join([str(other.pid), *left[1:]]) + "\n")

            try:
                await desk.begin()
            finally:
                other.kill()

    async def test_starts_once_the_last_helper_of_a_killed_one_is_gone(self, desk: Desk) -> None:
        connection = await asyncpg.connect((await desk.begin()).url())
        helper = await connection.fetchval("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        await connection.close()
        os.kill(helper, signal.SIGSTOP)
        os.kill(desk.children.pid("postgres"), signal.SIGKILL)
        await desk.end()
        asyncio.get_running_loop().call_later(0.5, os.kill, helper, signal.SIGCONT)

        await desk.begin()

    @pytest.mark.skipif(not plain_user.needed(), reason="only root has to become somebody else")
    @pytest.mark.parametrize("which", ["system", "wheel"])
    async def test_runs_for_root_where_user_namespaces_are_forbidden(self, desk: Desk, which: str) -> None:
        os.environ["RUJUKAN_USERNS"] = "off"
        try:
            server = await desk.begin(RUJUKAN_POSTGRES=which)
        finally:
            del os.environ["RUJUKAN_USERNS"]

        assert server.data.stat().st_uid == plain_user.account().pw_uid


async def provide(server: Server) -> Urls:
    return (await postgres.provide(server, ["some"], {"some_owner": "one", "some_app": "two"}))["some"]
