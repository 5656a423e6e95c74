"""A service killed between any two steps loses nothing and doubles nothing.

Each point of the source is reached by a small landing through the public API. In `make test` one process of each
service dies in every round, all in the same landing, until every point had its turn; in `make soak` every service
dies alone at each point it can reach, the first, the second and the third time it passes.
"""

import asyncio
import itertools
import signal
from collections.abc import Mapping

import pytest

from deploy.local.demo import ledger
from deploy.local.demo.stage import Stage
from tests.conftest import Background
from tests.faults import playing, points
from tests.faults.rig import Rig

TALKERS = ("intake", "referral", "notify")

REACHED: dict[str, tuple[str, ...]] = {
    # A list is confirmed.
    "manifest.after_begin": ("intake",),
    "manifest.after_batch": ("intake",),
    "manifest.after_rows": ("intake",),
    "manifest.after_finish": ("intake",),
    # One person is recorded by the short form.
    "arrivals.after_commit": ("intake",),
    # An agency that accepted asks who the person is.
    "disclosure.after_commit": ("intake",),
    # Arrivals become needs; an agency answers; another one is silent.
    "referral.after_open": ("referral",),
    "referral.between_attempts": ("referral",),
    "referral.after_chase": ("referral",),
    # The NGO is told.
    "notify.after_claim": ("notify",),
    "notify.before_post": ("notify",),
    "notify.after_answer": ("notify",),
    # Every row becomes a leaf, and the leaves a checkpoint.
    "ledger.leaves_written": ("audit",),
    "seal.before_tiles": ("audit",),
    "seal.after_tiles": ("audit",),
    "seal.before_commit": ("audit",),
    "seal.after_commit": ("audit",),
    # The platform's own, in whichever service. The first one named dies in `make test`, all of them in `make soak`.
    "work.before_journal": ("referral", "intake", "notify"),
    "work.before_commit": ("referral", "intake", "notify"),
    "work.after_commit": ("notify", "intake", "referral"),
    "relay.before_send": ("intake", "referral", "notify"),
    "relay.after_send": ("referral", "intake", "notify"),
    "relay.after_delete": ("notify", "intake", "referral"),
    "inbox.after_effect": ("referral", "intake", "notify", "audit"),
    "inbox.before_offsets": ("notify", "intake", "referral", "audit"),
}
"""For each crash point the services whose process dies there; above each group, what of the landing leads there."""


def rounds() -> list[dict[str, str]]:
    """Each point once: in every round at most one per service."""
    of = {service: [point for point, by in REACHED.items() if by[0] == service] for service in points.SERVICES}
    return [
        {service: point for service, point in zip(of, chosen, strict=True) if point is not None}
        for chosen in itertools.zip_longest(*of.values())
    ]


def test_every_point_of_the_source_has_its_turn_and_every_turn_its_point() -> None:
    assert points.in_the_source() == REACHED.keys()
    assert {point for killed in rounds() for point in killed.values()} == REACHED.keys()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("killed", rounds(), ids=lambda killed: "+".join(killed.values()))
def test_nothing_is_lost_or_doubled(rig: Rig, background: Background, killed: dict[str, str]) -> None:
    background.run(survive(rig, killed))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("passes", [1, 2, 3])
@pytest.mark.parametrize(("point", "service"), [(point, service) for point, by in REACHED.items() for service in by])
def test_nothing_is_lost_or_doubled_alone(
    rig: Rig, background: Background, point: str, service: str, passes: int
) -> None:
    background.run(survive(rig, {service: f"{point}:{passes}"}, landings=passes))


def test_the_ledger_of_all_this_is_whole(rig: Rig, background: Background) -> None:
    proof = background.run(ledger.verify(Stage(rig.running, rig.http), rig.databases.connections))

    assert proof.verified, proof.said


async def survive(rig: Rig, killed: Mapping[str, str], *, landings: int = 1) -> None:
    """Land while these services die where they are told to, then wait for rest and look what there is."""
    await playing.subscribe(rig)
    armed = await asyncio.gather(*(rig.arm(service, point) for service, point in killed.items()))
    mending = [asyncio.create_task(rig.mend(*one)) for one in zip(killed, armed, strict=True)]
    agencies = playing.Agencies(rig)
    for _ in range(landings):
        landing = await playing.land(rig)
        await agencies.tend()
    ends = dict(zip(killed, await asyncio.gather(*mending), strict=True))
    await agencies.tend()
    await rig.settle()

    assert ends == dict.fromkeys(killed, -signal.SIGKILL), "a point was not passed"
    assert await playing.judge(rig, landing) == []
