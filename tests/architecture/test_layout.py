"""The tree has the shape that docs and contracts promise: a reader who knows one service knows all."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(p for p in (ROOT / "services").iterdir() if (p / "__init__.py").exists())

REQUIRED = {
    "README.md",
    "__init__.py",
    "__main__.py",
    "settings.py",
    "api.py",
    "pages.py",
    "consumers.py",
    "actions.py",
    "policy.py",
    "domain.py",
    "store.py",
    "schema.sql",
}
OPTIONAL = {"clock.py", "commands.py", "gateways.py"}
FOLDERS = {"templates", "static", "locale", "migrations", "rules", "screening"}


def parts(service: Path) -> set[str]:
    """The service's files, with a package of a file's name standing for the file."""
    return {
        f"{p.name}.py" if p.is_dir() and (p / "__init__.py").exists() else p.name
        for p in service.iterdir()
        if p.name != "__pycache__" and p.name not in FOLDERS
    }


def imported(file: Path) -> set[str]:
    """Every module a file imports, dotted."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def modules_named(name: str) -> list[Path]:
    return [
        file
        for service in SERVICES
        for file in ([service / f"{name}.py"] if (service / f"{name}.py").exists() else (service / name).rglob("*.py"))
    ]


def test_the_frame_alone_sums_up_what_is_wrong() -> None:
    pages = [*ROOT.glob("services/*/templates/*.html"), *ROOT.glob("shared/kit/templates/*.html")]
    assert [p.name for p in pages if "parts.error_summary(" in p.read_text(encoding="utf-8")] == ["shell.html"]


def test_there_are_four_services() -> None:
    assert [s.name for s in SERVICES] == ["audit", "intake", "notify", "referral"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
def test_each_service_has_the_same_files(service: Path) -> None:
    found = parts(service)

    assert found >= REQUIRED, f"missing: {REQUIRED - found}"
    assert found <= REQUIRED | OPTIONAL, f"unknown: {found - REQUIRED - OPTIONAL}"


@pytest.mark.parametrize("file", modules_named("domain"), ids=lambda f: str(f.relative_to(ROOT)))
def test_a_domain_imports_only_the_standard_library_and_codes(file: Path) -> None:
    service = file.relative_to(ROOT / "services").parts[0]

    for name in imported(file):
        assert (
            name.split(".")[0] in sys.stdlib_module_names
            or name.startswith((f"services.{service}.domain", "shared.contracts.codes"))
            or name == "shared.contracts.codes"
        ), name


def test_only_stores_and_the_platform_import_the_database_driver() -> None:
    offenders = [
        str(file.relative_to(ROOT))
        for service in SERVICES
        for file in service.rglob("*.py")
        if any(n.split(".")[0] == "asyncpg" for n in imported(file)) and "store" not in str(file.relative_to(service))
    ]

    assert offenders == []


def test_nothing_asks_for_the_time_but_the_clock() -> None:
    inner = [f for name in ("domain", "policy", "store", "actions") for f in modules_named(name)]
    offenders = [
        str(f.relative_to(ROOT))
        for f in inner
        if any(
            call in f.read_text(encoding="utf-8") for call in ("datetime.now(", "time.time(", "date.today(", "utcnow(")
        )
    ]

    assert offenders == []


def test_what_a_page_shows_is_waited_for() -> None:
    """A press does not wait for the page it leads to: an assertion that looks once is right or wrong by chance."""
    once = re.compile(r"assert (?:not )?await .+\.(?:count|is_visible|is_hidden)\(\)")
    found = [
        f"{file.relative_to(ROOT)}:{number} looks once; say `await expect(…).to_have_count(…)` or `to_be_visible()`"
        for file in sorted((ROOT / "tests").rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if once.search(line)
    ]
    assert found == []
