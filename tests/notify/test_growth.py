"""What is asked of a few notices reads no more when many wait: plans that were made before stay."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest

from services.notify.store import deliveries
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests import growing
from tests.growing import Ask
from tests.notify.conftest import START

CLOCK = system("notify", "clock")
LATELY = START - timedelta(hours=1)
MANY = 300
FEW = 20
WAITING = """
INSERT INTO deliveries (delivery_id, subscription_id, organisation, test, event_id, event_type, case_id, need, body,
    status, created_at, queued_at, next_attempt_at)
SELECT gen_random_uuid(), $1, 'SBMI', FALSE, gen_random_uuid(), 'referral.referral_opened.v1', gen_random_uuid(), 'GBV',
    '{}', 'queued', now(), now(), now() FROM generate_series(1, $2)
"""


@pytest.mark.parametrize(
    "ask",
    [
        partial(deliveries.suppress_restricted, since=LATELY, limit=500),
        partial(
            deliveries.suppress_stopped, organisations=["SBMI"], classes=["civil_society"], since=LATELY, limit=500
        ),
        partial(deliveries.list_attempts, delivery_ids=[new_id()], scope="SBMI"),
    ],
    ids=["restricted", "stopped", "attempts"],
)
async def test_reads_its_own_alone(database: Database, subscribe: Callable[..., Awaitable[str]], ask: Ask) -> None:
    subscription_id = await subscribe()
    await growing.plan(database, CLOCK, ask)

    await database.fetch(WAITING, subscription_id, MANY)
    await database.fetch(
        "WITH told AS (SELECT DISTINCT case_id FROM deliveries LIMIT 2), stopped AS ("
        " INSERT INTO stops (case_id, recipient_class, need, seq, stopped, since)"
        " SELECT case_id, 'civil_society', '*', 1, TRUE, $1 FROM told)"
        " INSERT INTO restricted_needs (case_id, need, since) SELECT case_id, 'TIP', $1 FROM told",
        START,
    )

    assert await growing.read(database, CLOCK, "deliveries", ask) <= FEW
