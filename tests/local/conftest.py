"""Launchers as processes of their own, so that they can be killed."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local import folder

ROOT = Path(__file__).parents[2]
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("RUJUKAN_", "KAFKA_", "DATABASE_URL", "MIGRATION_DATABASE_URL", "PORT"))
}


@dataclass
class Launcher:
    """A launcher that runs; `said` is everything it wrote so far."""

    process: subprocess.Popen[bytes]
    data: Path
    said: str = ""
    told: dict[str, str] = field(default_factory=dict)

    def wait_for(self, sign: str, seconds: float = 60) -> None:
        """Read until a line begins with this sign."""
        assert self.process.stdout is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                chunk = os.read(self.process.stdout.fileno(), 65536)
                self.said += chunk.decode()
                if not chunk:
                    break
            if any(line.startswith(sign) for line in self.said.splitlines()) and self.said.endswith("\n"):
                if sign == "READY":
                    line = next(line for line in self.said.splitlines() if line.startswith("READY "))
                    self.told = json.loads(line.removeprefix("READY "))
                return
        raise AssertionError(f"no {sign} within {seconds} s; it said: {self.said}")

    def children(self) -> dict[str, int]:
        """Names and process ids of what it started."""
        return {file.stem: int(file.read_text().split()[0]) for file in (self.data / "run").glob("*.pid")}

    def end(self, sign: signal.Signals) -> float:
        """Signal it and wait; returns the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(20)
        return time.monotonic() - began


Launch = Callable[..., Launcher]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """`launch()` starts a launcher on this test's data folder; keywords are environment variables."""
    started: list[Launcher] = []

    def start(module: str = "tests.local.launch", *arguments: str, **environment: str) -> Launcher:
        data = tmp_path / "data"
        process = subprocess.Popen(
            [sys.executable, "-m", module, *(arguments or [str(data)])],
            cwd=ROOT,
            env={**CLEAN, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(Launcher(process, data))
        return started[-1]

    yield start
    for launcher in started:
        if launcher.process.poll() is None:
            launcher.process.kill()
            launcher.process.wait()


def runs(pid: int) -> bool:
    """True while this process lives (a zombie does not)."""
    return folder.birth_of(pid) != ""


def all_gone(pids: list[int], seconds: float = 15) -> bool:
    """True once none of these processes lives."""
    until = time.monotonic() + seconds
    while any(runs(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
