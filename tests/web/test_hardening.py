"""What a browser is told of every page, and what a page of somebody else cannot do to us."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from shared.kit.service import SERVICES
from shared.kit.web.headers import CONTENT_SECURITY_POLICY
from tests.web.conftest import Sites
from tests.web.served import Served

Shown = list[tuple[str, httpx2.Response]]

PAGE = {"Accept": "text/html"}
EVIL = "https://evil.example"

READERS = {
    "intake": ("officer", "protector"),
    "referral": ("worker", "supervisor", "coordinator"),
    "notify": ("ngo",),
    "audit": ("auditor",),
}
"""Who together see every page of a service."""

WRITERS = {"intake": "officer", "referral": "worker", "notify": "ngo", "audit": "auditor"}

MAY_BE_KEPT = re.compile(r"/static/|/checkpoint|/tile/(?!entries)|/verifier-key|/rujukan-verify\.py|/api/ledger")
"""Nothing there is about a person."""


def paths(site: Served, method: str) -> list[str]:
    """Every address of the service that takes this method, with ids of things that are there."""
    found = set()
    for context in iter_route_contexts(site.app.routes):
        if method not in (getattr(context, "methods", None) or ()):
            continue
        path = re.sub(r"\{language[^}]*\}", "id", str(getattr(context, "path", "")))
        found.add(re.sub(r"\{(\w+)[^}]*\}", lambda name: site.things.get(name[1], "app.css"), path))
    return sorted(found)


def bodiless(site: Served, method: str) -> set[str]:
    """Addresses of the documented interface at which nothing is sent with this method."""
    return {
        re.sub(r"\{(\w+)[^}]*\}", lambda name: site.things.get(name[1], "app.css"), path)
        for path, operations in site.app.openapi()["paths"].items()
        if "requestBody" not in operations.get(method.lower(), {"requestBody": None})
    }


def takes(site: Served, method: str, path: str) -> bool:
    """Whether some route answers this method at this address, be it another one than answers GET there."""
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in site.app.routes)


def answers(site: Served, **options: Any) -> Iterator[tuple[str, httpx2.Response]]:
    """What everybody who reads, and nobody, is answered at every address."""
    with httpx2.Client(base_url=site.url, timeout=30) as client:
        for path in paths(site, "GET"):
            for who in ("", *READERS[site.name]):
                headers = PAGE | site.headers(who) | options.get("headers", {})
                yield path, client.get(path, headers=headers)


class Markup(HTMLParser):
    """Collects what a strict policy forbids in a page, and everything that it loads or leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if (tag == "script" and "src" not in given) or tag in ("style", "base", "object", "embed", "iframe"):
            self.wrong.append(tag)
        self.wrong += [name for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        self.targets += [given[name] or "" for name in ("href", "src", "action", "formaction") if name in given]


@pytest.fixture(params=SERVICES, scope="module")
def site(request: pytest.FixtureRequest, sites: Sites) -> Served:
    return sites[request.param]


@pytest.fixture(scope="module")
def shown(site: Served) -> Shown:
    """What there is to see at this service, asked for once."""
    return list(answers(site))


class TestPages:
    def test_carry_the_strict_policy_and_nothing_that_it_forbids(self, site: Served, shown: Shown) -> None:
        seen = 0
        for path, answer in shown:
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            seen += answer.status_code == 200
            # Signing out leads by a form to the identity provider, there and nowhere else.
            policy = answer.headers["content-security-policy"].replace(f"'self' {site.issuer.url};", "'self';")
            assert policy == CONTENT_SECURITY_POLICY, path
            markup = Markup(answer.text)
            assert markup.wrong == [], path
            assert all(re.match(r"[/#?]|data:image/|$", target) for target in markup.targets), (path, markup.targets)
        assert seen >= 2

    def test_and_all_other_answers_are_framed_embedded_and_guessed_by_nobody(self, shown: Shown) -> None:
        for path, answer in shown:
            headers = answer.headers
            assert headers.get_list("content-security-policy")[0].count("frame-ancestors 'none'") == 1, path
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["cross-origin-resource-policy"] == "same-origin", path
            assert headers["referrer-policy"] in ("same-origin", "no-referrer"), path
            if not path.startswith("/api/"):
                assert headers["cross-origin-opener-policy"] == "same-origin", path
            assert "server" not in headers

    def test_are_kept_by_nobody_when_they_can_be_about_a_person(self, shown: Shown) -> None:
        for path, answer in shown:
            cached = answer.headers.get_list("cache-control")
            if MAY_BE_KEPT.match(path) and answer.status_code == 200:
                assert len(cached) == 1, path
            else:
                assert cached == ["no-store"], path


class TestOtherOrigins:
    @pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1"])
    def test_are_let_into_no_answer(self, site: Served, origin: str) -> None:
        for path, answer in answers(site, headers={"Origin": origin}):
            assert not [name for name in answer.headers if name.startswith("access-control-")], path

    def test_get_no_leave_for_anything(self, site: Served) -> None:
        asked = {
            "Origin": EVIL,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, x-csrf-token",
        }
        with httpx2.Client(base_url=site.url) as client:
            for path in (*paths(site, "POST"), *paths(site, "GET")):
                answer = client.options(path, headers=asked)
                assert answer.status_code in (404, 405), path
                assert not [name for name in answer.headers if name.startswith("access-control-")], path

    def test_change_nothing_with_somebodys_cookie(self, site: Served, sites: Sites) -> None:
        cookies, token = sites.session(site.name, WRITERS[site.name])
        strange = {
            "no token": ({}, {}),
            "a wrong token": ({}, {"csrf": "x"}),
            "another origin": ({"Origin": EVIL}, {"csrf": token}),
            "no origin": ({"Origin": "null"}, {"csrf": token}),
            "another site": ({"Sec-Fetch-Site": "cross-site"}, {"csrf": token}),
            "a neighbour": ({"Sec-Fetch-Site": "same-site"}, {"csrf": token}),
        }
        with httpx2.Client(base_url=site.url, cookies=cookies) as client:
            assert client.get("/id/", headers=PAGE).status_code == 200
            for path in {*paths(site, "POST"), *paths(site, "PUT"), *paths(site, "DELETE")} - WITHOUT_SESSION:
                method = next(m for m in ("POST", "PUT", "DELETE") if path in paths(site, m))
                for what, (headers, form) in strange.items():
                    answer = client.request(method, path, headers=headers, data=form)
                    assert answer.status_code in (403, 415), (what, path, answer.text)
                    assert answer.status_code == 415 or answer.json()["code"] == "csrf", (what, path)

    @pytest.mark.parametrize("kind", ["iframe", "image", "script", "embed", "empty"])
    def test_make_no_part_of_a_page_of_theirs_of_one_of_ours(self, site: Served, sites: Sites, kind: str) -> None:
        cookies, _ = sites.session(site.name, WRITERS[site.name])
        with httpx2.Client(base_url=site.url, cookies=cookies, headers=PAGE) as client:
            for origin in "same-site", "cross-site":
                fetch = {"Sec-Fetch-Site": origin, "Sec-Fetch-Dest": kind}
                assert client.get("/id/", headers=fetch).status_code == 403

    def test_may_link_to_us(self, site: Served, sites: Sites) -> None:
        cookies, _ = sites.session(site.name, WRITERS[site.name])
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        with httpx2.Client(base_url=site.url, cookies=cookies, headers=PAGE | link) as client:
            assert client.get("/id/").status_code == 200


WITHOUT_SESSION = {"/id/tampilan", "/keluar/kabar"}
"""How pages look is no secret and no harm; what the identity provider says comes with no cookie but a signature."""


class TestMethods:
    def test_are_what_they_are(self, site: Served, sites: Sites) -> None:
        """No header, field or query makes a method into another one."""
        cookies, token = sites.session(site.name, WRITERS[site.name])
        overrides = dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "DELETE")
        with httpx2.Client(base_url=site.url, cookies=cookies, headers=overrides | PAGE) as client:
            for path in paths(site, "GET"):
                assert client.get(f"{path}?_method=DELETE&csrf={token}").status_code < 500, path
            for path in paths(site, "GET"):
                if not takes(site, "POST", path):
                    answer = client.post(path, data={"_method": "DELETE", "csrf": token})
                    assert answer.status_code == 405, path

    @pytest.mark.parametrize("method", ["TRACE", "PATCH", "PROPFIND", "DELETE"])
    def test_are_only_those_that_a_route_names(self, site: Served, method: str) -> None:
        with httpx2.Client(base_url=site.url) as client:
            for path in ("/id/", "/livez", "/api/openapi.json", "/masuk"):
                assert client.request(method, path, headers=PAGE).status_code in (400, 405), path


class TestBodies:
    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    def test_are_not_taken_for_json(self, site: Served, kind: str) -> None:
        with httpx2.Client(base_url=site.url) as client:
            for method in "POST", "PUT":
                for path in paths(site, method):
                    if not path.startswith("/api/"):
                        continue
                    headers = site.headers(WRITERS[site.name]) | ({"Content-Type": kind} if kind else {})
                    answer = client.request(
                        method, path, content=b'{"items": []}', headers={**headers, "Idempotency-Key": "1"}
                    )
                    # Where nothing is sent there is nothing to refuse: then it is the thing that is not there.
                    gone = {404} if path in bodiless(site, method) else set()
                    assert answer.status_code in {400, 403, 415, 422} | gone, (method, path, answer.text)
                    if answer.status_code == 422:
                        assert answer.json()["code"] == "invalid"


class TestAddresses:
    HOSTS = ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1]@evil.example")

    @pytest.mark.parametrize("host", HOSTS)
    def test_are_not_made_of_what_the_caller_says_our_name_is(self, site: Served, host: str) -> None:
        forwarded = {"X-Forwarded-Host": host, "X-Forwarded-Proto": "https", "Forwarded": f"host={host}"}
        for path, answer in answers(site, headers={"Host": host} | forwarded):
            assert "evil.example" not in answer.headers.get("location", ""), path
            assert "evil.example" not in answer.text, path

    @pytest.mark.parametrize(
        "path",
        [
            "//evil.example",
            "//evil.example/",
            "/%2f%2fevil.example/",
            "/id//evil.example/",
            "/\\evil.example/",
            "/id/%0d%0aLocation:%20https://evil.example/",
            "/masuk/?next=//evil.example",
            "/masuk/kembali/",
            "/id",
            "/en/",
            "/",
        ],
    )
    def test_lead_to_ourselves(self, site: Served, path: str) -> None:
        with httpx2.Client() as client:
            answer = client.get(f"{site.url}{path}", headers={"Host": "evil.example", **PAGE})

        to = answer.headers.get("location", "/")
        assert re.match(r"/(?![/\\])", to), to
        assert "set-cookie" not in answer.headers or path.startswith("/masuk")

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/%0d%0aX: y",
            "javascript:alert(1)",
            "/\r\nSet-Cookie: a=b",
            " //evil.example",
            "/id/ //evil.example",
        ],
    )
    def test_that_a_form_names_lead_to_ourselves(self, site: Served, elsewhere: str) -> None:
        with httpx2.Client(base_url=site.url) as client:
            answer = client.post("/id/tampilan", data={"theme": "dark", "back": elsewhere})

        assert answer.status_code == 303
        assert re.match(r"/(?![/\\])", answer.headers["location"]), answer.headers["location"]
        assert "a=b" not in answer.headers.get("set-cookie", "")
