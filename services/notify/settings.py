"""Environment of notify, read once and frozen."""

import base64
import binascii
from typing import ClassVar

from pydantic import SecretStr, field_validator, model_validator

from services.notify.domain.subscriptions import EndpointRules
from shared.kit import unsafe
from shared.kit.settings import KitSettings, refuse

INSIDE = frozenset({22, 23, 25, 53, 80, 110, 143, 389, 445, 465, 587, 2375, 3306, 3389, 5432, 6379, 9092, 11211, 27017})
"""Ports behind which no subscriber's server with TLS listens."""


class Settings(KitSettings):
    """What notify is told by its environment."""

    service: ClassVar[str] = "notify"

    notify_secret_key: SecretStr
    """32 bytes, base64url: seals the signing keys of subscriptions in the database."""
    notify_secret_key_old: SecretStr = SecretStr("")
    """Keys that may still open, by commas, while signing keys are sealed anew under NOTIFY_SECRET_KEY."""
    webhook_ports: str = "443,8443"
    """Ports that subscribers' servers may listen on."""
    webhook_allow_private: str = ""
    """`host:port` pairs, by commas, that may be called although they are not on the open internet."""

    @field_validator("notify_secret_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        if len(_decoded(value)) != 32:
            raise ValueError("must be 32 bytes as base64url; make one with `openssl rand -base64 32 | tr +/ -_`")
        return value

    @field_validator("notify_secret_key_old")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        if any(len(key) != 32 for key in _all_decoded(value)):
            raise ValueError("must be keys like NOTIFY_SECRET_KEY, by commas")
        return value

    @field_validator("webhook_ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        if not all(part.strip().isdecimal() and 0 < int(part) < 65536 for part in value.split(",")):
            raise ValueError("must be port numbers by commas, for example 443,8443")
        return value

    @model_validator(mode="after")
    def _keeps_to_the_open_internet(self) -> "Settings":
        if self.environment == "production":
            refuse("webhook_allow_private", "must be empty" if self.webhook_allow_private else "")
            others = [port for port in self.webhook_ports.split(",") if int(port) in INSIDE]
            refuse("webhook_ports", "must not be those of mail, shells and databases" if others else "")
            for name, key in [
                ("notify_secret_key", self.secret_key),
                *(("notify_secret_key_old", old) for old in self.old_secret_keys),
            ]:
                refuse(name, unsafe.problem_of_key(key))
        return self

    @property
    def secret_key(self) -> bytes:
        return _decoded(self.notify_secret_key)

    @property
    def old_secret_keys(self) -> list[bytes]:
        return _all_decoded(self.notify_secret_key_old)

    @property
    def endpoint_rules(self) -> EndpointRules:
        """Where notices may go: https only outside development."""
        ports = frozenset(int(port) for port in self.webhook_ports.split(","))
        return EndpointRules(
            http_allowed=self.environment == "development",
            ports=ports,
            private=frozenset(p.strip().lower() for p in self.webhook_allow_private.split(",") if p.strip()),
        )


def _all_decoded(value: SecretStr) -> list[bytes]:
    parts = (part.strip() for part in value.get_secret_value().split(","))
    return [_decoded(SecretStr(part)) for part in parts if part]


def _decoded(value: SecretStr) -> bytes:
    text = value.get_secret_value()
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
