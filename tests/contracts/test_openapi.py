"""The OpenAPI documents say what the services really answer, and who may ask."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.contracts import openapi

APPLICATIONS = openapi.applications()

PUBLIC = {
    "/checkpoint",
    "/tile/{level}/{path}",
    "/verifier-key",
    "/rujukan-verify.py",
    "/api/ledger",
    "/api/ledger/consistency",
}
"""What anybody may read: the published log."""

WITHOUT_KEY = {
    "/api/arrivals/batch",  # each item has its own
    "/api/disclosures",  # each asking is a reading of its own
    "/api/persons/search",
    "/api/agencies/previews",  # changes nothing
    "/api/what-if",  # nor does this
    "/api/arrivals/{case_id}/screening-trial",  # nor this
    "/api/cases/{case_id}/export",
}


def operations(application: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of all that is documented."""
    for path, methods in application.openapi()["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


@pytest.fixture(params=APPLICATIONS, ids=str)
def application(request: pytest.FixtureRequest) -> FastAPI:
    made: FastAPI = APPLICATIONS[request.param]
    return made


def client_of(application: FastAPI) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=application, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://rujukan.test")


async def test_the_document_is_served(application: FastAPI) -> None:
    async with client_of(application) as client:
        answer = await client.get("/api/openapi.json")

    assert answer.json() == application.openapi()


def test_every_route_of_the_api_is_documented(application: FastAPI) -> None:
    documented = {(method, path) for method, path, _ in operations(application)}
    answered = {
        (method, path)
        for context in iter_route_contexts(application.routes)
        if (path := str(getattr(context, "path", ""))).startswith("/api/") and path != application.openapi_url
        for method in set(getattr(context, "methods", None) or ()) - {"HEAD"}
    }

    assert {(method, path) for method, path in documented if path.startswith("/api/")} == answered


async def test_a_stranger_gets_no_further_than_the_document_says(application: FastAPI) -> None:
    async with client_of(application) as client:
        for method, path, described in operations(application):
            if path in PUBLIC:
                assert "security" not in described, path
                continue
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert described["security"] == [{"token": []}], path
            assert "application/problem+json" in described["responses"]["401"]["content"], path


def test_a_write_needs_a_key(application: FastAPI) -> None:
    for method, path, described in operations(application):
        needs_key = any(given["name"] == "Idempotency-Key" for given in described.get("parameters", []))
        assert needs_key == (method != "GET" and path not in WITHOUT_KEY), (method, path)


def test_every_refusal_is_documented(application: FastAPI) -> None:
    for method, path, described in operations(application):
        expected = {"500", "503"}
        if path not in PUBLIC:
            expected |= {"401", "403", "429"}
        if "{" in path:
            expected |= {"404"}
        if method != "GET":
            expected |= {"400", "413", "415", "422"}
        refused = {status for status in described["responses"] if status >= "400"}
        assert expected <= refused, (method, path)
        assert "default" not in refused
        for status in refused:
            assert list(described["responses"][status]["content"]) == ["application/problem+json"], (path, status)
