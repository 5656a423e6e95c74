"""A record from Kafka as a handler gets it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from shared.contracts.fact import Fact, Told

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Heard(Generic[F]):
    """One record, read. `told` is None for a listener to everything, which keeps the bytes as they are."""

    event_id: str
    source: str
    type: str
    case_id: str
    case_seq: int
    occurred_at: datetime
    traceparent: str | None
    shared: bool
    payload: bytes
    told: Told[F] | None = None

    @property
    def fact(self) -> F:
        """The fact itself; only for those who listen to its type."""
        assert self.told is not None
        return self.told.data
