"""Which Java runs the broker: the machine's if it is new enough, else that of a wheel."""

from pathlib import Path

import pytest

from deploy.local import java
from deploy.local.report import Trouble


def a_java(folder: Path, version: str) -> Path:
    """A program that says it is this Java, in a folder to be put on the path."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    program.chmod(0o755)
    return program


class TestFind:
    def test_takes_the_machines_when_it_is_new_enough(self, tmp_path: Path) -> None:
        program = a_java(tmp_path, "17.0.15")

        found = java.find({"PATH": str(program.parent)}, print)

        assert (found.program, found.major, found.origin) == (program, 17, "the machine's")

    def test_prefers_the_newest_of_the_machines(self, tmp_path: Path) -> None:
        on_path, at_home = a_java(tmp_path / "a", "17.0.15"), a_java(tmp_path / "b", "21")

        found = java.find({"PATH": str(on_path.parent), "JAVA_HOME": str(tmp_path / "b")}, print)

        assert (found.program, found.major) == (at_home, 21)

    @pytest.mark.parametrize(("version", "major"), [("11.0.2", 11), ("1.8.0_402", 8)])
    def test_takes_the_wheels_when_the_machines_is_too_old_and_says_so(
        self, tmp_path: Path, version: str, major: int
    ) -> None:
        said: list[str] = []

        found = java.find({"PATH": str(a_java(tmp_path, version).parent)}, said.append)

        assert (found.major, found.origin) == (25, "from the wheel")
        assert said == [f"The machine's Java is {major}, Kafka needs 17; taking Java 25 from a wheel."]

    def test_refuses_a_too_old_one_when_only_the_machines_may_be_taken(self, tmp_path: Path) -> None:
        environment = {"PATH": str(a_java(tmp_path, "11.0.2").parent), "RUJUKAN_JAVA": "system"}

        with pytest.raises(Trouble, match="version 11, Kafka needs 17 or newer") as refused:
            java.find(environment, print)

        assert "Install Java 17" in refused.value.remedy

    def test_does_not_trip_over_a_program_that_does_not_run(self, tmp_path: Path) -> None:
        program = a_java(tmp_path, "21")
        program.write_text("#!/nowhere/at/all\n")

        assert java.find({"PATH": str(program.parent)}, print).origin == "from the wheel"
