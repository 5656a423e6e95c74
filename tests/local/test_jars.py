"""The broker's jars: fetched once, by the sums of the lock file, or refused."""

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.report import Trouble

GOOD = b"a jar" * 1000
NAMES = ("one", "two")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def publish(root: Path, content: bytes) -> None:
    for name in NAMES:
        path = jars.Jar("org.example", name, "1.0", "").path(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.with_suffix(".jar.sha1").write_text(hashlib.sha1(content).hexdigest())


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "some.lock"
    lines = [f"org.example {name} 1.0 {hashlib.sha256(GOOD).hexdigest()}" for name in NAMES]
    file.write_text("# comment\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A cache of its own, and a repository on loopback that serves what `publish` put into tmp_path/maven."""
    root = tmp_path / "maven"
    publish(root, GOOD)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "RUJUKAN_MAVEN_MIRROR": f"http://127.0.0.1:{server.server_port}",
    }
    server.shutdown()
    server.server_close()


class TestProvide:
    def test_fetches_what_is_missing_and_nothing_the_second_time(
        self, lock: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        said: list[str] = []

        paths = jars.provide(lock, environment, said.append)

        assert [path.read_bytes() for path in paths] == [GOOD, GOOD]
        assert all(path.is_relative_to(tmp_path / "cache" / "rujukan") for path in paths)
        assert "Fetching 2 jars" in said[0]
        assert jars.provide(lock, {**environment, "RUJUKAN_MAVEN_MIRROR": "http://127.0.0.1:9"}, print) == paths

    @pytest.mark.parametrize("damaged", [b"", GOOD[:-1], GOOD + b"x"], ids=["empty", "cut", "grown"])
    def test_fetches_a_damaged_jar_again(self, lock: Path, environment: dict[str, str], damaged: bytes) -> None:
        path = jars.provide(lock, environment, print)[1]
        path.write_bytes(damaged)
        said: list[str] = []

        jars.provide(lock, environment, said.append)

        assert path.read_bytes() == GOOD
        assert said[0] == "two-1.0.jar in the cache is damaged; fetching it again."

    def test_refuses_a_forged_source_and_keeps_nothing_of_it(
        self, lock: Path, environment: dict[str, str], tmp_path: Path
    ) -> None:
        publish(tmp_path / "maven", b"forged")

        with pytest.raises(Trouble, match="the lock file says") as refused:
            jars.provide(lock, environment, print)

        assert "RUJUKAN_MAVEN_MIRROR" in refused.value.remedy
        for name in NAMES:
            assert not jars.Jar("org.example", name, "1.0", "").path(tmp_path / "cache" / "rujukan" / "jars").exists()

    def test_says_that_the_repository_does_not_answer(self, lock: Path, environment: dict[str, str]) -> None:
        nobody = {**environment, "RUJUKAN_MAVEN_MIRROR": "http://127.0.0.1:9"}

        with pytest.raises(Trouble, match="the Maven repository does not answer") as refused:
            jars.provide(lock, nobody, print)

        assert "network" in refused.value.remedy

    def test_says_which_folder_it_may_not_write_to(self, lock: Path, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file stands where the folder should")

        with pytest.raises(Trouble, match="the jar cache") as refused:
            jars.provide(lock, {"XDG_CACHE_HOME": str(tmp_path / "cache")}, print)

        assert "XDG_CACHE_HOME" in refused.value.remedy


class TestTheLockFiles:
    def test_name_each_jar_once_with_its_sum(self) -> None:
        listed = jars.listed(jars.KAFKA) + jars.listed(jars.KAFKA_TOOLS)

        assert len(jars.listed(jars.KAFKA)) == 46
        assert len({(jar.group, jar.artifact) for jar in listed}) == len(listed)
        assert all(len(jar.sha256) == 64 for jar in listed)
        assert {jar.version for jar in listed if jar.group == "org.apache.kafka"} == {"4.3.1"}
