"""What intake is told by its environment besides what every service is: its keys, and who has wrapped them."""

import re
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.intake.gateways import kms
from services.intake.store.vault import KEY_BYTES
from shared.kit.settings import KitSettings, ServiceSettings, UnsafeSetting

NONE = SecretStr("")
LONGEST_FILE = 64 * 1024


class KmsSettings(ServiceSettings):
    """Where keys are wrapped, when they are not given in the clear. All that a new key takes."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)
    service: ClassVar[str] = "intake"
    from_files: ClassVar[tuple[str, ...]] = ("kms_token",)
    """Secrets that may stand in a file instead: `KMS_TOKEN_FILE` holds the path."""

    kms_url: str = ""
    """`https://vault.example/v1/transit`. When it is set, VAULT_KEK, VAULT_KEK_OLD and VAULT_INDEX_KEY are wrapped."""
    kms_key: str = Field(default="rujukan", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    kms_token: SecretStr = NONE
    kms_token_file: str = ""
    kms_timeout_ms: int = Field(default=5000, ge=100, le=60_000)

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        read = dict(given)
        for name in cls.from_files:
            if path := given.get(f"{name}_file"):
                if _text(given.get(name)):
                    raise ValueError(f"{name.upper()} and {name.upper()}_FILE are both set: leave one out")
                read[name] = _content(f"{name.upper()}_FILE", Path(path))
        return read

    @model_validator(mode="after")
    def _reaches_the_kms(self) -> "KmsSettings":
        if not self.kms_url:
            return self
        parts = urlsplit(self.kms_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("KMS_URL must be an address like https://vault.example/v1/transit")
        if self.environment == "production" and parts.scheme != "https":
            raise UnsafeSetting("KMS_URL must begin with https:// when ENVIRONMENT=production")
        token = _text(self.kms_token)
        if not token:
            raise ValueError("KMS_TOKEN is missing: set KMS_TOKEN or KMS_TOKEN_FILE, or leave KMS_URL out")
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ValueError("KMS_TOKEN must be visible ASCII characters without spaces")
        return self

    @property
    def kms(self) -> kms.Kms:
        """Who unwraps the keys."""
        if not self.kms_url:
            return kms.InTheClear()
        return kms.Transit(self.kms_url, self.kms_key, _text(self.kms_token), self.kms_timeout_ms / 1000)


class Settings(KitSettings, KmsSettings):
    """`VAULT_KEK`: the key-encryption key of the vault, 32 bytes in base64url."""

    from_files: ClassVar[tuple[str, ...]] = ("kms_token", "vault_kek", "vault_kek_old", "vault_index_key")

    vault_kek: SecretStr
    vault_kek_file: str = ""
    vault_kek_old: SecretStr = NONE
    """Keys that may still open, by commas, while persons' keys are wrapped anew under VAULT_KEK."""
    vault_kek_old_file: str = ""
    vault_index_key: SecretStr
    """Makes the digests by which people and rows of lists are found again. It stays when VAULT_KEK changes."""
    vault_index_key_file: str = ""

    @model_validator(mode="after")
    def _has_keys(self) -> "Settings":
        for setting, text in self.keys:
            if not text:
                raise ValueError(f"{setting} is empty; make a key with `python -m services.intake new-key`")
            if self.kms_url:
                if len(kms.decoded(text)) == KEY_BYTES:
                    raise UnsafeSetting(f"{setting} is a key in the clear, but KMS_URL is set: give it wrapped")
            elif problem := kms.problem_of(kms.decoded(text), KEY_BYTES):
                raise ValueError(f"{setting} {problem}")
        return self

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Setting and text of each key: the current one, the old ones, the index key."""
        old = [text for text in re.split(r"[,\s]+", _text(self.vault_kek_old)) if text]
        return [
            ("VAULT_KEK", _text(self.vault_kek)),
            *(("VAULT_KEK_OLD", text) for text in old),
            ("VAULT_INDEX_KEY", _text(self.vault_index_key)),
        ]


def _text(value: SecretStr | str | None) -> str:
    return (value.get_secret_value() if isinstance(value, SecretStr) else value or "").strip()


def _content(setting: str, path: Path) -> SecretStr:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{setting} cannot be read: {error.strerror}") from None
    if len(content) > LONGEST_FILE or not content.isascii() or not content.strip():
        raise ValueError(f"{setting} is no file with a secret in text")
    return SecretStr(content.decode())
