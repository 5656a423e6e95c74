"""Child processes that start in order, are watched, and never outlive this process."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local import folder, report
from deploy.local.report import Trouble

Ready = Callable[[int], Awaitable[bool]]  # asked with the child's process id
POLL_S = 0.1
BACK_OFF_S = (0.5, 1, 2, 5, 10, 30)
CALM_S = 60  # a child that ran this long begins its back-off anew
BEGINS = "\n==== started "  # stands in a log before what one run wrote
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Child:
    """What to start. `ready` is asked until it says yes or `ready_s` have passed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)  # added to ours; an empty value takes one away
    ready: Ready | None = None
    ready_s: float = 60
    restart: bool = False  # False: its end is the end of the whole stack
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 5
    enter: Callable[[], None] | None = None  # run in the child between fork and exec, e.g. to change the user


class Supervisor:
    """Starts children, restarts those that may be, and stops all of them in reverse order."""

    def __init__(self, data: Path, say: report.Say = report.to_stderr) -> None:
        self._data = data
        self._say = say
        self._children: dict[str, Child] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._trouble: asyncio.Future[Trouble] = asyncio.get_running_loop().create_future()

    async def start(self, child: Child) -> None:
        """Start a child and wait until it is ready; raises `Trouble` when it ends or does not get ready."""
        self._children[child.name] = child
        self._spawn(child)
        await wait_ready(child, self._processes[child.name], self.log(child.name))
        self._watches[child.name] = asyncio.create_task(self._watch(child), name=f"watch {child.name}")

    async def start_all(self, children: Sequence[Child]) -> None:
        """Start children side by side and wait until all are ready."""
        await together(*(self.start(child) for child in children))

    async def stop(self, name: str) -> None:
        """Stop one child: its signal, then SIGKILL to its whole group."""
        if watch := self._watches.pop(name, None):
            watch.cancel()
        process = self._processes.pop(name, None)
        child = self._children.pop(name, None)
        if process is not None and child is not None:
            await end(process, child.stop_signal, child.stop_s)
            folder.forget_child(self._data, name)

    async def stop_all(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop stage after stage, and before them, side by side, every child that stands in no stage."""
        staged = {name for stage in stages for name in stage}
        for stage in ([name for name in self._children if name not in staged], *stages):
            await asyncio.gather(*(self.stop(name) for name in stage))

    async def failed(self) -> None:
        """Raise `Trouble` once a child whose end is fatal has ended; until then wait."""
        raise await asyncio.shield(self._trouble)

    def log(self, name: str) -> Path:
        """Where the output of a child goes."""
        return self._data / "logs" / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process id of a running child (it changes when the child is restarted)."""
        return self._processes[name].pid

    async def _watch(self, child: Child) -> None:
        tries = 0
        while True:
            process, began = self._processes[child.name], time.monotonic()
            while process.poll() is None:
                await asyncio.sleep(POLL_S)
            how = ended_how(process.returncode)
            if not child.restart:
                if not self._trouble.done():
                    self._trouble.set_result(ended_badly(child, how, self.log(child.name)))
                return
            tries = 0 if time.monotonic() - began > CALM_S else tries + 1
            pause = BACK_OFF_S[min(tries, len(BACK_OFF_S)) - 1] if tries else BACK_OFF_S[0]
            self._say(f"{child.name} {how}; starting it again in {pause:g} s (see {self.log(child.name)})")
            await asyncio.sleep(pause)
            self._spawn(child)

    def _spawn(self, child: Child) -> None:
        process = spawn(child, self.log(child.name))
        self._processes[child.name] = process
        folder.note_child(self._data, child.name, process.pid)


async def together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Do these side by side; when one fails, none of the others goes on, and its own error is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def spawn(child: Child, log: Path) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own that gets its stop signal when this process dies.

    Must be called from the main thread: the kernel sends that signal when the *thread* that forked ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    parent = os.getpid()

    def prepare() -> None:
        if child.enter is not None:
            child.enter()
        # After a change of user: that change makes the kernel forget the signal.
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, int(child.stop_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    with log.open("ab") as out:
        with contextlib.suppress(OSError):  # a full disk is the child's to tell
            os.write(out.fileno(), f"{BEGINS}{child.name} at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode())
        try:
            return subprocess.Popen(
                list(child.command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in {**os.environ, **child.environment}.items() if value},
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - forked from the main thread of a process without other threads
            )
        except OSError as error:
            raise Trouble(
                child.name, f"{child.command[0]} could not be started ({error.strerror})", "See that it is installed."
            ) from error


async def finish(child: Child, log: Path, *, patience_s: float = 120) -> None:
    """Run a child to its end; raises `Trouble` when it fails or takes longer than `patience_s`."""
    process = spawn(child, log)
    until = time.monotonic() + patience_s
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                raise Trouble(child.name, f"not done after {patience_s:g} s{last_words(log)}", f"Read {log}.")
            await asyncio.sleep(0.02)
    finally:
        await end(process, signal.SIGTERM, 1)
    if process.returncode:
        raise ended_badly(child, ended_how(process.returncode), log)


async def wait_ready(child: Child, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until the child is ready; raises `Trouble` when it ends before, or takes longer than `ready_s`."""
    until = time.monotonic() + child.ready_s
    while child.ready is not None and not await child.ready(process.pid):
        if process.poll() is not None:
            raise ended_badly(child, ended_how(process.returncode), log)
        if time.monotonic() > until:
            raise Trouble(child.name, f"not ready after {child.ready_s:g} s{last_words(log)}", f"Read {log}.")
        await asyncio.sleep(0.05)


async def end(process: subprocess.Popen[bytes], gently: signal.Signals, patience_s: float) -> None:
    """End a process: its signal, then SIGKILL to the whole group; returns when it is gone."""
    if process.poll() is None:
        process.send_signal(gently)
        until = time.monotonic() + patience_s
        while process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.02)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    while process.poll() is None:
        await asyncio.sleep(0.02)


def ended_how(code: int) -> str:
    """How a process ended, in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


KNOWN_ENDS = (
    ("No space left on device", "the disk is full", "Free some space, then start again; nothing acknowledged is lost."),
    ("Address already in use", "its port is taken", "Start again: another one is chosen then."),
    ("address already in use", "its port is taken", "Start again: another one is chosen then."),
    ("Cannot allocate memory", "memory is short", "Free some memory; the stack needs about 1 GiB."),
    ("UnsupportedClassVersionError", "the Java is too old", "Install Java 17 or newer, or set RUJUKAN_JAVA=wheel."),
)


def ended_badly(child: Child, how: str, log: Path) -> Trouble:
    """The trouble that a child's end is, explained from its last lines where they are known."""
    tail = _tail(log)
    for sign, reason, remedy in KNOWN_ENDS:
        if sign in tail:
            return Trouble(child.name, f"{how}, {reason}", remedy)
    return Trouble(child.name, f"{how}{last_words(log)}", f"Read {log}.")


def last_words(log: Path) -> str:
    """The last line a child wrote, ready to be appended to a sentence; empty when it wrote none."""
    lines = [line for line in _tail(log).splitlines() if line.strip()]
    return f'; its last line was "{lines[-1].strip()[:200]}"' if lines else ""


def _tail(log: Path, size: int = 8000) -> str:
    """The end of what the last run wrote; what earlier ones wrote explains nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - size))
            last = file.read().decode(errors="replace").rpartition(BEGINS)
    except OSError:
        return ""
    return last[2].partition("\n")[2] if last[1] else last[2]
