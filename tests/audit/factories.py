"""Leaves and records that are consistent in themselves."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord

from services.audit.domain import merkle
from services.audit.domain.leaves import Leaf, commitment, data
from shared.kit.ids import new_id

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CASE = "019ab000-0000-7000-8000-000000000001"


def a_payload(case_id: str, *, caused_by: str | None = None, by: str = "petugas", **fact: object) -> bytes:
    """The envelope of a record; `by="system"` is a service's own doing."""
    told = {"actor": by, "organisation": "BP3MI-65", "role": "port_officer", "purpose": "screening"}
    if by == "system":
        told = {"actor": "referral.consumer", "organisation": "rujukan", "role": "system", "purpose": "hear"}
    return json.dumps({**told, "caused_by": caused_by, "data": {"case_id": case_id, **fact}}).encode()


def a_leaf(
    *,
    index: int = 0,
    source: str = "intake",
    type_: str = "intake.arrival_recorded.v1",
    case_id: str = CASE,
    case_seq: int = 1,
    occurred_at: datetime = NOON,
    salt: bytes = b"s" * 32,
    payload: bytes | None = None,
) -> Leaf:
    event_id = new_id()
    payload = payload or a_payload(case_id)
    committed = commitment(salt, payload)
    leaf_data = data(
        event_id=event_id,
        source=source,
        type_=type_,
        case_id=case_id,
        case_seq=case_seq,
        occurred_at=occurred_at,
        commitment=committed,
    )
    return Leaf(
        index, event_id, source, type_, case_id, case_seq, occurred_at, committed, merkle.leaf_hash(leaf_data), salt,
        payload,
    )  # fmt: skip


def a_record(
    *,
    source: str = "intake",
    type_: str = "intake.arrival_recorded.v1",
    case_id: str = CASE,
    case_seq: int = 1,
    event_id: str | None = None,
    payload: bytes | None = None,
    occurred_at: datetime = NOON,
    offset: int = 0,
) -> ConsumerRecord[Any, Any]:
    """One record as the relay of a service sends it."""
    payload = payload or a_payload(case_id)
    headers: Sequence[tuple[str, bytes]] = (
        ("ce_specversion", b"1.0"),
        ("ce_id", (event_id or new_id()).encode()),
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("ce_time", occurred_at.isoformat().encode()),
        ("ce_sequence", str(case_seq).encode()),
    )
    return ConsumerRecord(
        topic=f"{source}.events",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=1,
        key=case_id.encode(),
        value=payload,
        checksum=None,
        serialized_key_size=36,
        serialized_value_size=len(payload),
        headers=headers,
    )
