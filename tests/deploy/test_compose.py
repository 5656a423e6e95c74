"""docker-compose.yml starts the whole product, as far as that can be told without an engine."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import files
from tests.deploy.files import SERVICES, VARIABLE, compose, text_of

OPERATIONS = "docs/operations.md"
RECIPE = re.compile(r"```sh\n(\(umask 077 .*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The secrets that the recipe of the operations page makes."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine; the recipe for the secrets is not tried")
    folder = tmp_path_factory.mktemp("compose")
    shutil.copy(files.ROOT / ".env.example", folder)
    found = RECIPE.search(text_of(OPERATIONS))
    assert found is not None, "the operations page has no recipe for the secrets"
    subprocess.run(["sh", "-euc", found[1]], cwd=folder, check=True)
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    made = named_in(folder / ".env")
    subprocess.run(["sh", "-uc", found[1]], cwd=folder, check=False)
    assert named_in(folder / ".env") == made, "secrets that were in use were written over"
    return made


def named_in(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_has_the_four_services_and_what_they_need() -> None:
    services = compose()

    assert set(services) >= {*SERVICES, "kafka", "postgres", "keycloak", "mailpit", "jaeger"}
    for service in SERVICES:
        assert services[service]["depends_on"][f"{service}-migrate"]["condition"] == "service_completed_successfully"
        assert services[service]["read_only"] is True
        assert services[service]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(compose()))
def test_an_image_is_named_without_a_registry(name: str) -> None:
    first, *_ = compose()[name]["image"].split("/")

    assert "." not in first.partition(":")[0]
    assert ":" in compose()[name]["image"], "without a tag it is another image tomorrow"


@pytest.mark.parametrize(
    ("name", "folder"),
    [("postgres", "/var/lib/postgresql/data"), ("kafka", "/var/lib/kafka/data"), ("keycloak", "/opt/keycloak/data")],
)
def test_what_keeps_data_keeps_it_on_a_volume(name: str, folder: str) -> None:
    declared = yaml.safe_load(text_of("docker-compose.yml"))["volumes"]

    mounted = dict(reversed(volume.split(":")[:2]) for volume in compose()[name]["volumes"])
    assert mounted[folder] in declared
    if name == "kafka":
        assert compose()[name]["environment"]["KAFKA_LOG_DIRS"] == folder


class TestSecrets:
    def test_are_those_of_the_example_which_has_none(self) -> None:
        asked = {name for name, _ in re.findall(r"\$\{([A-Z_]+)(:\?[^}]+)?\}", text_of("docker-compose.yml"))}
        example = named_in(files.ROOT / ".env.example")

        assert set(example) == asked
        assert set(example.values()) == {""}
        assert "/.env\n" in text_of(".gitignore")

    def test_are_asked_for_before_anything_starts(self) -> None:
        must = {name for name, _ in re.findall(r"\$\{([A-Z_]+)(:\?[^}]+)\}", text_of("docker-compose.yml"))}

        assert must == set(named_in(files.ROOT / ".env.example"))

    def test_of_the_recipe_differ(self, secrets: dict[str, str]) -> None:
        assert set(secrets) == set(named_in(files.ROOT / ".env.example"))
        assert len(set(secrets.values())) == len(secrets)

    @pytest.mark.parametrize("service", SERVICES)
    def test_of_one_service_are_given_to_no_other(self, service: str) -> None:
        own = {f"OIDC_CLIENT_SECRET_{service.upper()}"}
        own |= {
            "intake": {"VAULT_KEK", "VAULT_INDEX_KEY"},
            "notify": {"NOTIFY_SECRET_KEY"},
            "audit": {"LEDGER_KEY"},
        }.get(service, set())

        for part in (service, f"{service}-migrate"):
            given = set(VARIABLE.findall(str(compose()[part]["environment"])))
            assert given <= own | {"APPLICATION_PASSWORD"} | ({"OWNER_PASSWORD"} if part != service else set())


class TestServices:
    @pytest.mark.parametrize("service", SERVICES)
    @pytest.mark.parametrize("part", ["", "-migrate"])
    def test_start_with_the_variables_they_are_given(
        self, service: str, part: str, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: dict[str, Any] = compose()[f"{service}{part}"]["environment"]
        told = {name: files.filled_in(str(value), secrets) for name, value in given.items()}

        loaded = files.settings_of(service, told, monkeypatch)

        assert loaded.kafka_bootstrap_servers == "kafka:9092"

    @pytest.mark.parametrize("service", SERVICES)
    def test_are_clients_of_the_realm_where_people_come_back_to(self, service: str) -> None:
        told = compose()[service]["environment"]
        client = files.clients()[told["OIDC_CLIENT_ID"]]

        assert told["OIDC_CLIENT_ID"] == f"svc-{service}"
        assert told["OIDC_CLIENT_SECRET"].startswith(client["secret"].removesuffix("}"))
        assert client["standardFlowEnabled"] is True
        assert client["redirectUris"] == [f"{told['PUBLIC_URL']}/masuk/kembali"]

    def test_send_traces_and_figures_to_one_who_takes_both(self) -> None:
        services = compose()
        config = yaml.safe_load(text_of("deploy/containers/collector.yaml"))
        endpoints = {services[service]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] for service in SERVICES}

        assert endpoints == {"http://collector:4318"}
        assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == "0.0.0.0:4318"
        assert set(config["service"]["pipelines"]) == {"traces", "metrics"}
        for pipeline in config["service"]["pipelines"].values():
            assert set(pipeline["receivers"]) <= set(config["receivers"])
            assert set(pipeline["exporters"]) <= set(config["exporters"])
        assert config["exporters"]["otlphttp"]["endpoint"] == "http://jaeger:4318"
        assert any(
            volume.startswith("./deploy/containers/collector.yaml:") for volume in services["collector"]["volumes"]
        )


def test_the_image_is_built_with_the_uv_of_the_makefile() -> None:
    wanted = re.compile(r"uv>=[0-9.]+,<[0-9.]+")

    assert wanted.findall(text_of("Dockerfile")) == wanted.findall(text_of("Makefile")) != []
