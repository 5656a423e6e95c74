"""notify refuses to start on a missing or unsafe setting, naming it."""

import base64

import pytest

from services.notify.settings import Settings
from shared.kit.settings import load

KEY = base64.urlsafe_b64encode(bytes(byte * 7 % 251 ^ 90 for byte in range(32))).decode()
SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL_NOTIFY": "postgresql://notify@db/notify",
    "NOTIFY_SECRET_KEY": KEY,
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_REPLICATION": "3",
    "KAFKA_MIN_INSYNC_REPLICAS": "2",
    "PUBLIC_URL_NOTIFY": "https://notify.example.org",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_ACR": "mfa",
    "OIDC_CLIENT_SECRET": "a-secret-of-the-provider",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WEBHOOK_ALLOW_PRIVATE", raising=False)
    return monkeypatch


def test_takes_a_safe_environment(environment: pytest.MonkeyPatch) -> None:
    rules = load(Settings).endpoint_rules

    assert not rules.http_allowed
    assert rules.ports == {443, 8443}


def test_development_may_call_listed_private_places_by_http(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ENVIRONMENT", "development")
    environment.setenv("WEBHOOK_ALLOW_PRIVATE", "127.0.0.1:9001, Receiver:8000")

    rules = load(Settings).endpoint_rules

    assert rules.http_allowed
    assert rules.private == {"127.0.0.1:9001", "receiver:8000"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NOTIFY_SECRET_KEY", None, "NOTIFY_SECRET_KEY"),
        ("NOTIFY_SECRET_KEY", "c2hvcnQ", "NOTIFY_SECRET_KEY must be 32 bytes"),
        ("NOTIFY_SECRET_KEY", "ü", "NOTIFY_SECRET_KEY must be 32 bytes"),
        ("WEBHOOK_ALLOW_PRIVATE", "10.0.0.1:443", "WEBHOOK_ALLOW_PRIVATE must be empty"),
        ("WEBHOOK_PORTS", "https", "WEBHOOK_PORTS must be port numbers"),
        ("WEBHOOK_PORTS", "0", "WEBHOOK_PORTS must be port numbers"),
    ],
)
def test_refuses_what_is_missing_or_unsafe(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str | None, said: str
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)

    with pytest.raises(SystemExit) as end:
        load(Settings)

    assert end.value.code == 78
    told = capsys.readouterr().err
    assert said in told
    assert value is None or len(value) < 6 or value not in told
