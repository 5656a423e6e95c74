"""How much agreement tells: Fellegi and Sunter's weights, thresholds, and what is found in words of codes.

A weight is log2(m/u) in bits: how much likelier a level of agreement is among two records of one person (m) than of two
people who share a key (u). Both were counted on the training half of the labelled set
(`python -m tests.intake.matching_set --learn`); `MISSING` weighs nothing. Re-learn when names, fields or keys change.
"""

from collections.abc import Mapping
from typing import Literal

from services.intake.domain.matching.fields import MISSING

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "name": {
        "same_rare": 3.34,
        "spelt_rare": 3.34,
        "same_common": -0.54,
        "spelt_common": -0.54,
        "part_rare": -0.54,
        "part_common": -1.59,
        "some": -4.61,
        "other": -4.61,
    },
    "father": {"same": 2.41, "close": 0.98, "other": -10.95},
    "mother": {"same": 1.76, "close": 0.72, "other": -7.2},
    "birth": {
        "same": 6.34,
        "swapped": 2.52,
        "slip": 1.1,
        "within": 0.87,
        "near": -2.94,
        "years": -2.94,
        "other": -7.09,
    },
    "nik": {"same": 12.71, "slip": 1.9, "serial": 0.67, "other": -12.54},
    "document": {"same": 13.37, "slip": 7.97, "other": -0.5},
    "regency": {"same": 0.32, "province": -1.8, "other": -1.8},
    "birthplace": {"same": 4.4, "close": 2.55, "other": -11.26},
    "sex": {"same": 0.86, "other": -5.89},
}

PROPOSED_FROM = 4.0
"""Bits from which a person is asked to decide."""
STRONG_FROM = 12.0
"""Bits from which hardly anybody is somebody else."""
MOST_COMPARED = 100
"""Those that share most keys, the latest first: of a name that thousands have, more would tell nothing."""

Strength = Literal["strong", "possible"]


def weigh(levels: Mapping[str, str]) -> float:
    """Bits for all fields together; below zero it speaks against one person."""
    return sum(WEIGHTS[field][level] for field, level in levels.items() if level != MISSING)


def strength_of(bits: float) -> Strength:
    """How a pair that is proposed is called."""
    return "strong" if bits >= STRONG_FROM else "possible"
