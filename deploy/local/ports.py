"""Ports on loopback: the usual one if it is free, else another, never one that a program may borrow meanwhile."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from deploy.local import report
from deploy.local.report import Trouble

# Below the range from which the system lends ports to outgoing connections.
QUIET_RANGE = range(20_000, 30_000)


def is_free(port: int) -> bool:
    """True when a server can listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free() -> int:
    """A port that nobody listens on. What this process was given before comes again only after all others."""
    for port in islice(_in_turn(), 200):
        if is_free(port):
            return port
    raise Trouble("ports", "no free port was found on 127.0.0.1", "See what listens there (ss -ltn).")


@cache
def _in_turn() -> Iterator[int]:
    return cycle(random.sample(QUIET_RANGE, len(QUIET_RANGE)))


class Desk:
    """Gives out ports; two stacks of one user that start at the same time never get the same one."""

    def __init__(self) -> None:
        self._kept = ExitStack()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def choose(self, name: str, usual: int, environment: Mapping[str, str], say: report.Say) -> int:
        """The port for a service: PORT_<NAME> if set (taken → `Trouble`), else the usual one, else a free one."""
        variable = f"PORT_{name.upper()}"
        if wanted := environment.get(variable):
            if not wanted.isdigit() or not 0 < int(wanted) < 65536:
                raise Trouble(variable, f'"{wanted}" is no port', "Give a number from 1 to 65535, or unset it.")
            if not self._reserve(int(wanted)):
                raise Trouble(
                    f"port {wanted} for {name}",
                    "another program listens there",
                    f"Stop it, or unset {variable} to let a free port be taken.",
                )
            return int(wanted)
        if self._reserve(usual):
            return usual
        port = free()
        while not self._reserve(port):
            port = free()
        say(f"Port {usual} is taken; {name} listens on {port}.")
        return port

    def _reserve(self, port: int) -> bool:
        """True when the port is free and no other stack is about to use it."""
        try:
            folder = Path(tempfile.gettempdir()) / f"rujukan-ports-{os.getuid()}"
            folder.mkdir(mode=0o700, exist_ok=True)
            file = self._kept.enter_context((folder / str(port)).open("w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # without a place for such files two stacks may meet; readiness finds that out
        return is_free(port)


def is_held_by(port: int, pid: int) -> bool:
    """True when it is this process that listens on the port, and not one that was quicker.

    Asks /proc; where there is none, the answer is always yes.
    """
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    if not tables[0].exists():
        return True
    rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    try:
        return any(str(file.readlink()) in listening for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
