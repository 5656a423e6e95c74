"""The broker's jars: exactly those of the lock file, fetched when missing, their sums checked at every start."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import report
from deploy.local.report import Trouble

KAFKA = Path(__file__).with_name("kafka.lock")
KAFKA_TOOLS = Path(__file__).with_name("kafka-tools.lock")
CONNECT_S = 5
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of a lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    def path(self, repository: Path) -> Path:
        """Where a Maven repository keeps it."""
        return repository.joinpath(
            *self.group.split("."), self.artifact, self.version, f"{self.artifact}-{self.version}.jar"
        )


def listed(lock: Path) -> list[Jar]:
    """The jars of a lock file."""
    lines = (line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return [Jar(*line) for line in lines]


def cache(environment: Mapping[str, str]) -> Path:
    """The folder that keeps the jars from run to run, shared by all checkouts of a user."""
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "rujukan" / "jars"


def provide(lock: Path, environment: Mapping[str, str], say: report.Say) -> list[Path]:
    """The paths of all jars of a lock file, each with the right sum.

    A missing jar is fetched; a damaged one is fetched again, once. Raises `Trouble`: no network, damaged again, disk
    full. RUJUKAN_MAVEN_MIRROR is the URL of another Maven repository to ask.
    """
    repository = cache(environment)
    jars = listed(lock)
    try:
        repository.mkdir(parents=True, exist_ok=True)
        with _alone(repository), ThreadPoolExecutor(AT_ONCE) as pool:
            sums = dict(zip(jars, pool.map(lambda jar: sum_of(jar.path(repository)), jars), strict=True))
            for jar, found in sums.items():
                if found not in (None, jar.sha256):
                    say(f"{jar.path(repository).name} in the cache is damaged; fetching it again.")
                    jar.path(repository).unlink()
            wrong = [jar for jar, found in sums.items() if found != jar.sha256]
            if wrong:
                _fetch(wrong, repository, environment.get("RUJUKAN_MAVEN_MIRROR"), pool, say)
    except OSError as error:
        raise Trouble(
            f"the jar cache {repository}",
            error.strerror or str(error),
            "Free some space or allow writing there, or point XDG_CACHE_HOME elsewhere.",
        ) from error
    return [jar.path(repository) for jar in jars]


def _fetch(jars: list[Jar], repository: Path, mirror: str | None, pool: ThreadPoolExecutor, say: report.Say) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 - half a second, and a warm start needs none of it

    # Artifact by artifact: a transitive resolution of the three roots picks an older kafka-clients.
    maven = MavenContext(repo_cache=repository, remote_repos={"mirror": mirror} if mirror else None, timeout=CONNECT_S)

    def one(jar: Jar) -> None:
        maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()

    say(f"Fetching {len(jars)} jars of Apache Kafka (42 MiB in all) into {repository} …")
    waiting = {pool.submit(one, jar): jar for jar in jars}
    try:
        for done, future in enumerate(as_completed(waiting), 1):
            _check(waiting[future], future, repository)
            if done % 10 == 0 or done == len(jars):
                say(f"  {done} of {len(jars)} jars")
    except (Trouble, OSError):
        for future in waiting:
            future.cancel()
        wait(waiting)
        for jar in jars:
            if sum_of(jar.path(repository)) != jar.sha256:
                jar.path(repository).unlink(missing_ok=True)
        raise


def _check(jar: Jar, fetched: Future[None], repository: Path) -> None:
    path = jar.path(repository)
    try:
        fetched.result()
    except (OSError, RuntimeError) as error:  # jgo's errors of the network are OSErrors without a number
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EDQUOT):
            raise
        raise Trouble(
            f"fetching {path.name}",
            f"the Maven repository does not answer ({type(error).__name__})",
            "See that the machine has a network, or name a mirror in RUJUKAN_MAVEN_MIRROR.",
        ) from error
    if (found := sum_of(path)) != jar.sha256:
        raise Trouble(
            path.name,
            f"what was fetched has the SHA-256 {found}, the lock file says {jar.sha256}",
            "The source is damaged or forged: try another network or mirror (RUJUKAN_MAVEN_MIRROR).",
        )


def sum_of(path: Path) -> str | None:
    """The SHA-256 of a file in hex; None when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def _alone(repository: Path) -> Iterator[None]:
    """Only one launcher at a time fetches into a cache."""
    handle = os.open(repository / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
