"""Intake refuses to start on keys that are missing, given twice or no keys, names the setting and shows no key."""

import base64
import os
from pathlib import Path

import pytest

from services.intake.gateways import kms
from services.intake.settings import KmsSettings, Settings
from shared.kit.settings import load


def text_of(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


CURRENT, OLD, OLDER, INDEX = (text_of(bytes(range(n, n + 32))) for n in (0, 32, 64, 96))
SOUND = {
    "ENVIRONMENT": "development",
    "DATABASE_URL": "postgresql://intake@db/intake",
    "ROLES": "http",
    "VAULT_KEK": CURRENT,
    "VAULT_INDEX_KEY": INDEX,
}
WITH_KMS = {
    **SOUND,
    "KMS_URL": "https://vault.example/v1/transit",
    "KMS_TOKEN": "s.token",
    "VAULT_KEK": "vault:v1:AAAA",
    "VAULT_INDEX_KEY": "vault:v1:BBBB",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().removesuffix("_intake") in Settings.model_fields:
            monkeypatch.delenv(name)


def told(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str) -> str:
    """What is said when the process ends because of these settings."""
    told(monkeypatch, **variables)
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert ended.value.code == 78
    return capsys.readouterr().err


class TestKeys:
    def test_are_the_current_one_the_old_ones_and_that_of_the_digests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told(monkeypatch, **SOUND, VAULT_KEK_OLD=f"{OLD}, {OLDER}")

        assert load(Settings).keys == [
            ("VAULT_KEK", CURRENT),
            ("VAULT_KEK_OLD", OLD),
            ("VAULT_KEK_OLD", OLDER),
            ("VAULT_INDEX_KEY", INDEX),
        ]

    def test_may_stand_in_files(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        files = {"VAULT_KEK": CURRENT, "VAULT_KEK_OLD": f"{OLD}\n{OLDER}", "VAULT_INDEX_KEY": INDEX}
        told(monkeypatch, **{**SOUND, "VAULT_KEK": "", "VAULT_INDEX_KEY": ""})
        for name, text in files.items():
            (tmp_path / name).write_text(f"{text}\n")
            monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))

        assert [text for _, text in load(Settings).keys] == [CURRENT, OLD, OLDER, INDEX]

    def test_may_be_written_in_either_base64(self, monkeypatch: pytest.MonkeyPatch) -> None:
        key = bytes(range(224, 256))
        told(monkeypatch, **{**SOUND, "VAULT_KEK": base64.b64encode(key).decode()})

        assert kms.decoded(load(Settings).keys[0][1]) == key

    @pytest.mark.parametrize("name", ["VAULT_KEK", "VAULT_INDEX_KEY"])
    def test_are_needed(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str) -> None:
        said = refusal(monkeypatch, capsys, **{given: value for given, value in SOUND.items() if given != name})

        assert f"{name} is missing" in said

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("VAULT_KEK", "", "VAULT_KEK is empty"),
            ("VAULT_KEK", text_of(bytes(range(16))), "VAULT_KEK must be 32 bytes"),
            ("VAULT_KEK", "no base64 at all, is it?", "VAULT_KEK must be 32 bytes"),
            ("VAULT_KEK", text_of(bytes(32)), "VAULT_KEK is a constant"),
            ("VAULT_KEK", "vault:v1:AAAA", "VAULT_KEK must be 32 bytes"),
            ("VAULT_KEK_OLD", f"{OLD},x", "VAULT_KEK_OLD must be 32 bytes"),
            ("VAULT_INDEX_KEY", text_of(bytes(31)), "VAULT_INDEX_KEY must be 32 bytes"),
        ],
    )
    def test_that_are_none_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
    ) -> None:
        shown = refusal(monkeypatch, capsys, **{**SOUND, name: value})

        assert said in shown
        assert not value or value not in shown

    @pytest.mark.parametrize("name", ["VAULT_KEK", "VAULT_KEK_OLD", "VAULT_INDEX_KEY", "KMS_TOKEN"])
    def test_have_one_source(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "key").write_text(OLD)

        said = refusal(monkeypatch, capsys, **{**SOUND, name: OLDER, f"{name}_FILE": str(tmp_path / "key")})

        assert f"{name} and {name}_FILE are both set" in said
        assert OLD not in said

    @pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b" \n", "no file"), (b"\xff", "no file")])
    def test_in_a_file_that_has_none_are_refused(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
        content: bytes | None,
        said: str,
    ) -> None:
        if content is not None:
            (tmp_path / "key").write_bytes(content)

        shown = refusal(monkeypatch, capsys, **{**SOUND, "VAULT_KEK": "", "VAULT_KEK_FILE": str(tmp_path / "key")})

        assert f"VAULT_KEK_FILE {'cannot be read' if content is None else 'is no file'}" in shown
        assert said in shown

    def test_do_not_show_when_settings_are_printed_or_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told(monkeypatch, **{**WITH_KMS, "VAULT_KEK_OLD": "vault:v1:CCCC"})
        shown = repr(load(Settings))

        monkeypatch.setenv("VAULT_KEK_OLD", CURRENT)
        with pytest.raises(ValueError, match="VAULT_KEK_OLD is a key in the clear") as refused:
            Settings()

        for secret in ("vault:v1", "s.token", CURRENT):
            assert secret not in shown + str(refused.value)


class TestKms:
    def test_is_asked_when_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told(monkeypatch, **WITH_KMS)

        assert isinstance(load(Settings).kms, kms.Transit)

    def test_is_left_out_when_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told(monkeypatch, **SOUND)

        assert isinstance(load(Settings).kms, kms.InTheClear)

    def test_takes_its_token_from_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("s.token\n")
        told(monkeypatch, **{**WITH_KMS, "KMS_TOKEN": "", "KMS_TOKEN_FILE": str(tmp_path / "token")})

        assert load(Settings).kms_token.get_secret_value().strip() == "s.token"

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("KMS_URL", "vault.example/v1/transit", "KMS_URL must be an address"),
            ("KMS_URL", "https://root:hush@vault.example/v1", "KMS_URL must be an address"),
            ("KMS_TOKEN", "", "KMS_TOKEN is missing"),
            ("KMS_TOKEN", "s.token\r\nX-Other: 1", "KMS_TOKEN must be visible ASCII"),
            ("KMS_KEY", "../sys/seal", "KMS_KEY"),
            ("KMS_TIMEOUT_MS", "0", "KMS_TIMEOUT_MS"),
            ("VAULT_KEK", CURRENT, "VAULT_KEK is a key in the clear, but KMS_URL is set"),
        ],
    )
    def test_is_refused_where_it_cannot_be_used(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
    ) -> None:
        shown = refusal(monkeypatch, capsys, **{**WITH_KMS, name: value})

        assert said in shown
        assert "hush" not in shown

    def test_is_reached_by_https_in_production(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told(monkeypatch, ENVIRONMENT="production", KMS_URL="http://vault.example/v1/transit", KMS_TOKEN="s.token")

        with pytest.raises(SystemExit):
            load(KmsSettings)

        assert "KMS_URL must begin with https:// when ENVIRONMENT=production" in capsys.readouterr().err
