"""From records to leaves."""

import os
from collections.abc import Sequence
from typing import Any

from services.audit import store
from services.audit.domain import leaves, merkle
from shared.kit.crash import crash_point
from shared.kit.heard import Heard
from shared.kit.work import Work


async def add_leaves(work: Work, heard: Sequence[Heard[Any]]) -> None:
    """Give each record that has none its place in the tree; a checkpoint covers it within a second.

    Places are given under one lock that is held to the end of the work, so they are dense in the order of commit.
    """
    once = {h.event_id: h for h in heard}.values()
    salts = os.urandom(leaves.SALT_BYTES * len(once))
    new = [_new_leaf(h, salts[at * leaves.SALT_BYTES : (at + 1) * leaves.SALT_BYTES]) for at, h in enumerate(once)]
    await store.lock_sequencer(work)
    await store.add_leaves(work, new)
    crash_point("ledger.leaves_written")


def _new_leaf(heard: Heard[Any], salt: bytes) -> store.NewLeaf:
    commitment = leaves.commitment(salt, heard.payload)
    data = leaves.data(
        event_id=heard.event_id,
        source=heard.source,
        type_=heard.type,
        case_id=heard.case_id,
        case_seq=heard.case_seq,
        occurred_at=heard.occurred_at,
        commitment=commitment,
    )
    return store.NewLeaf(
        event_id=heard.event_id,
        source=heard.source,
        type=heard.type,
        case_id=heard.case_id,
        case_seq=heard.case_seq,
        occurred_at=heard.occurred_at,
        commitment=commitment,
        hash=merkle.leaf_hash(data),
        salt=salt,
        payload=heard.payload,
    )
