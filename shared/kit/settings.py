"""Settings: the environment, read once into a frozen object; a service refuses to start on a bad one."""

import sys
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from shared.kit.web.rates import networks

Role = Literal["http", "consumer", "relay", "clock"]
ALL_ROLES: tuple[Role, ...] = ("http", "consumer", "relay", "clock")


class UnsafeSetting(ValueError):
    """A setting is not safe outside a development machine."""


class ServiceEnvironment(EnvSettingsSource):
    """Looks a field up as `NAME_SERVICE` first (`DATABASE_URL_INTAKE`), then as `NAME`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        settings: Any = self.settings_cls
        own = self.env_vars.get(f"{field_name}_{settings.service}".lower())
        if own is not None:
            return own, field_name, self.field_is_complex(field)
        return super().get_field_value(field, field_name)


class ServiceSettings(BaseSettings):
    """What is read from the environment of one service, `NAME_SERVICE` before `NAME`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", enable_decoding=False)
    service: ClassVar[str]

    environment: Literal["development", "production"] = "production"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by ours
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - files with secrets are not read by chance
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, ServiceEnvironment(settings_cls), file_secret_settings


class KitSettings(ServiceSettings):
    """What every service is told by its environment."""

    database_url: str = Field(repr=False)
    migration_database_url: str | None = Field(default=None, repr=False)
    kafka_bootstrap_servers: str = ""
    kafka_topic_prefix: str = ""
    kafka_partitions: int = Field(default=12, multiple_of=4, ge=4, le=120)
    kafka_replication: int = Field(default=1, ge=1, le=9)
    kafka_min_insync_replicas: int = Field(default=1, ge=1, le=9)
    kafka_idempotent: bool = True
    """Off only for brokers that cannot; then a lost answer sends a record twice, which the inboxes absorb."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    reuse_port: bool = False
    """Several processes share PORT (SO_REUSEPORT)."""
    public_url: str = ""
    roles: str = "http,consumer,relay,clock"
    pool_size: int = Field(default=8, ge=2, le=100)
    oidc_issuer: str = ""
    oidc_discovery_url: str = ""
    """Where the services reach the provider, when that is not the address people use (OIDC_ISSUER)."""
    oidc_client_id: str = ""
    oidc_client_secret: str = Field(default="", repr=False)
    trusted_proxies: str = ""
    """Networks of our own proxies, with commas: theirs is the X-Forwarded-For that is believed."""
    rate_address_per_minute: int = Field(default=300, ge=0)
    """Log-ins from one address; 0 is no limit, here and below. All limits are per process."""
    rate_person_per_minute: int = Field(default=1_200, ge=0)
    rate_person_readings_per_minute: int = Field(default=120, ge=0)
    """Identities, cases, trails, proofs and searches."""
    rate_client_per_minute: int = Field(default=0, ge=0)
    rate_client_readings_per_minute: int = Field(default=6_000, ge=0)
    mass_reading_person_per_hour: int = Field(default=200, ge=0)
    """At so many readings the trail gets an alarm; nothing is refused for it."""
    mass_reading_client_per_hour: int = Field(default=10_000, ge=0)
    otel_exporter_otlp_endpoint: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        networks(proxies)
        return proxies

    @property
    def role_set(self) -> frozenset[str]:
        return frozenset(role.strip() for role in self.roles.split(",") if role.strip())

    @model_validator(mode="after")
    def _is_safe(self) -> "KitSettings":
        unknown = self.role_set - set(ALL_ROLES)
        if unknown or not self.role_set:
            raise ValueError(
                f"ROLES: {', '.join(sorted(unknown)) or 'nothing'} is no role; choose from http,consumer,relay,clock"
            )
        if not self.kafka_bootstrap_servers and self.role_set & {"consumer", "relay"}:
            raise ValueError("KAFKA_BOOTSTRAP_SERVERS is missing: give host:port of one or more brokers")
        if self.environment == "production":
            if not self.kafka_idempotent:
                raise UnsafeSetting("KAFKA_IDEMPOTENT must be on when ENVIRONMENT=production")
            if "http" in self.role_set:
                self._may_face_people()
            if self.oidc_discovery_url and not self.oidc_discovery_url.startswith("https://"):
                raise UnsafeSetting("OIDC_DISCOVERY_URL must begin with https:// when ENVIRONMENT=production")
            if self.kafka_replication < 3 or self.kafka_min_insync_replicas < 2:
                raise UnsafeSetting(
                    "KAFKA_REPLICATION must be at least 3 and KAFKA_MIN_INSYNC_REPLICAS at least 2"
                    " when ENVIRONMENT=production"
                )
        return self

    def _may_face_people(self) -> None:
        """Without these, cookies would travel unprotected and nobody could sign in."""
        for name in ("public_url", "oidc_issuer"):
            if not getattr(self, name).startswith("https://"):
                raise UnsafeSetting(f"{name.upper()} must begin with https:// when ENVIRONMENT=production")
        if self.oidc_discovery_url and not self.oidc_discovery_url.startswith("https://"):
            raise UnsafeSetting("OIDC_DISCOVERY_URL must begin with https:// when ENVIRONMENT=production")
        if not self.oidc_client_secret:
            raise UnsafeSetting("OIDC_CLIENT_SECRET must be set when ENVIRONMENT=production")


S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S], **given: Any) -> S:
    """Read the environment, or end the process (exit 78) with one line per setting that is missing or unsafe."""
    try:
        return settings(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            said = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "missing":
                said = f"is missing: set {name}_{settings.service.upper()} or {name}"
            print(f"{settings.service}: {name} {said}".replace("  ", " "), file=sys.stderr)
        raise SystemExit(78) from None
