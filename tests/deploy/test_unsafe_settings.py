"""What is safe on a laptop only is refused at start in production, by the setting's name."""

import base64
import os
import subprocess
import sys

import pytest

from services.audit.settings import Settings as Audit
from services.intake.settings import Settings as Intake
from services.notify.settings import Settings as Notify
from services.referral.settings import Settings as Referral
from shared.kit.settings import KitSettings, load

SERVICES: dict[str, type[KitSettings]] = {"audit": Audit, "intake": Intake, "notify": Notify, "referral": Referral}


def key(bytes_: bytes) -> str:
    return base64.urlsafe_b64encode(bytes_).decode().rstrip("=")


RANDOM = key(os.urandom(32))
PASSWORD = "9f2hQm0Zt7Lx4Kc1"
SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": f"postgresql://app:{PASSWORD}@postgres.data:5432/main",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.data:9092",
    "KAFKA_REPLICATION": "3",
    "KAFKA_MIN_INSYNC_REPLICAS": "2",
    "PUBLIC_URL": "https://intake.rujukan.example",
    "OIDC_ISSUER": "https://login.rujukan.example/realms/rujukan",
    "OIDC_DISCOVERY_URL": "https://keycloak.login:8443/realms/rujukan/.well-known/openid-configuration",
    "OIDC_CLIENT_SECRET": PASSWORD,
    "OIDC_ACR": "mfa",
    "VAULT_KEK": key(os.urandom(32)),
    "VAULT_INDEX_KEY": key(os.urandom(32)),
    "NOTIFY_SECRET_KEY": RANDOM,
    "LEDGER_KEY": RANDOM,
    "LEDGER_ORIGIN": "rujukan.example/ledger",
    "INTAKE_URL": "http://intake-server",
}

UNSAFE = [
    ("intake", "PUBLIC_URL", ""),
    ("intake", "PUBLIC_URL", "http://intake.rujukan.example"),
    ("intake", "PUBLIC_URL", "https://localhost:8101"),
    ("intake", "PUBLIC_URL", "https://127.0.0.1"),
    ("intake", "PUBLIC_URL", "https://*.rujukan.example"),
    ("intake", "PUBLIC_URL", "https://intake.rujukan.example/id/"),
    ("intake", "PUBLIC_URL", "https://user@intake.rujukan.example"),
    ("intake", "OIDC_ISSUER", ""),
    ("intake", "OIDC_ISSUER", "http://login.rujukan.example"),
    ("intake", "OIDC_ISSUER", "https://localhost:8100"),
    ("intake", "OIDC_ISSUER", "https://[::1]:8100"),
    ("intake", "OIDC_ISSUER", "https://login.rujukan.example?realm=a"),
    ("intake", "OIDC_DISCOVERY_URL", "http://keycloak:8100/realms/rujukan/.well-known/openid-configuration"),
    ("intake", "OIDC_DISCOVERY_URL", "https://0.0.0.0/.well-known/openid-configuration"),
    ("intake", "OIDC_ACR", ""),
    ("intake", "OIDC_CLIENT_SECRET", ""),
    ("intake", "OIDC_CLIENT_SECRET", "hunter2"),
    ("intake", "OIDC_CLIENT_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaa"),
    ("intake", "OIDC_CLIENT_SECRET", "change-me-12345678"),
    ("intake", "OIDC_CLIENT_SECRET", "rahasiarahasia1234"),
    ("intake", "OIDC_SCOPE", ""),
    ("intake", "OIDC_TOKEN_LIFE_MAX_S", "86400"),
    ("intake", "DATABASE_URL", "postgresql://postgres.data/main"),
    ("intake", "DATABASE_URL", f"postgresql://postgres:{PASSWORD}@postgres.data/main"),
    ("intake", "DATABASE_URL", "postgresql://app:postgres@postgres.data/main"),
    ("intake", "DATABASE_URL", f"postgresql://app:{PASSWORD}@postgres.data/main?sslmode=disable"),
    ("intake", "MIGRATION_DATABASE_URL", f"postgresql://app:{PASSWORD}@postgres.data:5432/main"),
    ("intake", "MIGRATION_DATABASE_URL", f"postgresql://postgres:{PASSWORD}@postgres.data:5432/main"),
    ("intake", "KAFKA_BOOTSTRAP_SERVERS", "kafka.data:9092,localhost:9092"),
    ("intake", "KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
    ("intake", "KAFKA_IDEMPOTENT", "false"),
    ("intake", "KAFKA_REPLICATION", "1"),
    ("intake", "KAFKA_MIN_INSYNC_REPLICAS", "1"),
    ("intake", "TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
    ("intake", "RATE_ADDRESS_PER_MINUTE", "0"),
    ("intake", "RATE_PERSON_PER_MINUTE", "0"),
    ("intake", "RATE_PERSON_READINGS_PER_MINUTE", "0"),
    ("intake", "MASS_READING_PERSON_PER_HOUR", "0"),
    ("intake", "LOG_LEVEL", "debug"),
    ("intake", "CRASH_AT", "work.before_commit"),
    ("intake", "VAULT_KEK", key(bytes(32))),
    ("intake", "KMS_URL", "http://vault.data/v1/transit"),
    ("referral", "INTAKE_URL", "http://127.0.0.1:8101"),
    ("referral", "INTAKE_URL", "http://user:password@intake-server"),
    ("referral", "ANSWER_LIMIT_MAX_S", "20"),
    ("notify", "NOTIFY_SECRET_KEY", key(bytes(32))),
    ("notify", "NOTIFY_SECRET_KEY", key(b"0123456789abcdef0123456789abcdef")),
    ("notify", "WEBHOOK_ALLOW_PRIVATE", "127.0.0.1:9001"),
    ("notify", "WEBHOOK_PORTS", "443,5432"),
    ("audit", "LEDGER_KEY", key(b"A" * 32)),
    ("audit", "LEDGER_KEY", key(bytes(range(32)))),
    ("audit", "LEDGER_ORIGIN", "rujukan.local/ledger"),
    ("audit", "LEDGER_ORIGIN", "localhost/ledger"),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name for settings in SERVICES.values() for name in settings.model_fields}
    for name in list(os.environ):
        if any(name.lower() in (field, *(f"{field}_{service}" for service in SERVICES)) for field in known):
            monkeypatch.delenv(name)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_safe_is_taken(service: str) -> None:
    assert load(SERVICES[service]).environment == "production"


@pytest.mark.parametrize(("service", "name", "value"), UNSAFE, ids=lambda part: part[:48])
def test_what_is_unsafe_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        load(SERVICES[service])

    said = capsys.readouterr().err
    assert ended.value.code == 78
    assert name in said
    assert len(said.splitlines()) == 1
    assert "SECRET" not in name or not value or value not in said


def test_many_settings_are_looked_at() -> None:
    assert len({name for _, name, _ in UNSAFE}) >= 25


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "production", "ENVIRONMENT=production"),
        ("HOST", "0.0.0.0", "HOST=0.0.0.0"),
        ("PROVIDER_SECRET", "short", "PROVIDER_SECRET"),
        ("PROVIDER_SECRET", "", "PROVIDER_SECRET"),
    ],
)
def test_the_development_provider_is_for_a_laptop_only(name: str, value: str, said: str) -> None:
    given = {"PATH": os.environ["PATH"], "PROVIDER_SECRET": PASSWORD, "PORT": "1", name: value}
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.local.identity_provider"],
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 78
    assert said in ended.stderr
