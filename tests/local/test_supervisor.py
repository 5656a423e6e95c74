"""Child processes: started and explained, started again, stopped with all their own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import supervisor
from deploy.local.report import Trouble
from deploy.local.supervisor import Child, Supervisor
from tests.local.conftest import all_gone, runs


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Supervisor]:
    (tmp_path / "run").mkdir()
    children = Supervisor(tmp_path, print)
    yield children
    await children.stop_all([])


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


async def yes(_pid: int) -> bool:
    return True


async def no(_pid: int) -> bool:
    return False


class TestStart:
    async def test_explains_a_child_that_ends_before_it_is_ready_by_its_last_line(self, children: Supervisor) -> None:
        child = Child("intake", python("print('VAULT_KEK is missing'); raise SystemExit(78)"), ready=no)

        with pytest.raises(Trouble, match='ended with code 78; its last line was "VAULT_KEK is missing"'):
            await children.start(child)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("could not write: No space left on device", "the disk is full"),
            ("could not bind: Address already in use", "its port is taken"),
            ("java.lang.UnsupportedClassVersionError: x", "the Java is too old"),
        ],
    )
    async def test_knows_the_usual_reasons(self, children: Supervisor, line: str, reason: str) -> None:
        with pytest.raises(Trouble, match=reason):
            await children.start(Child("kafka", python(f"print({line!r}); raise SystemExit(1)"), ready=no))

    async def test_takes_no_reason_from_an_earlier_run(self, children: Supervisor) -> None:
        with pytest.raises(Trouble, match="the disk is full"):
            await children.start(Child("kafka", python("raise SystemExit('No space left on device')"), ready=no))

        with pytest.raises(Trouble, match='kafka: ended with code 1; its last line was "out of luck"'):
            await children.start(Child("kafka", python("raise SystemExit('out of luck')"), ready=no))
        with pytest.raises(Trouble, match=r"kafka: ended with code 3\. Read"):
            await children.start(Child("kafka", python("raise SystemExit(3)"), ready=no))

    async def test_gives_up_on_a_child_that_does_not_get_ready(self, children: Supervisor) -> None:
        with pytest.raises(Trouble, match=r"not ready after 0\.2 s"):
            await children.start(Child("intake", python("import time; time.sleep(60)"), ready=no, ready_s=0.2))

        pid = children.pid("intake")
        await children.stop_all([])
        assert not runs(pid)

    async def test_names_a_program_that_is_not_there(self, children: Supervisor) -> None:
        with pytest.raises(Trouble, match="/no/such/program could not be started"):
            await children.start(Child("kafka", ["/no/such/program"]))

    async def test_takes_a_variable_away_when_its_value_is_empty(
        self, children: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TAKEN_AWAY", "something")
        show = "import os; print(os.environ.get('TAKEN_AWAY'), os.environ.get('GIVEN'))"

        await supervisor.finish(Child("x", python(show), {"TAKEN_AWAY": "", "GIVEN": "yes"}), tmp_path / "x.log")

        assert (tmp_path / "x.log").read_text().splitlines()[2:] == ["None yes"]


class TestRestart:
    async def test_starts_a_service_again_after_it_was_killed(
        self, children: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervisor, "BACK_OFF_S", (0.05,))
        await children.start(Child("intake", python("import time; time.sleep(60)"), ready=yes, restart=True))
        first = children.pid("intake")

        os.kill(first, signal.SIGKILL)

        async with asyncio.timeout(5):
            while children.pid("intake") == first:
                await asyncio.sleep(0.02)
        assert runs(children.pid("intake"))

    async def test_waits_longer_each_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "run").mkdir()
        said: list[str] = []
        children = Supervisor(tmp_path, said.append)
        monkeypatch.setattr(supervisor, "BACK_OFF_S", (0.01, 0.02, 0.04))

        await children.start(Child("intake", python("raise SystemExit(3)"), restart=True))
        async with asyncio.timeout(10):
            while len(said) < 4:
                await asyncio.sleep(0.02)
        await children.stop_all([])

        pauses = [line.split("again in ")[1].split(" s")[0] for line in said[:4]]
        assert pauses == ["0.01", "0.02", "0.04", "0.04"]

    async def test_does_not_start_the_broker_again_but_gives_the_whole_stack_up(self, children: Supervisor) -> None:
        await children.start(Child("kafka", python("import time; time.sleep(60)"), ready=yes))

        os.kill(children.pid("kafka"), signal.SIGKILL)

        with pytest.raises(Trouble, match="kafka: was killed by SIGKILL"):
            async with asyncio.timeout(5):
                await children.failed()


class TestStop:
    async def test_kills_a_child_that_does_not_listen_with_all_its_own(
        self, children: Supervisor, tmp_path: Path
    ) -> None:
        stubborn = (
            "import os, signal, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "pid = os.fork()\n"
            "print(pid, flush=True) if pid else None\n"
            "time.sleep(60)\n"
        )
        log = children.log("intake")

        async def said_something(_pid: int) -> bool:
            return len(log.read_text().splitlines()) > 2

        await children.start(Child("intake", python(stubborn), ready=said_something, stop_s=0.2))
        pids = [children.pid("intake"), int(log.read_text().splitlines()[2])]

        await children.stop("intake")

        assert all_gone(pids, 2)
        assert not list((tmp_path / "run").iterdir())

    async def test_goes_stage_by_stage(self, children: Supervisor, tmp_path: Path) -> None:
        note = (
            "import signal, sys, time\n"
            "def end(*_):\n"
            "    time.sleep(0.2); open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit()\n"
            "signal.signal(signal.SIGTERM, end)\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)\n"
        )
        order = tmp_path / "order"
        for name in ("postgres", "kafka", "intake", "agency"):
            log = children.log(name)

            async def listens(_pid: int, log: Path = log) -> bool:
                return log.exists() and "ready" in log.read_text()

            await children.start(Child(name, [*python(note), str(order), name], ready=listens))

        await children.stop_all([["intake"], ["kafka"], ["postgres"]])

        assert order.read_text().split() == ["agency", "intake", "kafka", "postgres"]
