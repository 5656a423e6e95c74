"""What the environment tells audit."""

import base64
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from shared.kit import unsafe
from shared.kit.settings import KitSettings, refuse


class Settings(KitSettings):
    service: ClassVar[str] = "audit"

    ledger_key: str = Field(repr=False)
    """Ed25519 private key, 32 bytes in base64url. Whoever has it can sign another history."""
    ledger_key_old: str = Field(default="", repr=False)
    """Keys, by commas, that sign beside LEDGER_KEY while those who verify change over."""
    ledger_origin: str
    """The ledger's name for ever, like `example.go.id/rujukan`: first line of each checkpoint, name of its key."""

    @field_validator("ledger_key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if len(_decoded(value)) != 32:
            raise ValueError("is not 32 bytes in base64url")
        return value

    @field_validator("ledger_key_old")
    @classmethod
    def _are_keys(cls, value: str) -> str:
        if any(len(_decoded(key)) != 32 for key in _parts(value)):
            raise ValueError("needs keys of 32 bytes in base64url, by commas")
        return value

    @field_validator("ledger_origin")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not value or not value.isascii() or not value.isprintable() or " " in value or "+" in value:
            raise ValueError("needs visible ASCII characters without space and plus, like example.go.id/rujukan")
        return value

    @model_validator(mode="after")
    def _is_a_ledger_for_ever(self) -> "Settings":
        if self.environment == "production":
            host = self.ledger_origin.partition("/")[0]
            here = unsafe.is_this_machine(host) or host.endswith(".local")
            refuse("ledger_origin", "must not be that of a laptop: it stays for ever" if here else "")
            refuse("ledger_key", unsafe.problem_of_key(self.ledger_key_bytes))
            for old in self.old_ledger_keys:
                refuse("ledger_key_old", unsafe.problem_of_key(old))
        return self

    @property
    def ledger_key_bytes(self) -> bytes:
        return _decoded(self.ledger_key)

    @property
    def old_ledger_keys(self) -> list[bytes]:
        return [_decoded(key) for key in _parts(self.ledger_key_old)]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _decoded(text: str) -> bytes:
    """The bytes of base64url, none when it is not that."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
