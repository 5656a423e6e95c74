"""The deployment files, read; and what a service would make of the variables they give it."""

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.kit import settings
from shared.kit.settings import KitSettings

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
SERVICES = ("intake", "referral", "notify", "audit")
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}")


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    """The services of docker-compose.yml."""
    return dict(yaml.safe_load(text_of("docker-compose.yml"))["services"])


def realm() -> dict[str, Any]:
    return dict(json.loads(text_of("deploy/keycloak/realm.json")))


def demo_people() -> list[dict[str, Any]]:
    """The people of the demonstration, who are in no realm but that of docker-compose.yml."""
    return list(json.loads(text_of("deploy/keycloak/demo-people.json"))["users"])


def clients() -> dict[str, dict[str, Any]]:
    """The clients of the realm, by their id."""
    return {client["clientId"]: client for client in realm()["clients"]}


def config_map(service: str) -> dict[str, str]:
    """What the ConfigMap of a service holds in production, the part for telemetry included."""
    (own,) = documents((K8S / service / "kustomization.yaml").read_text(encoding="utf-8"))
    (telemetry,) = documents((K8S / "telemetry/kustomization.yaml").read_text(encoding="utf-8"))
    (overlay,) = documents((K8S / "overlays/production/kustomization.yaml").read_text(encoding="utf-8"))
    merged = (*overlay["configMapGenerator"], *telemetry["configMapGenerator"])
    added = [map_ for map_ in merged if map_["name"] == f"{service}-settings"]
    literals = [literal for map_ in (*own["configMapGenerator"], *added) for literal in map_["literals"]]
    return {name: value for name, _, value in (literal.partition("=") for literal in literals)}


def filled_in(value: str, secrets: Mapping[str, str]) -> str:
    """A value of docker-compose.yml with its variables replaced; a KeyError when one is not there."""
    return VARIABLE.sub(lambda found: secrets[found[1]], value)


def settings_of(service: str, told: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> KitSettings:
    """The settings a service loads when its environment is exactly this; it ends where the service would."""
    kind: type[KitSettings] = importlib.import_module(f"services.{service}.settings").Settings
    with monkeypatch.context() as environment:
        for name in kind.model_fields:
            for variable in (name.upper(), f"{name}_{service}".upper()):
                environment.delenv(variable, raising=False)
        for name, value in told.items():
            environment.setenv(name, value)
        return settings.load(kind)
