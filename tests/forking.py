"""Programs that start in a moment: each is forked from a process that has imported it before, and dies like any.

`python -m services.intake …` imports for two seconds. `[*forking.python(), "services.intake", …]` does the same with
what one process has imported for all. The command is a small one that hands arguments, environment and open files
over and ends as the program ends; when it is killed, so is the program. The tests of the launcher, of the service
itself and of the whole stack start the real thing.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILES = 3
"""Standard input, output and errors."""


class Asked(NamedTuple):
    """What to run, where and with what."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str


@cache
def python() -> tuple[str, ...]:
    """What stands before the name of a module in a command; starts the process that forks when first asked."""
    place = tempfile.TemporaryDirectory(prefix="rujukan-fork-")
    address = f"{place.name}/socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        command = [sys.executable, "-m", "tests.forking", str(listening.fileno())]
        root = Path(__file__).parents[1]
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[listening.fileno()], cwd=root, start_new_session=True
        )

    def end() -> None:
        server.communicate()
        place.cleanup()

    atexit.register(end)
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("forked.py")), address)


def next_asked(listening: socket.socket) -> Asked | None:
    """What somebody asked for, in the process that is to do it; None when whoever started this one has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in ready:
            return None
        asker, _ = listening.accept()
        asked, files = received(asker)
        imported(asked.module)
        assert threading.active_count() == 1, "a process with threads cannot be forked"
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            program = os.fork()
            if program == 0:
                asker.close()
                for number, file in enumerate(files):
                    os.dup2(file, number)
                    os.close(file)
                return asked
            keep(asker, program, files)
        for file in files:
            os.close(file)
        asker.close()


def received(asker: socket.socket) -> tuple[Asked, list[int]]:
    _, files, _, _ = socket.recv_fds(asker, 1, FILES)
    with asker.makefile("rb") as lines:
        return Asked(*json.loads(lines.readline())), files


def imported(module: str) -> None:
    """Import what the program will want, and forget the part of it that is run."""
    package = importlib.import_module(module)
    if hasattr(package, "__path__"):
        module += ".__main__"
        importlib.import_module(module)
    del sys.modules[module]
    gc.collect()
    gc.freeze()


def keep(asker: socket.socket, program: int, files: list[int]) -> None:
    """Pass on signals to the program and its end to who asked; kill it when they are gone."""
    for file in files:
        os.close(file)

    def pass_on() -> None:
        with suppress(ProcessLookupError):
            while number := asker.recv(1):
                os.kill(program, number[0])
            os.kill(program, signal.SIGKILL)

    threading.Thread(target=pass_on, daemon=True).start()
    _, status = os.waitpid(program, 0)
    with suppress(OSError):
        asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def run(asked: Asked) -> None:
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.folder)
    sys.path[0] = asked.folder
    importlib.reload(importlib.import_module("shared.kit.crash"))  # asks the environment when it is imported
    sys.argv[1:] = asked.arguments
    runpy.run_module(asked.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        asked = next_asked(listening)
    if asked is not None:
        run(asked)
