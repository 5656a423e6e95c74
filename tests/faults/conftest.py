"""The rig that all tests of this folder share, and the small pair of services of the kit's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import SERVICES
from tests.conftest import Background, PostgresServer
from tests.faults import rig as rigs
from tests.faults.rig import Rig
from tests.kit.conftest import hearer, speaker

__all__ = ["hearer", "rig", "speaker"]


@pytest.fixture(scope="package")
def rig(background: Background, scratch: Path, postgres_server: PostgresServer) -> Iterator[Rig]:
    """The whole stack, with places to cut."""
    made = {service: postgres_server.fresh(service) for service in SERVICES}
    standing = rigs.standing(scratch / "faults", {service: urls for service, (_, urls) in made.items()})
    try:
        yield background.run(standing.__aenter__())
        background.run(standing.__aexit__(None, None, None))
    finally:
        for name, _ in made.values():
            postgres_server.drop(name)
