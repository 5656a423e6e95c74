"""How much agreement tells: Fellegi and Sunter's weights, thresholds, and what is found in words of codes.

A weight is log2(m/u) in bits: how much likelier a level of agreement is among two records of one person (m) than of two
people who share a key (u). Both were counted on the training half of the labelled set
(`python -m tests.intake.matching_set --learn`); `MISSING` weighs nothing. Re-learn when names, fields or keys change.
"""

import math
from collections.abc import Mapping
from typing import Literal

from services.intake.domain.matching.fields import MISSING

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "name": {
        "same_rare": 3.37,
        "spelt_rare": 3.37,
        "same_common": -0.5,
        "spelt_common": -0.5,
        "part_rare": -0.5,
        "part_common": -1.58,
        "some": -4.94,
        "other": -4.94,
    },
    "father": {"same": 2.39, "close": 0.68, "other": -10.93},
    "mother": {"same": 1.83, "close": 0.72, "other": -7.23},
    "birth": {
        "same": 6.37,
        "swapped": 2.58,
        "slip": 1.1,
        "within": 0.88,
        "near": -2.92,
        "years": -2.92,
        "other": -7.09,
    },
    "nik": {"same": 12.77, "slip": 2.12, "serial": 0.77, "other": -12.54},
    "document": {"same": 13.43, "slip": 8.02, "other": -0.5},
    "regency": {"same": 0.34, "province": -1.86, "other": -1.86},
    "birthplace": {"same": 4.39, "close": 2.61, "other": -11.26},
    "sex": {"same": 0.87, "other": -5.89},
}

PROPOSED_FROM = 4.0
"""Bits from which a person is asked to decide: `python -m tests.intake.matching_set --choose`."""
STRONG_FROM = 12.0
"""Bits from which hardly anybody is somebody else."""
MOST_COMPARED = 30
"""Of a name that thousands have, more would tell nothing: those whose shared keys tell most, then the latest."""
ALONE = math.log(2**20)
"""What a key tells that one record alone has, in nats; less by the logarithm of how many have it."""

Strength = Literal["strong", "possible"]


def weigh(levels: Mapping[str, str]) -> float:
    """Bits for all fields together; below zero it speaks against one person."""
    return sum(WEIGHTS[field][level] for field, level in levels.items() if level != MISSING)


def told_by(holders: int) -> float:
    """What it tells to share a key that so many records have."""
    return ALONE - math.log(holders)


def strength_of(bits: float) -> Strength:
    """How a pair that is proposed is called."""
    return "strong" if bits >= STRONG_FROM else "possible"
