"""`make soak` runs the property and fault tests, and runs them for longer than `make test` does."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import soaking
from tests.local.conftest import ROOT


@pytest.fixture
def soak() -> Iterator[None]:
    """The profile of `make soak`, for this test."""
    before = settings.get_current_profile_name()
    settings.load_profile("soak")
    yield
    settings.load_profile(before)


def recipe(pattern: str) -> str:
    """What the Makefile's recipe says there."""
    line = re.search(r"^soak:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line is not None
    found = re.search(pattern, line[1])
    assert found is not None, line[1]
    return found[1]


def run(*arguments: str) -> str:
    """What Python prints in the environment of the recipe."""
    environment = {**os.environ, "HYPOTHESIS_PROFILE": recipe(r"HYPOTHESIS_PROFILE=(\w+)")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=True
    ).stdout


class TestSoak:
    def test_loads_a_profile_of_its_own(self) -> None:
        said = run("-c", "from tests import conftest; from hypothesis import settings; print(settings().max_examples)")

        assert int(said) == soaking.USUAL * soaking.TIMES["soak"] > soaking.USUAL * soaking.TIMES["default"]

    def test_tries_many_times_as_much(self, soak: None) -> None:
        tried, tried_of_fifty = [], []

        @given(st.binary(min_size=8))
        def property_without_a_number(content: bytes) -> None:
            tried.append(content)

        @settings(max_examples=soaking.examples(50))
        @given(st.binary(min_size=8))
        def property_with_a_number(content: bytes) -> None:
            tried_of_fifty.append(content)

        property_without_a_number()
        property_with_a_number()

        assert len(tried) >= soaking.USUAL * soaking.TIMES["soak"]
        assert len(tried_of_fifty) >= 50 * soaking.TIMES["soak"]

    def test_selects_property_and_fault_tests_alone(self) -> None:
        files = (
            *("tests/faults/test_crash_points.py", "tests/faults/test_broker_away.py", "tests/intake/test_crashes.py"),
            *("tests/intake/test_domain.py", "tests/referral/test_interleavings.py", "tests/intake/test_policy.py"),
        )

        said = run("-m", "pytest", "-m", recipe(r'-m "([^"]+)"'), *files, "--collect-only", "-q")

        chosen = {file: int(n) for file, n in re.findall(r"^(tests/\S+\.py): (\d+)$", said, re.MULTILINE)}
        assert set(chosen) == set(files) - {"tests/intake/test_policy.py"}
        assert chosen["tests/faults/test_crash_points.py"] > 100
