"""A service refuses to start on a missing or unsafe setting, and names it."""

from typing import ClassVar

import pytest

from shared.kit.settings import KitSettings, load

SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL_INTAKE": "postgresql://intake@db/intake",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    "KAFKA_REPLICATION": "3",
    "KAFKA_MIN_INSYNC_REPLICAS": "2",
    "PUBLIC_URL": "https://intake.example",
    "OIDC_ISSUER": "https://login.example",
    "OIDC_ACR": "mfa",
    "OIDC_CLIENT_SECRET": "n2Vq0sJ7cX4wLr9z",
}


class Settings(KitSettings):
    service: ClassVar[str] = "intake"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "OIDC_CLIENT_ID", "ROLES", *SAFE):
        monkeypatch.delenv(name, raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)


def test_a_setting_for_one_service_goes_before_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://other@db/other")

    assert load(Settings).database_url == "postgresql://intake@db/intake"


def test_a_process_that_faces_nobody_needs_no_address_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLES", "relay")
    for name in ("PUBLIC_URL", "OIDC_ISSUER", "OIDC_CLIENT_SECRET"):
        monkeypatch.delenv(name)

    assert load(Settings).role_set == {"relay"}


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_INTAKE", "postgresql://intake:q7Hush0Zt7Lx4Kc1@db/intake")

    shown = repr(load(Settings))

    assert "q7Hush0Zt7Lx4Kc1" not in shown
    assert "n2Vq0sJ7cX4wLr9z" not in shown


def test_settings_cannot_be_changed() -> None:
    settings = load(Settings)

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL_INTAKE", None, "DATABASE_URL_INTAKE"),
        ("KAFKA_BOOTSTRAP_SERVERS", "", "KAFKA_BOOTSTRAP_SERVERS"),
        ("KAFKA_PARTITIONS", "10", "KAFKA_PARTITIONS"),
        ("ROLES", "http,painter", "ROLES"),
        ("ROLES", "", "ROLES"),
        ("ENVIRONMENT", "staging", "ENVIRONMENT"),
        ("PORT", "70000", "PORT"),
        ("OIDC_ROLE_MAP", "petugas=captain", "OIDC_ROLE_MAP"),
        ("OIDC_ROLE_MAP", "petugas", "OIDC_ROLE_MAP"),
        ("OIDC_CLAIM_ROLES", "", "OIDC_CLAIM_ROLES"),
        ("OIDC_SCOPE", "two words", "OIDC_SCOPE"),
    ],
)
def test_refuses_to_start_and_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str | None, said: str
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        load(Settings)

    assert ended.value.code == 78
    assert said in capsys.readouterr().err
