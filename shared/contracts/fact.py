"""What every fact is made of, and the envelope in which a receiver finds it.

A fact carries codes, ids, times and counts. It has no free text: each string field is constrained by a
pattern or an enumeration, so that a name cannot travel in it (tests/contracts proves this).
"""

import re
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

__all__ = [
    "AwareDatetime",
    "Code",
    "Digest",
    "Fact",
    "Id",
    "Identifying",
    "ProvinceCode",
    "RegencyCode",
    "Told",
    "Version",
]


class Identifying:
    """Marks a field that can identify a person (`Annotated[str, Identifying()]`).

    Marked fields are sealed in intake's vault. No contract may have one.
    """


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID (version 7 when we make it) in its canonical text form. Text, because asyncpg takes it as it is."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
"""A code from a closed vocabulary or the id of an actor, organisation, agency or port. Never a name."""

Version = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
"""Kemendagri province code, `PP`."""
RegencyCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}\.[0-9]{2}$")]
"""Kemendagri regency or city code, `PP.KK`; `KK` from 71 is a city."""


class Fact(BaseModel):
    """One thing that happened. `case_id` is the case it is about and the key of its Kafka record.

    A fact that concerns no case (a voyage, a subscription, a log-in) carries the id of the thing it is
    about there; order and dense numbering hold per `case_id` either way.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]
    for_audit: ClassVar[bool] = False
    """True: it travels on `<service>.audit`, for the ledger alone, and not on `<service>.events`."""

    case_id: Id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        sender = cls.__module__.removeprefix("shared.contracts.").partition(".")[0]
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", re.sub(r"V\d+$", "", cls.__name__)).lower()
        major = (re.search(r"V(\d+)$", cls.__name__) or [None, "1"])[1]
        cls.type = f"{sender}.{words}.v{major}"


F = TypeVar("F", bound=Fact)


class Told(BaseModel, Generic[F]):
    """The payload of a record: who did it, why, what caused it, and the fact itself in `data`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    actor: Code
    organisation: Code
    role: Code
    purpose: Code
    caused_by: Id | None = None
    data: F
