"""Whatever the OpenAPI documents allow, and whatever they forbid, is answered as they say: never with a bug."""

import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from shared.kit.ids import new_id
from tests.contracts.export import DOCUMENTS
from tests.contracts.test_openapi import PUBLIC
from tests.kit.test_web_patience import MONSTERS
from tests.soaking import examples
from tests.web.conftest import Sites
from tests.web.served import Served

SERVICES = ("intake", "referral", "notify", "audit")
WRITTEN: dict[str, dict[str, Any]] = {
    name: json.loads((DOCUMENTS / f"openapi.{name}.json").read_text(encoding="utf-8")) for name in SERVICES
}
OPERATIONS = [
    (service, method, path)
    for service in SERVICES
    for path, methods in WRITTEN[service]["paths"].items()
    for method in methods
]

Ask = Callable[[Case], Any]

CONFIG = schemathesis.Config.from_dict({"generation": {"allow-extra-parameters": False}})
"""A query may hold more than a document names: what is not ours to read is left alone, as on the whole web."""


REFUSES_ALONE = {"/api/arrivals/batch": [negative_data_rejection]}
"""There one item that is wrong fails no other, and the answer as a whole is good."""


def somebody(service: str, path: str) -> str:
    """Who may ask there."""
    match service, path:
        case "intake", "/api/disclosures":
            return "referral"
        case "intake", _ if re.match(r"/api/(cases|persons|holds|erasures|corrections|retention)", path):
            return "protector"
        case "referral", "/api/figures":
            return "coordinator"
        case "referral", "/api/tasks" | "/api/pauses/liftings":
            return "supervisor"
        case "referral", _ if path.startswith("/api/referrals/"):
            return "supervisor"
        case "referral", "/api/questions" | "/api/questions/answers":
            return "officer"
    return {"intake": "port", "referral": "agency", "notify": "ngo_system", "audit": "auditor"}[service]


def name_what_is_there(site: Served, part: Any) -> Any:
    """The same parameters or body, but with ids of things that are there."""
    if isinstance(part, dict):
        return {name: site.things.get(name) or name_what_is_there(site, value) for name, value in part.items()}
    return [name_what_is_there(site, one) for one in part] if isinstance(part, list) else part


def try_out(site: Served, method: str, path: str, mode: GenerationMode, ask: Ask, *, usual: int) -> None:
    """Make up calls of one operation, the same in each run, and have them asked."""
    operation = schemathesis.openapi.from_dict(WRITTEN[site.name], config=CONFIG)[path][method.upper()]

    @settings(
        max_examples=examples(usual),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        ask(case)

    try:
        each()
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE, "only what takes nothing cannot be asked wrongly"


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_what_is_allowed_is_answered_as_documented(sites: Sites, service: str, method: str, path: str) -> None:
    site = sites[service]
    turn = count()

    def ask(case: Case) -> None:
        if next(turn) % 2:
            case.path_parameters = name_what_is_there(site, case.path_parameters)
            case.query = name_what_is_there(site, case.query)
            case.body = name_what_is_there(site, case.body)
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = new_id()
        case.headers.update(site.headers(somebody(service, path)))
        # What two fields together may be, a document cannot say.
        case.call_and_validate(base_url=site.url, excluded_checks=[positive_data_acceptance])

    try_out(site, method, path, GenerationMode.POSITIVE, ask, usual=8)


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_what_is_forbidden_is_refused_as_documented(sites: Sites, service: str, method: str, path: str) -> None:
    site = sites[service]

    def ask(case: Case) -> None:
        case.headers.update(site.headers(somebody(service, path)))
        case.call_and_validate(base_url=site.url, excluded_checks=[ignored_auth, *REFUSES_ALONE.get(path, [])])

    try_out(site, method, path, GenerationMode.NEGATIVE, ask, usual=8)


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_nobody_gets_further_than_documented(sites: Sites, service: str, method: str, path: str) -> None:
    site = sites[service]

    def ask(case: Case) -> None:
        case.headers.pop("Authorization", None)
        answer = case.call(base_url=site.url)
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        assert path in PUBLIC or answer.status_code == 401

    try_out(site, method, path, GenerationMode.POSITIVE, ask, usual=2)


@pytest.mark.parametrize("version", [True, "1", 1.5])
def test_a_number_is_a_number(sites: Sites, version: object) -> None:
    site = sites["referral"]
    item = {"assignment_id": site.things["assignment_id"], "version": version}

    answer = httpx2.post(
        f"{site.url}/api/assignments/acceptances",
        json={"items": [item]},
        headers=site.headers("agency") | {"Idempotency-Key": new_id()},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "/items/0/version"


@pytest.mark.parametrize("service", SERVICES)
def test_no_monster_is_a_bug(sites: Sites, service: str) -> None:
    site = sites[service]
    written = [(method, path) for name, method, path in OPERATIONS if name == service and method != "get"]
    with httpx2.Client(base_url=site.url, timeout=30) as client:
        for method, path in written:
            for kind, monster in MONSTERS.items():
                body = monster().replace(b'"anything"', b'"items"')
                answer = client.request(
                    method,
                    re.sub(r"\{(\w+)\}", lambda name: site.things.get(name[1], new_id()), path),
                    content=body,
                    headers=site.headers(somebody(service, path))
                    | {
                        "Idempotency-Key": new_id(),
                        "Content-Type": "text/csv" if "manifest" in path else "application/json",
                    },
                )
                assert answer.status_code < 500, (method, path, kind)
