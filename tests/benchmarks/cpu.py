"""CPU time of the processes involved: steadier than the clock on the wall where others share the machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.site import Site

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def used(running: Site) -> dict[str, float]:
    """Seconds of CPU used so far, by process; all of PostgreSQL as one. Empty where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return {}
    seconds = {name: _seconds(running.pid(name)) for name in [*running.names, "kafka"]}
    server = running.rig.children.pid("postgres")
    below = [
        pid for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()) if _parent(pid) == server
    ]
    return {**seconds, "postgres": sum(map(_seconds, [server, *below]))}


def spent(before: Mapping[str, float], after: Mapping[str, float], arrivals: int) -> dict[str, float]:
    """Microseconds of CPU per arrival between two looks."""
    return {name: (after[name] - before[name]) * 1e6 / arrivals for name in before if name in after}


def _seconds(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / TICKS_PER_S


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _stat(pid: int) -> list[str]:
    """The fields after the name; none for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
