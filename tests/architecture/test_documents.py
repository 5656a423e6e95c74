"""What the documents name is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = ROOT / "docs/invariants.md"  # looked at more closely in test_promises
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")} - {PROMISES})
DECISIONS = sorted((ROOT / "docs/adr").glob("*.md"))
TEST = re.compile(r"\btests/[\w/.]*\w(?:::\w+)*")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PARTS = ("Context.", "Decision.", "Consequences.", "Alternatives.", "Enforced by", "Revisit when")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_names_tests_and_files_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    for named in TEST.findall(text):
        path, *names = named.split("::")
        assert (ROOT / path).exists(), named
        if names:
            tree = ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
            assert set(names) <= {getattr(node, "name", None) for node in tree}, named
    for link in LINK.findall(text):
        assert (document.parent / link).exists(), link


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda file: file.stem)
def test_a_decision_says_why_what_enforces_it_and_when_to_think_again(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")

    at = [text.find(f"**{part}") for part in PARTS]
    assert -1 not in at, PARTS[at.index(-1)]
    assert at == sorted(at)
    assert f"{int(decision.stem[:4])}. " in text.splitlines()[0]
