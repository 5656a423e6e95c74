"""The Kubernetes files are complete, valid and of one mind, as far as that can be told without a cluster."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest

from deploy.local import folder
from services.notify.settings import Settings as NotifySettings
from shared.kit.web.rates import networks
from tests.deploy import files
from tests.deploy.files import K8S, SERVICES

NAMESPACE = "rujukan"
FOR_PEOPLE = {"PUBLIC_URL", "OIDC_ISSUER"}
"""Addresses that are followed by browsers, not by pods."""
SECRETS = {
    "intake": ("VAULT_KEK", "VAULT_INDEX_KEY"),
    "referral": (),
    "notify": ("NOTIFY_SECRET_KEY",),
    "audit": ("LEDGER_KEY",),
}

Policy = dict[str, Any]


def manifests() -> list[Path]:
    return sorted(file for file in K8S.rglob("*.yaml") if file.name != "kustomization.yaml")


def kustomizations() -> list[Path]:
    return sorted(K8S.rglob("kustomization.yaml"))


def read(path: str) -> list[dict[str, Any]]:
    return files.documents((K8S / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", manifests(), ids=lambda f: str(f.relative_to(K8S)))
def test_each_manifest_is_valid_for_kubernetes(file: Path) -> None:
    for document in files.documents(file.read_text(encoding="utf-8")):
        kubernetes_validate.validate(document, "1.33", strict=True)


@pytest.mark.parametrize("file", kustomizations(), ids=lambda f: str(f.parent.relative_to(K8S)))
def test_each_kustomization_names_what_exists(file: Path) -> None:
    (kustomization,) = files.documents(file.read_text(encoding="utf-8"))

    for named in (*kustomization["resources"], *kustomization.get("components", ())):
        there = (file.parent / named).resolve()
        assert there.is_file() or (there / "kustomization.yaml").is_file(), named


@pytest.fixture(scope="module")
def kustomize() -> str:
    found = shutil.which("kustomize") or shutil.which("kustomize", path=str(Path.home() / "go/bin"))
    if found is None:
        pytest.skip("kustomize is not on this machine; the files are checked one by one, but not what they render")
    return found


@pytest.fixture(scope="module")
def policies() -> list[Policy]:
    return [*read("base/network-policies.yaml"), *read("telemetry/network-policy.yaml")]


def rendered(kustomize: str, folder: str) -> list[dict[str, Any]]:
    build = subprocess.run([kustomize, "build", str(K8S / folder)], capture_output=True, text=True, check=True)
    return files.documents(build.stdout)


class TestRendered:
    @pytest.mark.parametrize("folder", ["base", "overlays/production"])
    def test_is_valid_and_gives_each_service_its_own_settings_and_secrets(self, kustomize: str, folder: str) -> None:
        found = rendered(kustomize, folder)

        for document in found:
            kubernetes_validate.validate(document, "1.33", strict=True)
        config_maps = {d["metadata"]["name"]: d["data"] for d in found if d["kind"] == "ConfigMap"}
        deployments = {d["metadata"]["name"]: d for d in found if d["kind"] == "Deployment"}
        assert set(deployments) == {f"{service}-server" for service in SERVICES}
        for service in SERVICES:
            pod = deployments[f"{service}-server"]["spec"]["template"]["spec"]
            server, migrate = pod["containers"][0]["envFrom"], pod["initContainers"][0]["envFrom"]
            told = next(config_maps[e["configMapRef"]["name"]] for e in server if "configMapRef" in e)
            assert told["SERVICE"] == service
            assert [e["secretRef"]["name"] for e in server if "secretRef" in e] == [f"{service}-secrets"]
            assert [e["secretRef"]["name"] for e in migrate if "secretRef" in e] == [
                f"{service}-secrets",
                f"{service}-migration-secrets",
            ]

    def test_of_the_overlay_has_all_in_one_namespace_and_an_image_of_a_registry(self, kustomize: str) -> None:
        found = rendered(kustomize, "overlays/production")

        assert {d["metadata"].get("namespace") for d in found if d["kind"] != "Namespace"} == {NAMESPACE}
        pods = [d["spec"]["template"]["spec"] for d in found if d["kind"] == "Deployment"]
        images = {c["image"] for pod in pods for c in (*pod["containers"], *pod["initContainers"])}
        assert images == {"registry.example/rujukan:0.1.0"}
        told = [d["data"] for d in found if d["kind"] == "ConfigMap"]
        assert [map_ == files.config_map(map_["SERVICE"]) for map_ in told] == [True] * len(SERVICES)


def test_a_pod_starts_and_lives_without_kafka() -> None:
    [deployment] = read("workload/deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    [server], [migrate] = pod["containers"], pod["initContainers"]

    probed = {name: server[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probed == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert "--kafka-may-be-away" in migrate["args"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_its_config_map_and_the_secrets_that_operations_names(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = files.text_of("docs/operations.md")
    secrets = {
        "DATABASE_URL": f"postgresql://{service}:{folder.new_secret()}@postgres.data:5432/{service}",
        "MIGRATION_DATABASE_URL": f"postgresql://{service}_owner:{folder.new_secret()}@postgres.data:5432/{service}",
        "OIDC_CLIENT_SECRET": folder.new_secret(),
        **{name: folder.new_secret() for name in SECRETS[service]},
    }

    loaded = files.settings_of(service, {**files.config_map(service), **secrets}, monkeypatch)

    assert loaded.oidc_client_id == f"svc-{service}"
    assert loaded.oidc_client_id in files.clients()
    # Who is behind the ingress has an address of their own, and the ingress is not the whole world.
    [proxies] = networks(loaded.trusted_proxies)
    assert proxies.is_private
    assert [name for name in secrets if name not in operations] == []


class TestAddresses:
    """Each address in a ConfigMap can be reached from the pod: the policies let it through."""

    @pytest.mark.parametrize("service", SERVICES)
    def test_are_let_through(self, service: str, policies: list[Policy]) -> None:
        addresses = {"DATABASE_URL": "postgresql://postgres.data:5432", **files.config_map(service)}

        wanted = list(targets(addresses))

        assert {namespace for namespace, _, _ in wanted} >= {"data", "login"}
        for namespace, labels, port in wanted:
            assert may_leave(service, namespace, labels, port, policies), (namespace, port)
            if namespace == NAMESPACE:
                assert may_enter(service, labels, port, policies), (namespace, port)

    def test_that_are_not_named_are_not_let_through(self, policies: list[Policy]) -> None:
        assert not may_leave("intake", "data", {}, 8080, policies)
        assert not may_leave("intake", NAMESPACE, labels_of("referral"), 8080, policies)
        assert not may_enter("notify", labels_of("intake"), 8080, policies)

    def test_of_the_provider_are_not_those_that_people_use(self) -> None:
        for service in SERVICES:
            told = files.config_map(service)
            assert urlsplit(told["OIDC_DISCOVERY_URL"]).hostname != urlsplit(told["OIDC_ISSUER"]).hostname

    def test_of_webhooks_have_the_ports_that_notify_allows(self, policies: list[Policy]) -> None:
        [policy] = [p for p in policies if p["metadata"]["name"] == "webhooks-to-public-addresses"]
        [rule] = policy["spec"]["egress"]

        ports = NotifySettings.model_fields["webhook_ports"].default
        assert sorted(port["port"] for port in rule["ports"]) == sorted(map(int, ports.split(",")))

    def test_of_pages_lead_from_the_ingress_to_their_service(self, policies: list[Policy]) -> None:
        [ingress] = read("overlays/production/ingress.yaml")
        [service] = read("workload/service.yaml")

        led = {rule["host"]: rule["http"]["paths"][0]["backend"]["service"] for rule in ingress["spec"]["rules"]}
        assert led == {
            urlsplit(files.config_map(name)["PUBLIC_URL"]).hostname: {
                "name": f"{name}-server",
                "port": {"name": service["spec"]["ports"][0]["name"]},
            }
            for name in SERVICES
        }
        assert sorted(ingress["spec"]["tls"][0]["hosts"]) == sorted(led)

    def test_lie_in_namespaces_that_operations_speaks_of(self, policies: list[Policy]) -> None:
        operations = files.text_of("docs/operations.md")

        names = {
            end["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for policy in policies
            for way, ends in (("ingress", "from"), ("egress", "to"))
            for rule in policy["spec"].get(way, ())
            for end in rule.get(ends, ())
            if "namespaceSelector" in end
        }
        assert names == {"data", "ingress", "login", "telemetry"}
        assert [name for name in names if f"`{name}`" not in operations] == []


def targets(told: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str], int]]:
    """Namespace, pod labels (of our own namespace) and pod port of each address a pod is told to call."""
    for name, value in told.items():
        if name in FOR_PEOPLE or not ("://" in value or name == "KAFKA_BOOTSTRAP_SERVERS"):
            continue
        for address in value.split(","):
            parts = urlsplit(address if "://" in address else f"//{address}")
            assert parts.hostname is not None
            host, _, namespace = parts.hostname.partition(".")
            if namespace:
                assert parts.port is not None, f"{name} leaves its port open"
                yield namespace, {}, parts.port
            else:
                service = host.removesuffix("-server")
                assert service in SERVICES, f"{name}: nobody in our namespace is called {host}"
                yield NAMESPACE, labels_of(service), pod_port(parts.port or 80)


def pod_port(port: int) -> int:
    """The port of the pod behind this port of our Service: what policies speak of."""
    [service], [deployment] = read("workload/service.yaml"), read("workload/deployment.yaml")
    [server] = deployment["spec"]["template"]["spec"]["containers"]
    named = {p["name"]: p["containerPort"] for p in server["ports"]}
    return int(next(named[p["targetPort"]] for p in service["spec"]["ports"] if p["port"] == port))


def labels_of(service: str) -> dict[str, str]:
    return {"app.kubernetes.io/component": "server", "app.kubernetes.io/name": service}


def may_leave(service: str, namespace: str, labels: dict[str, str], port: int, policies: list[Policy]) -> bool:
    return any(
        fits(rule, "to", namespace, labels, port)
        for rule in rules("Egress", labels_of(service), policies)
        if "to" in rule  # without an end it is the rule for names
    )


def may_enter(service: str, labels: dict[str, str], port: int, policies: list[Policy]) -> bool:
    return any(fits(rule, "from", NAMESPACE, labels_of(service), port) for rule in rules("Ingress", labels, policies))


def rules(way: str, labels: dict[str, str], policies: list[Policy]) -> list[dict[str, Any]]:
    return [
        rule
        for policy in policies
        if way in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get(way.lower(), ())
    ]


def fits(rule: dict[str, Any], ends: str, namespace: str, labels: dict[str, str], port: int) -> bool:
    if port not in [p["port"] for p in rule["ports"]]:
        return False
    return any(
        end["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == namespace
        if "namespaceSelector" in end
        else "podSelector" in end and namespace == NAMESPACE and selects(end["podSelector"], labels)
        for end in rule[ends]
    )


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()
