"""What intake is told by its environment besides what every service is."""

import base64
import binascii
from typing import ClassVar

from pydantic import SecretStr, field_validator

from services.intake.store.vault import KEY_BYTES
from shared.kit.settings import KitSettings


class Settings(KitSettings):
    """`VAULT_KEK`: the key-encryption key of the vault, 32 bytes in base64url."""

    service: ClassVar[str] = "intake"

    vault_kek: SecretStr

    @field_validator("vault_kek")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        key = _decoded(value)
        if len(key) != KEY_BYTES:
            raise ValueError(f"must be {KEY_BYTES} bytes in base64url; make one with `openssl rand -base64 32`")
        if len(set(key)) == 1:
            raise ValueError("is a constant, not a key; make one with `openssl rand -base64 32`")
        return value

    @property
    def kek(self) -> bytes:
        return _decoded(self.vault_kek)


def _decoded(value: SecretStr) -> bytes:
    text = value.get_secret_value().translate(str.maketrans("+/", "-_")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
