"""Ports: the usual one or another that is free, given to nobody twice; and who holds one."""

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from deploy.local import ports
from deploy.local.report import Trouble
from tests import spreading


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def desk() -> Iterator[ports.Desk]:
    with ports.Desk() as desk:
        yield desk


class TestChoose:
    def test_takes_the_usual_one_when_it_is_free(self, desk: ports.Desk) -> None:
        port = ports.free()

        assert desk.choose("intake", port, {}, print) == port

    def test_takes_another_when_the_usual_one_is_taken_and_says_so(self, desk: ports.Desk, taken: int) -> None:
        said: list[str] = []

        port = desk.choose("intake", taken, {}, said.append)

        assert port != taken
        assert said == [f"Port {taken} is taken; intake listens on {port}."]

    def test_refuses_when_the_one_that_was_asked_for_is_taken(self, desk: ports.Desk, taken: int) -> None:
        with pytest.raises(Trouble, match=f"port {taken} for intake: another program listens there"):
            desk.choose("intake", ports.free(), {"PORT_INTAKE": str(taken)}, print)

    def test_gives_no_port_to_two_stacks_that_start_at_the_same_time(self, desk: ports.Desk) -> None:
        port = ports.free()
        with ports.Desk() as other:
            assert other.choose("intake", port, {}, print) == port

            assert desk.choose("intake", port, {}, print) != port

        assert desk.choose("intake", port, {}, print) == port

    @pytest.mark.parametrize("wrong", ["eighty", "0", "70000", "-1"])
    def test_refuses_what_is_no_port(self, desk: ports.Desk, wrong: str) -> None:
        with pytest.raises(Trouble, match="is no port"):
            desk.choose("intake", ports.free(), {"PORT_INTAKE": wrong}, print)


class TestFree:
    def test_gives_none_twice(self) -> None:
        assert len({ports.free() for _ in range(500)}) == 500

    def test_gives_none_that_tests_in_another_process_are_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
        given: list[int] = []
        for name in ("gw0", "gw1", "gw2"):
            monkeypatch.setenv("PYTEST_XDIST_WORKER", name)
            given += spreading.ports_of_this_process()

        assert sorted(given) == list(ports.QUIET_RANGE)


class TestIsHeldBy:
    def test_tells_ours_from_anybody_elses(self, taken: int) -> None:
        other = subprocess.Popen(["sleep", "60"])

        assert ports.is_held_by(taken, os.getpid())
        assert not ports.is_held_by(taken, other.pid)
        assert not ports.is_held_by(ports.free(), os.getpid())

        other.kill()
        other.wait()
