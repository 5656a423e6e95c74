"""What is not there and what is not yours are told the same, to the byte, and looked for in the same way."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from shared.kit.identity import sessions
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.web.conftest import Sites
from tests.web.served import Served

OTHERS = {"intake": "stranger", "referral": "colleague", "notify": "rival"}
"""Somebody with the right role, to whom none of the things that are there belong."""

TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
"""One number for all answers, so that nothing in them has to differ."""

BODIES: dict[str, Any] = {
    "/api/subscriptions/{subscription_id}": {"name": "Posko", "url": "https://posko.example/other"},
    "/api/subscriptions/{subscription_id}/status": {"status": "paused"},
}
BULK = {
    "/api/assignments/acknowledgements": {},
    "/api/assignments/acceptances": {},
    "/api/assignments/declines": {"reason": "no_capacity"},
    "/api/assignments/starts": {},
    "/api/assignments/completions": {"outcome": "SERVICE_DELIVERED"},
    "/api/assignments/failures": {"outcome": "PERSON_LEFT"},
}


def operations(site: Served) -> Iterator[tuple[str, str]]:
    """Every method and address, API and page, that names a thing that is there."""
    for context in iter_route_contexts(site.app.routes):
        path = re.sub(r"\{language[^}]*\}", "id", str(getattr(context, "path", "")))
        named = set(re.findall(r"\{(\w+)", path))
        if named and named <= site.things.keys():
            for method in sorted(getattr(context, "methods", None) or ()):
                yield method, path


def told(client: httpx2.Client, method: str, path: str, thing: dict[str, str]) -> tuple[int, Any, bytes]:
    """Status, headers without the hour, and body of an answer about this thing."""
    content: dict[str, Any] = {}
    if path.startswith("/api/"):
        content = {"json": BODIES[path]} if path in BODIES else {}
        if path.endswith("/manifest"):
            content = {"content": b"full_name,sex\nEmong,M\n", "headers": {"Content-Type": "text/csv"}}
    elif method == "POST":
        content = {"data": {"x": "1"}}
    address = re.sub(r"\{(\w+)[^}]*\}", lambda name: thing[name[1]], path)
    answer = client.request(method, address, **content)
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    body = answer.content
    for one in thing.values():
        body = body.replace(one.encode(), b"this")
        # A form says which case it is about, as it was asked, whether or not there is such a one.
        body = body.replace(short_code(one).encode(), b"this")
    body = re.sub(rb'(name="idempotency_key" value=)"[^"]*"', rb"\1", body)
    return answer.status_code, [(name, value.replace(address, "here")) for name, value in headers], body


def client_of(site: Served, who: str, accept: str) -> httpx2.Client:
    headers = site.headers(who) | TRACE | {"Accept": accept, "Idempotency-Key": new_id()}
    return httpx2.Client(base_url=site.url, headers=headers, timeout=30)


@pytest.fixture(params=OTHERS)
def site(request: pytest.FixtureRequest, sites: Sites) -> Served:
    return sites[request.param]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_thing_of_others_is_as_absent_as_one_that_never_was(site: Served, accept: str) -> None:
    seen = 0
    with client_of(site, OTHERS[site.name], accept) as client:
        for method, path in operations(site):
            of_others = told(client, method, path, site.things)
            of_nobody = told(client, method, path, {name: new_id() for name in site.things})
            assert of_others == of_nobody, (method, path)
            assert of_others[0] in (200, 403, 404, 422), (method, path, of_others)
            seen += 1
    assert seen >= 3


def test_in_a_list_too(sites: Sites) -> None:
    site = sites["referral"]
    for path, more in BULK.items():
        results = []
        for assignment_id in (site.things["assignment_id"], new_id()):
            with client_of(site, OTHERS["referral"], "application/json") as client:
                answer = client.post(path, json={"items": [{"assignment_id": assignment_id, **more}]})
            results.append((answer.status_code, answer.text.replace(assignment_id, "this")))
        assert results[0] == results[1], path
        assert '"code":"assignment_unknown"' in results[0][1]


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("intake", "/api/voyages/{voyage_id}"),
        ("referral", "/api/assignments/{assignment_id}"),
        ("notify", "/api/subscriptions/{subscription_id}"),
    ],
)
def test_both_are_looked_for_in_the_same_way(sites: Sites, service: str, path: str) -> None:
    """The same statements in the same order, so that neither takes longer. No clock is asked: a machine may be busy."""
    site = sites[service]
    things = (site.things, {name: new_id() for name in site.things})
    looked = []
    with client_of(site, OTHERS[service], "application/json") as client:
        for thing in things:
            told(client, "GET", path, thing)  # what is made or found once is there from then on
        for thing in things:
            with sites.statements(site) as said:
                told(client, "GET", path, thing)
            looked.append(said)

    assert looked[0] == looked[1]
    assert len(looked[0]) >= 3


class TestSigningIn:
    def test_fails_alike_whatever_was_wrong(self, sites: Sites) -> None:
        site = sites["referral"]
        attempt = site.app.state.identity.cookies.attempt
        wrong: list[tuple[str, dict[str, str]]] = [
            ("/masuk/kembali", {}),
            ("/masuk/kembali?code=x&state=y", {}),
            ("/masuk/kembali?error=access_denied&state=y", {}),
            ("/masuk/kembali?error=account_disabled&error_description=wati", {}),
            ("/masuk/kembali?code=x&state=y", {attempt: "nonsense"}),
            ("/masuk/kembali?code=x&state=y", {attempt: "e30"}),
        ]

        answers = set()
        for address, cookies in wrong:
            with httpx2.Client(base_url=site.url, headers=TRACE | {"Accept": "text/html"}, cookies=cookies) as client:
                answer = client.get(address)
                headers = tuple(pair for pair in answer.headers.multi_items() if pair[0] != "date")
                # The page says where it is, for the link that signs in again.
                text = re.sub(r"(?:kembali|en)[^\"]*\"", '"', answer.text)
                answers.add((answer.status_code, headers[1:], text))

        assert len({(status, text) for status, _, text in answers}) == 1
        assert {status for status, _, _ in answers} == {400}

    def test_no_session_and_one_that_never_was_are_the_same(self, sites: Sites) -> None:
        site = sites["referral"]
        cookie = site.app.state.identity.cookies.session

        answers = set()
        for value in (None, "nonsense", sessions.new_id(), sessions.new_id()):
            cookies = {} if value is None else {cookie: value}
            with httpx2.Client(base_url=site.url, headers=TRACE, cookies=cookies) as client:
                answer = client.get("/api/inbox")
                pairs = tuple(pair for pair in answer.headers.multi_items() if pair[0] != "date")
                answers.add((answer.status_code, pairs, answer.content))

        assert len(answers) == 1

    def test_all_tokens_that_are_not_ours_are_the_same(self, sites: Sites) -> None:
        site = sites["referral"]
        known, claims = site.token("worker"), site.issuer.claims(aud="referral")
        tokens = [
            "nonsense",
            known[:-4] + "AAAA",
            known.rsplit(".", 1)[0] + ".",
            site.issuer.sign({**claims, "aud": "intake"}),
            site.issuer.sign({**claims, "iss": "https://elsewhere.example"}),
            site.issuer.sign({**claims, "org": "somebody with a name"}),
            site.issuer.sign(claims, header={"kid": "unknown"}),
            site.issuer.sign(claims, header={"typ": "JWT"}),
        ]

        answers = set()
        for token in tokens:
            with httpx2.Client(base_url=site.url, headers=TRACE | {"Authorization": f"Bearer {token}"}) as client:
                answer = client.get("/api/inbox")
                pairs = tuple(pair for pair in answer.headers.multi_items() if pair[0] != "date")
                answers.add((answer.status_code, pairs, answer.content))

        assert len(answers) == 1
        assert answers.pop()[0] == 401
