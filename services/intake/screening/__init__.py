"""Questionnaires of the screening, one file a version. What was answered is read by the version it was asked with."""

from functools import cache
from pathlib import Path

import orjson

from services.intake.domain.screening import Questionnaire, questionnaire_of

FOLDER = Path(__file__).parent


@cache
def versions() -> tuple[str, ...]:
    """All there are, the oldest first."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.json")))


@cache
def load(version: str) -> Questionnaire:
    """One of `versions`. Raises `Unsound` for a file with a question, a rule or a weight that cannot be."""
    return questionnaire_of(orjson.loads((FOLDER / f"{version}.json").read_bytes()))


def current() -> Questionnaire:
    """The version that is asked now."""
    return load(versions()[-1])
