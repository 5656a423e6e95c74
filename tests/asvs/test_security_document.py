"""docs/security.md says what the code says: its figures, its keys, and each place where cryptography is used."""

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest

from services.intake.domain import disclosures, retention
from shared.kit import identity
from shared.kit.identity import sessions, sign_in

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/security.md").read_text(encoding="utf-8")
USES = dict(re.findall(r"^\| `([\w./]+)` \| (.+) \|$", DOCUMENT, re.MULTILINE))
LOCAL = "deploy/local/"

CRYPTOGRAPHY = {"hashlib", "hmac", "secrets", "ssl", "cryptography", "joserfc", "standardwebhooks", "Crypto", "nacl"}
CHANCE = {"random", "uuid", "uuid_utils", "zlib"}
PRIMITIVES = {
    *("hashlib.sha256", "hashlib.blake2b", "blake2b", "AESGCM", "Ed25519PrivateKey", "Ed25519PublicKey"),
    *("hmac.new", "hmac.compare_digest", "secrets.token_urlsafe", "ECKey", "OKPKey", "jws", "jwt", "Webhook"),
}
NO_PRIMITIVE = {
    *("InvalidTag", "InvalidSignature", "JoseError", "ExpiredTokenError", "UnsupportedAlgorithmError"),
    *("JWSAlgModel", "JWSRegistry", "hashlib._Hash", "ssl.SSLError", "ssl.CertificateError"),
}
FILES = [file for folder in ("services", "shared") for file in sorted((ROOT / folder).rglob("*.py"))]


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Package and name of each import; the name is empty where the whole package is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((str(node.module).partition(".")[0], alias.name) for alias in node.names)


def used(tree: ast.Module) -> set[str]:
    """What of the packages of cryptography a file uses by name."""
    names = {name for package, name in imported(tree) if package in CRYPTOGRAPHY and name}
    whole = {package for package, name in imported(tree) if package in CRYPTOGRAPHY and not name}
    return names | {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in whole
    }


def is_a_use(tree: ast.Module) -> bool:
    draws = any(isinstance(node, ast.Attribute) and node.attr == "urandom" for node in ast.walk(tree))
    return draws or any(package in CRYPTOGRAPHY | CHANCE for package, _ in imported(tree))


def test_names_every_use_of_cryptography_and_no_other() -> None:
    found = {str(f.relative_to(ROOT)) for f in FILES if is_a_use(ast.parse(f.read_text(encoding="utf-8")))}

    assert found == USES.keys() - {LOCAL}


def test_only_approved_primitives_are_used() -> None:
    for file in FILES:
        unknown = used(ast.parse(file.read_text(encoding="utf-8"))) - PRIMITIVES - NO_PRIMITIVE
        assert not unknown, f"{file.relative_to(ROOT)} uses {unknown}"


@pytest.mark.parametrize(
    "line",
    [
        "from cryptography.hazmat.primitives.ciphers.modes import ECB",
        "from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15",
        "import hashlib\nhashlib.md5(b'')",
        "import hashlib\nhashlib.new('md5')",
        "from Crypto.Cipher import DES",
    ],
)
def test_a_weak_primitive_would_be_seen(line: str) -> None:
    assert used(ast.parse(line)) - PRIMITIVES - NO_PRIMITIVE


def test_chance_that_can_be_guessed_makes_no_secret() -> None:
    """Where `random`, ids and sums come from that anybody can foretell, nothing else is made."""
    for file in FILES:
        packages = {package for package, _ in imported(ast.parse(file.read_text(encoding="utf-8")))}
        if packages & CHANCE and not packages & CRYPTOGRAPHY:
            assert "no secret" in USES[str(file.relative_to(ROOT))]
        if "random" in packages:
            assert not packages & CRYPTOGRAPHY, file


OLD_KEYS = {"VAULT_KEK_OLD", "NOTIFY_SECRET_KEY_OLD", "LEDGER_KEY_OLD"}


def test_names_every_key_that_a_service_is_given() -> None:
    keys = set(re.findall(r"^\| ([A-Z_]+) \|", DOCUMENT, re.MULTILINE))
    secret = {
        name.upper()
        for service in ("intake", "referral", "notify", "audit")
        for name, field in importlib.import_module(f"services.{service}.settings").Settings.model_fields.items()
        if not field.repr or "SecretStr" in str(field.annotation)
    }

    # Of databases and the KMS they let in, the keys are their own; an old key is told of with the one that followed it.
    assert secret - {"DATABASE_URL", "MIGRATION_DATABASE_URL", "KMS_TOKEN"} - OLD_KEYS == keys


@pytest.mark.parametrize(
    ("what", "said", "span"),
    [
        ("ends without use after", "minutes", sessions.IDLE),
        ("ends at the latest after", "hours", sessions.LONGEST),
        ("a log-in under way lasts", "minutes", sign_in.ATTEMPT_LASTS),
        (
            "recent, for a dangerous act",
            "minutes",
            timedelta(minutes=signature(identity.require_recent).parameters["minutes"].default),
        ),
    ],
)
def test_tells_how_long_sessions_last(what: str, said: str, span: timedelta) -> None:
    [number] = re.findall(rf"^\| {what} \| (\d+) {said} \|", DOCUMENT, re.MULTILINE)

    assert timedelta(**{said: int(number)}) == span


def test_tells_how_long_an_identity_may_be_looked_up() -> None:
    assert f"{disclosures.GRACE.days} days after help was given" in DOCUMENT


def test_tells_how_long_identities_are_kept() -> None:
    adult, victim, child = (
        retention.BY_CODE[f"identity_{code}"].after // retention.YEAR for code in ("adult", "victim", "child")
    )

    said = f"{adult} years after help has ended (victims of trafficking and violence {victim}, children {child})"
    assert said in DOCUMENT


def test_tells_of_every_class_what_protects_it() -> None:
    rows = re.findall(r"^\| (identity|case|restricted|access|secrets|public) \|(.+)\|$", DOCUMENT, re.MULTILINE)

    assert [name for name, _ in rows] == ["identity", "case", "restricted", "access", "secrets", "public"]
    assert all(cell.strip() for _, cells in rows for cell in cells.split("|"))
    assert all(len(cells.split("|")) == 5 for _, cells in rows)
