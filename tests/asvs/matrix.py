"""The requirements of `requirements.toml`, held against the tree, and docs/asvs.md made of them."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("requirements.toml")
DOCUMENT = ROOT / "docs" / "asvs.md"

STATES = ("tests", "inspection", "not_applicable", "open")
MOST_WORDS = 15
SENTENCE = re.compile(r"[A-Z`].{19,}[.]", re.DOTALL)


class Unsound(Exception):
    """The source says something of a requirement that cannot be so. One line per mistake."""


@dataclass(frozen=True)
class Chapter:
    """`sections` has the number of requirements of each section, `target` the level that is wanted here."""

    number: int
    title: str
    target: int
    sections: tuple[int, ...]

    def ids(self) -> Iterator[str]:
        for section, many in enumerate(self.sections, start=1):
            yield from (f"{self.number}.{section}.{n}" for n in range(1, many + 1))


@dataclass(frozen=True)
class Requirement:
    """`proof` is a sentence, or of `tests` their ids; `seen` are the places that an inspection looked at."""

    id: str
    level: int
    demand: str
    state: str
    proof: str | tuple[str, ...]
    seen: tuple[str, ...] = ()

    @property
    def chapter(self) -> int:
        return int(self.id.partition(".")[0])


@dataclass(frozen=True)
class Matrix:
    chapters: tuple[Chapter, ...]
    requirements: tuple[Requirement, ...]

    def of(self, chapter: Chapter) -> list[Requirement]:
        return [r for r in self.requirements if r.chapter == chapter.number]

    def open(self, *, within_target: bool) -> list[Requirement]:
        targets = {chapter.number: chapter.target for chapter in self.chapters}
        return [r for r in self.requirements if r.state == "open" and (r.level <= targets[r.chapter]) is within_target]


def read(text: str | None = None) -> Matrix:
    """The whole source, sound. Raises `Unsound`."""
    said = tomllib.loads(SOURCE.read_text(encoding="utf-8") if text is None else text)
    chapters = tuple(Chapter(**{**c, "sections": tuple(c["sections"])}) for c in said["chapter"])
    wanted = [id_ for chapter in chapters for id_ in chapter.ids()]
    entries: list[dict[str, Any]] = said["requirement"]
    given = Counter(str(entry.get("id")) for entry in entries)
    wrong = [f"{id_}: is not there" for id_ in wanted if id_ not in given]
    wrong += [f"{id_}: there is no such requirement" for id_ in given if id_ not in wanted]
    wrong += [f"{id_}: stands here {many} times" for id_, many in given.items() if many > 1]
    wrong += [f"{entry.get('id')}: {mistake}" for entry in entries for mistake in _mistakes(entry)]
    if wrong:
        raise Unsound("\n".join(wrong))
    place = {id_: n for n, id_ in enumerate(wanted)}
    return Matrix(chapters, tuple(sorted(map(_requirement, entries), key=lambda r: place[r.id])))


def _requirement(entry: Mapping[str, Any]) -> Requirement:
    [state] = [state for state in STATES if state in entry]
    proof = tuple(entry[state]) if state == "tests" else " ".join(entry[state].split())
    return Requirement(entry["id"], entry["level"], entry["demand"], state, proof, tuple(entry.get("seen", ())))


def _mistakes(entry: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one entry by itself."""
    if unknown := entry.keys() - {"id", "level", "demand", "seen", *STATES}:
        yield f"says something that is not asked: {', '.join(sorted(unknown))}"
    if entry.get("level") not in (1, 2, 3):
        yield "has no level"
    if not 3 <= len(str(entry.get("demand", "")).split()) <= MOST_WORDS:
        yield f"says in no words of ours, or in more than {MOST_WORDS}, what is demanded"
    states = [state for state in STATES if state in entry]
    if len(states) != 1:
        yield f"has {' and '.join(states) or 'nothing'} where exactly one of {', '.join(STATES)} is needed"
        return
    [state] = states
    if state == "tests":
        if not entry["tests"]:
            yield "names no test"
        yield from (f"there is no test {id_}" for id_ in entry["tests"] if not is_test(id_))
    elif not SENTENCE.fullmatch(str(entry[state]).strip()):
        yield f"has no whole sentence for {state}"
    if state == "not_applicable" and not str(entry[state]).strip().startswith("Because "):
        yield "does not say because of what it is not applicable"
    if (state == "inspection") != bool(entry.get("seen")):
        yield "an inspection, and nothing else, names what was looked at (`seen`)"
    yield from (f"there is no {place}" for place in entry.get("seen", ()) if not is_there(place))


def is_test(id_: str) -> bool:
    """True for the id of a test, or of a class of tests, that exists."""
    path, *names = id_.split("::")
    file = ROOT / path
    if not names or not names[-1].startswith(("test_", "Test")) or not re.fullmatch(r"tests/.*test_\w+\.py", path):
        return False
    if not file.is_file():
        return False
    body: Sequence[ast.stmt] = _parsed(file).body
    for name in names:
        found = next((n for n in body if getattr(n, "name", None) == name.partition("[")[0]), None)
        if not isinstance(found, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        body = found.body
    return True


def is_there(place: str) -> bool:
    """True for a file (`path`) or something in it (`path::name`): what Python defines there, else a text."""
    path, _, name = place.partition("::")
    file = ROOT / path
    if not file.is_file():
        return not name and file.is_dir()
    if not name:
        return True
    if file.suffix != ".py":
        return name in file.read_text(encoding="utf-8")
    nodes = list(ast.walk(_parsed(file)))
    known = {getattr(node, "name", None) for node in nodes}
    known |= {node.id for node in nodes if isinstance(node, ast.Name)}
    known |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return set(name.split(".")) <= known


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def document(matrix: Matrix) -> str:
    """docs/asvs.md."""
    missing, beyond = matrix.open(within_target=True), matrix.open(within_target=False)
    lines = [
        "# OWASP ASVS 5.0",
        "",
        "Made by `make asvs` from [requirements.toml](../tests/asvs/requirements.toml); do not edit. The requirements",
        "are those of the [standard](https://github.com/OWASP/ASVS) (OWASP Foundation, CC BY-SA 4.0), told in a few",
        "words of our own; what counts is the standard. Each is met by tests, by an inspection that says what was",
        "looked at, or does not apply to us. What is open is not met yet.",
        "",
        *_counts(matrix),
        "",
        f"## Open: {len(missing)} within the target, {len(beyond)} beyond it",
        "",
        *(f"- **{r.id}** (level {r.level}) {r.demand}: {r.proof}" for r in (*missing, *beyond)),
        "",
    ]
    for chapter in matrix.chapters:
        lines += [
            f"## V{chapter.number} {chapter.title}",
            "",
            "| id | level | what is asked | state | proof |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| {r.id} | {r.level} | {r.demand} | {r.state.replace('_', ' ')} | {_proof(r)} |"
                for r in matrix.of(chapter)
            ),
            "",
        ]
    return "\n".join(lines)


def _counts(matrix: Matrix) -> Iterator[str]:
    yield "| chapter | target | requirements | tests | inspection | not applicable | open |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for chapter in matrix.chapters:
        mine = matrix.of(chapter)
        counts = Counter(r.state for r in mine)
        cells = " | ".join(str(counts[state]) for state in STATES)
        yield f"| V{chapter.number} {chapter.title} | level {chapter.target} | {len(mine)} | {cells} |"
    counts = Counter(r.state for r in matrix.requirements)
    cells = " | ".join(str(counts[state]) for state in STATES)
    yield f"| all | | {len(matrix.requirements)} | {cells} |"


def _proof(requirement: Requirement) -> str:
    if isinstance(requirement.proof, tuple):
        return "<br>".join(f"[{_short(id_)}](../{id_.partition('::')[0]})" for id_ in requirement.proof)
    seen = ", ".join(f"[{_short(place)}](../{place.partition('::')[0]})" for place in requirement.seen)
    return requirement.proof.replace("|", "\\|") + (f" Looked at: {seen}." if seen else "")


def _short(place: str) -> str:
    """`tests/kit/test_identity.py::TestSession::test_x` as `test_identity::TestSession::test_x`."""
    path, separator, name = place.partition("::")
    return f"`{Path(path).stem}{separator}{name}`" if name else f"`{path}`"
