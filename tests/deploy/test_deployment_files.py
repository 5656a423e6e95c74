"""The deployment files are complete and valid, as far as that can be told without an engine."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
SERVICES = ("intake", "referral", "notify", "audit")


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def kustomizations() -> list[Path]:
    return sorted(K8S.rglob("kustomization.yaml"))


@pytest.mark.parametrize(
    "file", sorted(f for f in K8S.rglob("*.yaml") if f.name != "kustomization.yaml"), ids=lambda f: f.name
)
def test_each_manifest_is_valid_for_kubernetes(file: Path) -> None:
    for document in documents(file.read_text(encoding="utf-8")):
        kubernetes_validate.validate(document, "1.33", strict=True)


@pytest.mark.parametrize("file", kustomizations(), ids=lambda f: str(f.parent.relative_to(K8S)))
def test_each_kustomization_names_what_exists(file: Path) -> None:
    (kustomization,) = documents(file.read_text(encoding="utf-8"))

    for resource in kustomization["resources"]:
        there = (file.parent / resource).resolve()
        assert there.is_file() or (there / "kustomization.yaml").is_file(), resource


def test_the_production_overlay_renders_to_valid_manifests() -> None:
    kustomize = shutil.which("kustomize") or shutil.which("kustomize", path=str(Path.home() / "go/bin"))
    if kustomize is None:
        pytest.skip("kustomize is not on this machine; the base's files are checked one by one above")

    rendered = subprocess.run(
        [kustomize, "build", str(K8S / "overlays/production")], capture_output=True, text=True, check=True
    ).stdout

    found = documents(rendered)
    for document in found:
        kubernetes_validate.validate(document, "1.33", strict=True)
    deployments = {d["metadata"]["name"]: d for d in found if d["kind"] == "Deployment"}
    assert set(deployments) == {f"{service}-server" for service in SERVICES}
    for service in SERVICES:
        pod = deployments[f"{service}-server"]["spec"]["template"]["spec"]
        secrets = {e["secretRef"]["name"] for e in pod["containers"][0]["envFrom"] if "secretRef" in e}
        assert secrets == {f"{service}-secrets"}


def test_compose_has_the_four_services_and_what_they_need() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]

    assert set(compose) >= {*SERVICES, "kafka", "postgres", "keycloak", "mailpit", "jaeger"}
    for service in SERVICES:
        assert compose[service]["depends_on"][f"{service}-migrate"]["condition"] == "service_completed_successfully"
        assert compose[service]["read_only"] is True
        assert compose[service]["cap_drop"] == ["ALL"]


def test_the_realm_has_a_client_per_service_and_every_role_a_person_can_have() -> None:
    realm = json.loads((ROOT / "deploy/keycloak/realm.json").read_text(encoding="utf-8"))

    assert {c["clientId"] for c in realm["clients"]} >= set(SERVICES)
    given = {role for user in realm["users"] for role in user["realmRoles"]}
    assert given <= {role["name"] for role in realm["roles"]["realm"]}
    assert {"port_officer", "agency_worker", "ngo_member", "auditor", "coordinator"} <= given
