"""What tests/forking.py starts behaves as what the interpreter starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forking
from tests.waiting import until

WAYS = {"started": (sys.executable, "-m"), "forked": None}


@pytest.fixture(params=WAYS)
def python(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return WAYS[request.param] or forking.python()


def said(python: tuple[str, ...], *command: str, **how: object) -> tuple[int, str, str]:
    done = subprocess.run([*python, *command], capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    return done.returncode, done.stdout, done.stderr


def once(statement: str) -> tuple[str, ...]:
    """A module that runs this once, and writes how long it took."""
    return "timeit", "-n1", "-r1", statement


def test_it_reads_writes_and_ends_as_it_ends(python: tuple[str, ...]) -> None:
    assert said(python, "json.tool", "--compact", input='{"a": [1]}') == (0, '{"a":[1]}\n', "")
    assert said(python, "json.tool", input="{") == (
        1,
        "",
        "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n",
    )


def test_it_has_the_environment_and_the_folder_of_whoever_starts_it(python: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "SAID": "so"}

    _, out, _ = said(python, *once("import os; print(os.environ['SAID'], os.getcwd())"), env=environment, cwd=tmp_path)

    assert out.startswith(f"so {tmp_path}\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_of_what_kills_it(python: tuple[str, ...], number: int) -> None:
    assert said(python, *once(f"import os; os.kill(os.getpid(), {int(number)})"))[0] == -number


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_what_ends_the_command_ends_the_program(python: tuple[str, ...], number: int) -> None:
    waiting = once("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    process = subprocess.Popen([*python, *waiting], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    program = int(process.stdout.readline())

    process.send_signal(number)

    assert process.wait(60) != 0
    await until(lambda: not is_running(program))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
