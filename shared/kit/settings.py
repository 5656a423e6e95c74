"""Settings: the environment, read once into a frozen object; a service refuses to start on a bad one."""

import re
import sys
from functools import partial
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from shared.kit import unsafe
from shared.kit.actor import ROLES
from shared.kit.web.rates import networks

Role = Literal["http", "consumer", "relay", "clock"]
ALL_ROLES: tuple[Role, ...] = ("http", "consumer", "relay", "clock")


CLAIM = partial(Field, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")


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
    oidc_acr: str = Field(default="", pattern=r"^[A-Za-z0-9._:/-]{0,128}$")
    """How surely a person must have signed in: the `acr` of the ID token, or one of its `amr`, is this."""
    oidc_acr_administration: str = Field(default="", pattern=r"^[A-Za-z0-9._:/-]{0,128}$")
    """The same for operators and data protection officers, where they have to show more than others."""
    oidc_scope: str = Field(default="rujukan", pattern=r"^[A-Za-z0-9._:/-]{0,64}$")
    """What the `scope` of an access token must contain; empty lets any do."""
    oidc_token_life_max_s: int = Field(default=900, ge=60, le=86_400)
    """Access tokens that were made to live longer are refused."""
    oidc_claim_id: str = CLAIM("sub")
    oidc_claim_organisation: str = CLAIM("org")
    oidc_claim_roles: str = CLAIM("roles")
    """A claim, or a path into one by dots: `realm_access.roles`. The same holds for the others."""
    oidc_claim_port: str = CLAIM("port")
    oidc_claim_region: str = CLAIM("region")
    oidc_role_map: str = ""
    """`theirs=ours` by commas. When it is set, no role counts but those in it."""
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
    crash_at: str = ""
    """Where the process kills itself (shared/kit/crash.py), for tests."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        networks(proxies)
        return proxies

    @field_validator("oidc_role_map")
    @classmethod
    def _maps_to_roles(cls, text: str) -> str:
        for theirs, ours in _pairs(text):
            if not theirs or ours not in ROLES:
                raise ValueError(f"must be theirs=ours by commas, ours one of {', '.join(sorted(ROLES))}")
        return text

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
            self._may_run_in_production()
        return self

    def _may_run_in_production(self) -> None:
        """Raise `UnsafeSetting` for what is for a laptop only."""
        if "http" in self.role_set:
            for name in ("public_url", "oidc_issuer", "oidc_client_secret", "oidc_acr"):
                refuse(name, "" if getattr(self, name) else "must be set")
        refuse("public_url", unsafe.problem_of_address(self.public_url, path=False) if self.public_url else "")
        for name in ("oidc_issuer", "oidc_discovery_url"):
            refuse(name, unsafe.problem_of_address(getattr(self, name)) if getattr(self, name) else "")
        refuse("oidc_client_secret", self.oidc_client_secret and unsafe.problem_of_secret(self.oidc_client_secret))
        refuse("oidc_scope", "" if self.oidc_scope else "must be set")
        refuse("oidc_token_life_max_s", "must be 3600 or less" if self.oidc_token_life_max_s > 3600 else "")
        refuse("database_url", _problem_of_database(self.database_url))
        if self.migration_database_url:
            refuse("migration_database_url", _problem_of_database(self.migration_database_url))
            same = urlsplit(self.migration_database_url).username == urlsplit(self.database_url).username
            refuse("migration_database_url", "must be of another role than DATABASE_URL" if same else "")
        brokers = [broker.strip() for broker in self.kafka_bootstrap_servers.split(",") if broker.strip()]
        here = any(unsafe.is_this_machine(urlsplit(f"//{broker}").hostname) for broker in brokers)
        refuse("kafka_bootstrap_servers", "must not be this machine" if here else "")
        refuse("kafka_idempotent", "" if self.kafka_idempotent else "must be on")
        refuse("kafka_replication", "must be at least 3" if self.kafka_replication < 3 else "")
        refuse("kafka_min_insync_replicas", "must be at least 2" if self.kafka_min_insync_replicas < 2 else "")
        everybody = any(network.prefixlen == 0 for network in networks(self.trusted_proxies))
        refuse("trusted_proxies", "must not be the whole internet" if everybody else "")
        for name in ("rate_address_per_minute", "rate_person_per_minute", "rate_person_readings_per_minute"):
            refuse(name, "" if getattr(self, name) else "must be a limit, not 0")
        refuse("mass_reading_person_per_hour", "" if self.mass_reading_person_per_hour else "must not be 0")
        refuse("log_level", "must not be debug" if self.log_level == "debug" else "")
        refuse("crash_at", "must not be set" if self.crash_at else "")

    @property
    def role_map(self) -> dict[str, str]:
        return dict(_pairs(self.oidc_role_map))


def refuse(name: str, problem: str) -> None:
    """Raise `UnsafeSetting` with the setting's name when there is a problem."""
    if problem:
        raise UnsafeSetting(f"{name.upper()} {problem} when ENVIRONMENT=production")


def _problem_of_database(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no address"
    if parts.username in (None, "postgres", "root"):
        return "must name a role that is no superuser"
    if re.search(r"(?:^|&)sslmode=(?:disable|allow)(?:&|$)", parts.query):
        return "must not turn TLS off (sslmode)"
    problem = unsafe.problem_of_secret(parts.password) if parts.password else ""
    return f"has a password that is too weak: it {problem}" if problem else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return [(theirs.strip(), ours.strip()) for theirs, _, ours in pairs]


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
