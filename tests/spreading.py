"""How `make test` spreads the tests over processes: by files, each process on servers, ports and a browser of its own.

A folder that shares something costly to start stays in one process, and begins first, so that none ends long after
the others.
"""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.local import ports

TOGETHER = ("tests/faults/", "tests/journeys/", "tests/web/")
NEEDS = 3 * 2**30
"""The memory of one process with a stack, a broker, a database server and a browser."""


def unit_of(nodeid: str) -> str:
    """The name of what stays in one process with this test: a folder's or a file's."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


class ByUnit(LoadScopeScheduling):  # type: ignore[misc]
    """Whoever is free takes the next unit, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors, where there is memory for its servers.

    Whoever waits for a broker that is away or for a service that starts leaves a processor to the others.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return processors + (memory >= (processors + 1) * NEEDS)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByUnit:
    config.option.loadscopereorder = False
    return ByUnit(config, log)


def ports_of_this_process() -> range:
    """What tests here choose from: a port that is chosen and not yet listened on, or not for a moment, is safe so."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return ports.QUIET_RANGE[number::count]


def first_things_first(items: list[pytest.Item]) -> None:
    """Sort: what stays together is begun before everything else."""
    items.sort(key=lambda item: unit_of(item.nodeid) not in TOGETHER)
