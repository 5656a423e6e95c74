"""What the demo makes of what it found: when it is content, and what it says when it is not."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from deploy.local.demo import checker, summary
from deploy.local.demo.leaks import Leak
from deploy.local.demo.summary import Outcome
from deploy.local.demo.voyage import Imported
from tests.journeys.test_demo_checker import a_sound_world, without


def an_outcome(**other: Any) -> Outcome:
    """That of a run without a fault."""
    sound = Outcome(
        broker="Apache Kafka 4.3.1",
        postgres="PostgreSQL 15.18",
        imported=Imported(manifest_id="m1", announced=3, problems=(), again=False),
        seen=a_sound_world(),
        verdict=checker.check(a_sound_world()),
        leaks=(),
        ledger_verified=True,
        ledger_said="10 leaves",
        listening="s1",
        received=frozenset({"d1", "d2"}),
        refused=0,
        halts=(),
        seconds=7.04,
    )
    return dataclasses.replace(sound, **other)


class TestOutcome:
    def test_of_a_run_without_a_fault_is_good(self) -> None:
        assert an_outcome().ok

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            ({"verdict": checker.check(without("deliveries")(a_sound_world()))}, "lost 1, doubled 0"),
            ({"leaks": (Leak("intake.events", "Siti"),)}, "identifying value in intake.events"),
            ({"ledger_verified": False}, "checkpoint verified: NO"),
            ({"refused": 2}, "refused by it 2"),
            ({"received": frozenset({"d1"})}, "1 not seen"),
            ({"halts": ("after 120 s there were still 1 notices on their way",)}, "came to a halt: after 120 s"),
        ],
        ids=lambda fault: next(iter(fault)) if isinstance(fault, Mapping) else "",
    )
    def test_is_not_good_when_one_thing_is_not(self, fault: dict[str, Any], said: str) -> None:
        outcome = an_outcome(**fault)

        assert not outcome.ok
        assert said in summary.text(outcome)

    def test_minds_only_notices_to_the_system_that_answers(self) -> None:
        assert an_outcome(listening="another", received=frozenset()).ok


class TestLine:
    def test_says_what_the_readme_promises_whatever_happened(self) -> None:
        whole, nothing = summary.line(an_outcome()), summary.nothing_known(7.04)

        assert list(whole) == list(nothing)
        assert (whole["lost"], whole["doubled"], whole["seconds"]) == (0, 0, 7.0)
        assert json.loads(json.dumps(nothing)) == {**dict.fromkeys(whole), "ledger_verified": False, "seconds": 7.0}
