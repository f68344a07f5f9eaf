"""What browsers are told: which pages may call the service, and what its own pages may do."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.api.conftest import Start
from tests.api.problems import assert_problem
from tests.api.services import Raising, Service
from tests.images import draw_digit, encode

GOOD = encode(draw_digit(7))
ORIGIN = "https://example.org"


def test_no_other_page_may_read_answers_by_default(client: Service) -> None:
    answer = client.post("/predict", content=GOOD, headers={"Origin": ORIGIN})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = client.options("/predict", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert_problem(preflight, "method-not-allowed")


def test_pages_of_the_origins_that_are_configured_may(start: Start) -> None:
    with start(cors_origins=f"{ORIGIN}, http://localhost:3000", api_keys="key") as service:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
        preflight = service.options("/predict", headers={"Origin": ORIGIN, **asked})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == ORIGIN
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()
        assert preflight.headers["X-Request-ID"]
        for key, status in (("key", 200), ("no key", 401)):
            answer = service.post("/predict", content=GOOD, headers={"Origin": ORIGIN, "X-API-Key": key})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
            assert {"X-Request-ID", "Retry-After"} <= exposed
            assert "access-control-allow-credentials" not in answer.headers
        stranger = service.post(
            "/predict", content=GOOD, headers={"Origin": "https://evil.example", "X-API-Key": "key"}
        )
        assert "access-control-allow-origin" not in stranger.headers


def test_a_page_can_read_what_went_wrong(start: Start) -> None:
    with start(Raising(RuntimeError("broken")), cors_origins="*") as service:
        answer = service.post("/predict", content=GOOD, headers={"Origin": ORIGIN})
        assert_problem(answer, "internal-error")
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/", "/docs", "/livez", "/metrics", "/nothing", "/docs-assets/swagger-ui.css"])
def test_no_content_is_taken_for_another_type(client: Service, path: str) -> None:
    assert client.get(path).headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_may_load_what_it_needs_and_no_more(client: Service, path: str) -> None:
    page = client.get(path, follow_redirects=True)
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    scripts = policy["script-src"].split()
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    # Every script of the page is either a file of this service or in the policy by its hash.
    for attributes, inline in re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL):
        source = re.search(r'src="([^"]*)"', attributes)
        if source:
            assert source.group(1).startswith("/")
            assert "'self'" in scripts
        else:
            digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in scripts
    assert not re.search(r"<[^>]+\son[a-z]+=", page.text)  # handlers in attributes would not run
    for link in re.findall(r'(?:href|src)="([^"#]*)"', page.text):
        assert not link.startswith(("http:", "https:", "//"))
    assert policy["style-src"].startswith("'self'")
    assert "'self'" in policy["connect-src"]


def test_answers_that_are_no_pages_carry_no_policy(client: Service) -> None:
    assert "content-security-policy" not in client.post("/predict", content=GOOD).headers
