"""Every error is one problem document that says what to do, and after each the service goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app import errors
from app.domain import Prediction, Reading
from app.manifest import ModelVersion
from app.recogniser import Recogniser
from app.settings import Settings
from tests.api.conftest import Start
from tests.api.problems import STATUS, assert_problem, assert_problem_document
from tests.api.services import Blocking, Raising, RaisingRecogniser, Service, running, wait_for
from tests.images import FORGED, FORGED_WEBP, FORMATS, blank_page, draw_digit, encode, png

SINGLE = ("/predict", "/read")
BATCH = ("/predict/batch", "/read/batch")
POSTS = (*SINGLE, *BATCH)
GETS = ("/livez", "/readyz", "/model", "/metrics", "/", "/docs", "/openapi.json")

GOOD = encode(draw_digit(3))


@pytest.fixture(autouse=True)
def _the_service_goes_on(client: Service) -> Iterator[None]:
    yield
    assert client.post("/predict", content=GOOD).json()["digit"] == 3
    assert client.get("/readyz").status_code == 200


# The image.


@pytest.mark.parametrize("path", POSTS)
def test_an_empty_body(client: Service, path: str) -> None:
    for headers in ({}, {"Content-Type": "image/png"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        problem = assert_problem(client.post(path, content=b"", headers=headers), "missing-file")
        assert "file" in problem["detail"]
        assert "curl " in problem["detail"]
        assert path in problem["detail"]


NOT_IMAGES = {
    "text": b"twelve",
    "one byte": b"\0",
    "HTML": b"<!doctype html><p>3</p>",
    "JSON": b'{"file": "3.png"}',
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "PDF": b"%PDF-1.7\n1 0 obj << >> endobj",
    "base64": b"iVBORw0KGgoAAAANSUhEUgAAAGAAAABgCAAAAADH8yjkAAAD",
    "JPEG 2000": encode(draw_digit(3), "JPEG2000"),
    "ICO": encode(draw_digit(3), "ICO"),
    "TGA": encode(draw_digit(3), "TGA"),
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("kind", NOT_IMAGES)
def test_what_is_no_image_of_a_served_format(client: Service, path: str, kind: str) -> None:
    problem = assert_problem(client.post(path, content=NOT_IMAGES[kind]), "unsupported-image")
    assert "PNG" in problem["detail"]
    assert_problem(client.post(path, files={"file": ("3.png", NOT_IMAGES[kind], "image/png")}), "unsupported-image")


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("image_format", FORMATS)
def test_an_image_cut_short(client: Service, path: str, image_format: str) -> None:
    data = encode(draw_digit(3, 200), image_format)
    assert_problem(client.post(path, content=data[: len(data) // 2]), "corrupt-image")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "TIFF", "BMP"])
def test_an_image_cut_short_in_its_header(client: Service, image_format: str) -> None:
    data = encode(draw_digit(3, 200), image_format)
    assert_problem(client.post("/predict", content=data[:12]), "corrupt-image")


def test_a_png_with_damaged_pixels(client: Service) -> None:
    data = bytearray(encode(draw_digit(3, 200)))
    middle = data.index(b"IDAT") + 40
    data[middle : middle + 30] = bytes(30)
    assert_problem(client.post("/read", content=bytes(data)), "corrupt-image")


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("kind", FORGED)
def test_a_header_that_claims_too_many_pixels(client: Service, path: str, kind: str) -> None:
    problem = assert_problem(client.post(path, content=FORGED[kind]), "image-too-large")
    assert "50000" in problem["detail"]
    assert "40,000,000" in problem["detail"]


def test_a_header_that_claims_too_many_pixels_in_a_form(client: Service) -> None:
    assert_problem(client.post("/read", files={"file": FORGED["PNG"]}), "image-too-large")
    assert_problem(client.post("/read", content=FORGED["PNG"], headers={"Accept": "image/png"}), "image-too-large")


def test_a_webp_whose_header_its_frames_contradict(client: Service) -> None:
    response = client.post("/read", content=FORGED_WEBP)
    assert_problem(response, "image-too-large" if response.status_code == 413 else "corrupt-image")


@pytest.mark.parametrize("image_format", FORMATS)
def test_the_limit_of_pixels_is_exact(start: Start, image_format: str) -> None:
    with start(max_pixels=40 * 30) as service:
        assert service.post("/predict", content=encode(blank_page(40, 30), image_format)).status_code == 200
        too_large = encode(blank_page(41, 30), image_format)
        assert_problem(service.post("/predict", content=too_large), "image-too-large")


# The body.


def test_a_body_larger_than_the_limit(client: Service) -> None:
    limit = 10 * 2**20
    for path in POSTS:
        problem = assert_problem(client.post(path, content=bytes(limit + 1)), "body-too-large")
        assert "10,485,760" in problem["detail"]
    assert_problem(client.post("/read", content=GOOD + bytes(limit - len(GOOD) + 1)), "body-too-large")


def test_a_body_just_within_the_limit(client: Service) -> None:
    data = GOOD + bytes(10 * 2**20 - len(GOOD))
    assert client.post("/predict", content=data).json()["digit"] == 3


def chunks(size: int, chunk: int = 65_536) -> Iterator[bytes]:
    for start in range(0, size, chunk):
        yield bytes(min(chunk, size - start))


def test_a_body_of_undeclared_length(client: Service) -> None:
    assert_problem(client.post("/read", content=chunks(11 * 2**20)), "body-too-large")
    assert_problem(client.post("/read", content=chunks(0)), "missing-file")
    pieces = iter([GOOD[:10], b"", GOOD[10:400], GOOD[400:]])
    assert client.post("/predict", content=pieces).json()["digit"] == 3


def test_a_form_larger_than_the_limit(client: Service) -> None:
    files = [("file", bytes(4 * 2**20))] * 3
    for path in POSTS:
        assert_problem(client.post(path, files=files), "body-too-large")


def test_the_limit_of_the_body_is_a_setting(start: Start) -> None:
    with start(max_body_bytes=len(GOOD)) as service:
        assert service.post("/predict", content=GOOD).status_code == 200
        assert_problem(service.post("/predict", content=GOOD + b"\0"), "body-too-large")


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_the_field(client: Service, path: str) -> None:
    for files in ({"image": GOOD}, {"File": GOOD}, {"": GOOD}, {"a": GOOD, "b": GOOD}):
        problem = assert_problem(client.post(path, files=files), "missing-file")
        assert "file" in problem["detail"]
        assert "curl " in problem["detail"]


def test_the_curl_line_names_the_field_and_the_path(client: Service) -> None:
    for path in POSTS:
        detail = client.post(path, files={"image": GOOD}).json()["detail"]
        assert detail.endswith(f"curl -F file=@digit.png http://localhost:{client.port}{path}")


def test_a_curl_line_cannot_be_forged(client: Service) -> None:
    response = client.post("/predict", files={"<script>alert(1)</script>": GOOD})
    assert_problem(response, "missing-file")
    assert response.headers["content-type"].startswith("application/problem+json")
    for host in ("evil.example", "evil.example/evil?"):
        for files in ({"image": GOOD}, [("file", GOOD)] * 2):
            response = client.post("/predict", files=files, headers={"Host": host})
            assert response.status_code == 422
            assert "evil" not in response.text


@pytest.mark.parametrize("path", SINGLE)
def test_several_files_where_one_is_read(client: Service, path: str) -> None:
    problem = assert_problem(client.post(path, files=[("file", GOOD), ("file", GOOD)]), "invalid-parameter")
    assert f"{path}/batch" in problem["detail"]


def _multipart(client: Service, path: str, body: bytes, content_type: str) -> httpx.Response:
    return client.post(path, content=body, headers={"Content-Type": content_type})


PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="3.png"\r\n\r\n' + GOOD
WHOLE = PART + b"\r\n--b--\r\n"
FORM = "multipart/form-data; boundary=b"


def test_a_form_written_by_hand(client: Service) -> None:
    """The counterpart of the damaged ones below."""
    preamble = b"This is a form of --b\r\nseveral parts.\r\n"
    for body in (WHOLE, b"\r\n" + WHOLE + b"epilogue", WHOLE.removesuffix(b"\r\n"), preamble + WHOLE, b"\n" + WHOLE):
        assert _multipart(client, "/predict", body, FORM).json()["digit"] == 3
    for content_type in ('multipart/form-data; boundary="b"', "MULTIPART/FORM-DATA; Boundary=b; charset=utf-8"):
        assert _multipart(client, "/predict", WHOLE, content_type).json()["digit"] == 3


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_boundary(client: Service, path: str) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; charset=utf-8"):
        problem = assert_problem(_multipart(client, path, WHOLE, content_type), "malformed-request")
        assert "boundary" in problem["detail"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("length", [3, 30, len(PART) // 2, len(PART), len(PART) + 4], ids=str)
def test_a_form_cut_short(client: Service, path: str, length: int) -> None:
    assert_problem(_multipart(client, path, WHOLE[:length], FORM), "malformed-request")


def test_a_form_with_another_boundary(client: Service) -> None:
    assert_problem(_multipart(client, "/predict", WHOLE, "multipart/form-data; boundary=c"), "malformed-request")


def test_a_form_with_a_boundary_of_unlawful_length(client: Service) -> None:
    boundary = "b" * 300
    body = WHOLE.replace(b"--b", b"--" + boundary.encode())
    response = _multipart(client, "/predict", body, f"multipart/form-data; boundary={boundary}")
    assert_problem(response, "malformed-request")


def test_a_form_that_is_none(client: Service) -> None:
    assert_problem(_multipart(client, "/predict", GOOD, FORM), "malformed-request")
    for body in (b"", b"--b--\r\n"):
        response = _multipart(client, "/predict", body, FORM)
        assert_problem(response, "malformed-request" if response.status_code == 400 else "missing-file")


@pytest.mark.parametrize("path", SINGLE)
def test_a_form_with_an_empty_file(client: Service, path: str) -> None:
    """The second one is what a browser sends where no file was chosen."""
    not_chosen = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n'
    for response in (client.post(path, files={"file": ("3.png", b"")}), _multipart(client, path, not_chosen, FORM)):
        problem = assert_problem(response, "missing-file")
        assert "'file'" in problem["detail"]
        assert "curl -F file=@" in problem["detail"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Content-Disposition: form-data",
        b"Content-Disposition: form-data; name=",
        b"Content-Disposition: \xff\xfe",
        b'Content-Disposition: form-data; name="\xff"',
        b"Content-Type: image/png",
    ],
    ids=repr,
)
def test_a_part_without_a_usable_name(client: Service, header: bytes) -> None:
    body = b"--b\r\n" + header + (b"\r\n" if header else b"") + b"\r\n" + GOOD + b"\r\n--b--\r\n"
    response = _multipart(client, "/predict", body, FORM)
    assert_problem(response, "malformed-request" if response.status_code == 400 else "missing-file")


def test_a_form_of_very_many_fields(client: Service) -> None:
    """The answer does not tell the client all that it sent."""
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n' % n for n in range(20_000))
    response = _multipart(client, "/predict", parts + b"--b--\r\n", FORM)
    assert_problem(
        response, {400: "malformed-request", 413: "body-too-large"}.get(response.status_code, "missing-file")
    )
    assert len(response.content) < 2000
    response = client.post("/predict", files={"x" * 100_000: GOOD})
    assert response.status_code in (400, 422)
    assert len(response.content) < 2000


# The parameters.


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("polarity", "upside-down"),
        ("polarity", ""),
        ("polarity", "AUTO"),
        ("min_confidence", "2"),
        ("min_confidence", "-0.1"),
        ("min_confidence", "nan"),
        ("min_confidence", "inf"),
        ("min_confidence", "abc"),
        ("min_confidence", ""),
        ("polrity", "auto"),
        ("file", "3.png"),
    ],
)
def test_a_bad_parameter(client: Service, path: str, parameter: str, value: str) -> None:
    problem = assert_problem(client.post(path, content=GOOD, params={parameter: value}), "invalid-parameter")
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    assert parameter in problem["detail"]


@pytest.mark.parametrize("path", ["/read", "/read/batch"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "abc", "", "99999999999999999999"])
def test_a_bad_expected_length(client: Service, path: str, value: str) -> None:
    problem = assert_problem(client.post(path, content=GOOD, params={"expected_length": value}), "invalid-parameter")
    assert [error["parameter"] for error in problem["errors"]] == ["expected_length"]


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_one_digit_has_no_expected_length(client: Service, path: str) -> None:
    assert_problem(client.post(path, content=GOOD, params={"expected_length": 1}), "invalid-parameter")


def test_all_bad_parameters_are_listed(client: Service) -> None:
    query = {"polarity": "x", "min_confidence": "2", "expected_length": "0", "unknown": "1"}
    problem = assert_problem(client.post("/read", content=GOOD, params=query), "invalid-parameter")
    assert {error["parameter"] for error in problem["errors"]} == set(query)


# The path and the method.


@pytest.mark.parametrize(
    "path", ["/nothing", "/predict/7", "/predict/batch/1", "/docs/nothing", "/model/0.1.0", "/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path(client: Service, path: str, method: str) -> None:
    assert_problem(client.request(method, path), "not-found")


@pytest.mark.parametrize("path", [*(f"{path}/" for path in (*POSTS, *GETS, "/about") if path != "/"), "/docs-assets"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_more_or_less_makes_another_path(client: Service, path: str, method: str) -> None:
    """It is not redirected: that would lead to whatever host the client names."""
    response = client.request(method, path, headers={"Host": "elsewhere.example"})
    assert_problem(response, "not-found")
    assert "location" not in response.headers


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_of_a_reading_path(client: Service, path: str, method: str) -> None:
    response = client.request(method, path)
    assert_problem(response, "method-not-allowed")
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", GETS)
def test_a_wrong_method_of_an_operations_path(client: Service, path: str) -> None:
    response = client.post(path, content=GOOD)
    assert_problem(response, "method-not-allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_what_probes_may_ask_is_told(client: Service, path: str) -> None:
    response = client.delete(path)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}


# Keys.


@pytest.mark.parametrize("path", POSTS)
def test_keys(start: Start, path: str) -> None:
    with start(api_keys="first-key, second-key") as service:

        def post(**headers: str) -> httpx.Response:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            return service.post(path, content=GOOD, headers=names)

        for headers in (
            {},
            {"X_API_Key": "third-key"},
            {"X_API_Key": ""},
            {"X_API_Key": "first-ke"},
            {"X_API_Key": "first-key, second-key"},
            {"Authorization": "Bearer third-key"},
            {"Authorization": "Bearer"},
            {"Authorization": "first-key"},
            {"Authorization": "Basic first-key"},
        ):
            response = post(**headers)
            problem = assert_problem(response, "unauthorized")
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert "X-API-Key" in problem["detail"]
            assert "first" not in response.text
        for key in ("first-key", "second-key"):
            assert post(X_API_Key=key).status_code == 200
            assert post(Authorization=f"Bearer {key}").status_code == 200
            assert post(Authorization=f"bearer {key}").status_code == 200


def test_a_key_with_other_letters(start: Start) -> None:
    with start(api_keys="key") as service:
        for value in ("schlüssel".encode(), "schlüssel".encode("latin-1"), b"\xff", b"key\xff"):
            response = service.post("/predict", content=GOOD, headers=[(b"X-API-Key", value)])
            assert_problem(response, "unauthorized")


def test_without_a_key_nothing_of_the_request_is_told(start: Start) -> None:
    """A stranger learns of no limit and no parameter, and costs no work."""
    with start(api_keys="key", max_body_bytes=100) as service:
        assert_problem(service.post("/read", content=b"no image"), "unauthorized")
        assert_problem(service.post("/read", content=GOOD, params={"polarity": "x"}), "unauthorized")
        assert_problem(service.post("/read", content=bytes(1000)), "unauthorized")


def test_operations_need_no_key(start: Start) -> None:
    with start(api_keys="key") as service:
        for path in ("/livez", "/readyz", "/model", "/metrics", "/docs"):
            assert service.get(path).status_code == 200


def test_without_keys_none_is_asked_for(client: Service) -> None:
    assert client.post("/predict", content=GOOD, headers={"Authorization": "Bearer x"}).status_code == 200


# The service itself.


def _in_the_background(service: Service, count: int = 1) -> tuple[list[httpx.Response], list[threading.Thread]]:
    responses: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: responses.append(service.post("/predict", content=GOOD))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return responses, threads


def test_more_requests_than_the_limit(start: Start) -> None:
    classifier = Blocking()
    with start(classifier, max_in_flight=1) as service:
        responses, threads = _in_the_background(service)
        try:
            assert classifier.entered.wait(60)
            for path in POSTS:
                response = service.post(path, content=GOOD)
                assert_problem(response, "overloaded")
                assert int(response.headers["Retry-After"]) >= 1
            assert service.get("/livez").status_code == 200
            assert service.get("/readyz").status_code == 200
        finally:
            classifier.release.set()
            for thread in threads:
                thread.join()
        assert [response.status_code for response in responses] == [200]
        assert service.post("/predict", content=GOOD).status_code == 200


def test_an_answer_that_comes_too_late(start: Start) -> None:
    classifier = Blocking()
    with start(classifier, request_timeout_s=0.2) as service:
        try:
            assert_problem(service.post("/predict", content=GOOD), "deadline-exceeded")
            assert_problem(service.post("/read", content=GOOD), "deadline-exceeded")
            assert_problem(service.post("/read", content=GOOD, headers={"Accept": "image/png"}), "deadline-exceeded")
            assert service.get("/livez").status_code == 200
        finally:
            classifier.release.set()
        assert service.post("/predict", content=GOOD).status_code == 200


def test_a_model_that_hangs_wedges_nothing(start: Start) -> None:
    """Requests that were given up are in flight no longer, and are forgotten once the model answers again."""
    classifier = Blocking()
    with start(classifier, request_timeout_s=0.2, max_in_flight=2) as service:
        try:
            for _ in range(5):
                response = service.post("/predict", content=GOOD)
                assert_problem(response, "overloaded" if response.status_code == 503 else "deadline-exceeded")
            assert service.state.in_flight == 0
        finally:
            classifier.release.set()
        wait_for(lambda: service.post("/predict", content=GOOD).status_code == 200, "the service does not recover")


def test_shutdown_refuses_the_new_and_finishes_the_old(start: Start) -> None:
    classifier = Blocking()
    with start(classifier) as service:
        responses, threads = _in_the_background(service)
        try:
            assert classifier.entered.wait(60)
            service.state.draining = True  # what the signal does
            assert_problem(service.get("/readyz"), "shutting-down")
            for path in POSTS:
                assert_problem(service.post(path, content=GOOD), "shutting-down")
            assert service.get("/livez").status_code == 200
        finally:
            classifier.release.set()
            for thread in threads:
                thread.join()
        assert [response.status_code for response in responses] == [200]


SECRET = "/srv/secret/model.py line 12"  # noqa: S105  # what an exception's text may hold, and a client must not see


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("error", [RuntimeError(SECRET), ValueError(SECRET), MemoryError(SECRET)])
def test_an_error_that_nobody_foresaw(start: Start, path: str, error: Exception) -> None:
    classifier = Raising(error)
    with start(classifier) as service:
        response = service.post(path, content=GOOD, headers={"X-Request-ID": "look-me-up"})
        if path in SINGLE:
            assert_problem(response, "internal-error")
        else:
            (item,) = response.json()["results"]
            assert item["status"] == 500
            assert item["problem"]["request_id"] == "look-me-up"
            assert_problem_document(item["problem"], "internal-error")
        assert "secret" not in response.text
        assert "line 12" not in response.text
        assert response.headers["X-Request-ID"] == "look-me-up"
        classifier.error = None
        assert service.post(path, content=GOOD).status_code == 200


EXPECTED: dict[type[errors.OcrError], str] = {
    errors.NotFound: "not-found",
    errors.MalformedRequest: "malformed-request",
    errors.MissingFile: "missing-file",
    errors.InvalidParameter: "invalid-parameter",
    errors.BodyTooLarge: "body-too-large",
    errors.ImageTooLarge: "image-too-large",
    errors.UnsupportedImage: "unsupported-image",
    errors.CorruptImage: "corrupt-image",
    errors.Unauthorized: "unauthorized",
    errors.NotExplainable: "not-explainable",
    errors.NotReady: "not-ready",
    errors.ShuttingDown: "shutting-down",
    errors.Overloaded: "overloaded",
    errors.DeadlineExceeded: "deadline-exceeded",
}


def _leaves(base: type[errors.OcrError]) -> set[type[errors.OcrError]]:
    children = [child for child in base.__subclasses__() if child.__module__.startswith("app.")]
    return {leaf for child in children for leaf in _leaves(child)} if children else {base}


def test_every_error_a_client_may_get_is_in_the_contract() -> None:
    """A new kind of error fails here until it has a problem of its own."""
    bases = (errors.InputError, errors.Unavailable, errors.Unauthorized, errors.NotExplainable)
    reaching = {leaf for base in bases for leaf in _leaves(base)}
    assert reaching == set(EXPECTED)
    assert set(EXPECTED.values()) | {"not-found", "method-not-allowed", "internal-error"} == set(STATUS)


@pytest.fixture(scope="module")
def raising(version: ModelVersion) -> Iterator[tuple[Service, RaisingRecogniser]]:
    recogniser = RaisingRecogniser()

    def load(_: Settings, __: ModelVersion, ___: Callable[[int], None]) -> Recogniser:
        return recogniser

    with running(version, load) as service:
        yield service, recogniser


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: error.__name__)
@pytest.mark.parametrize("path", SINGLE)
def test_every_error_of_the_tree_is_its_problem(
    raising: tuple[Service, RaisingRecogniser], error: type[errors.OcrError], path: str
) -> None:
    service, recogniser = raising
    recogniser.error = error("What to do about it.")
    problem = assert_problem(service.post(path, content=GOOD), EXPECTED[error])
    assert problem["detail"] == "What to do about it."


@pytest.mark.parametrize("error", [errors.ModelMismatch, errors.ModelNotFound, errors.OcrError])
def test_an_error_of_the_service_is_internal(
    raising: tuple[Service, RaisingRecogniser], error: type[errors.OcrError]
) -> None:
    service, recogniser = raising
    recogniser.error = error(SECRET)
    response = service.post("/predict", content=GOOD)
    assert_problem(response, "internal-error")
    assert "secret" not in response.text


@pytest.mark.parametrize("error", [errors.Overloaded, errors.DeadlineExceeded, errors.ShuttingDown])
@pytest.mark.parametrize("path", BATCH)
def test_a_batch_that_cannot_be_served(
    raising: tuple[Service, RaisingRecogniser], error: type[errors.OcrError], path: str
) -> None:
    """Whether the whole or each file has the problem: never anything but problems."""
    service, recogniser = raising
    recogniser.error = error("Try again.")
    response = service.post(path, files=[("file", GOOD)] * 2)
    if response.status_code == 200:
        problems = [item["problem"]["type"] for item in response.json()["results"]]
        assert problems == [f"/problems/{EXPECTED[error]}"] * 2
    else:
        assert_problem(response, EXPECTED[error])


class _RaisingAtOne(RaisingRecogniser):
    """Fails in an unforeseen way at one image, and in a foreseen one at all others."""

    error = errors.CorruptImage("Send the whole file.")

    def predict(self, data: bytes, *_: Any) -> Prediction:
        if data == GOOD:
            raise RuntimeError(SECRET)
        return super().predict(data)

    def read(self, data: bytes, *_: Any) -> Reading:
        if data == GOOD:
            raise RuntimeError(SECRET)
        return super().read(data)


@pytest.mark.parametrize("path", BATCH)
def test_a_file_that_fails_in_an_unforeseen_way_never_spoils_the_others(version: ModelVersion, path: str) -> None:
    with running(version, lambda *_: _RaisingAtOne()) as service:
        response = service.post(path, files=[("file", b"1"), ("file", GOOD), ("file", b"2")])
    assert response.status_code == 200
    assert [item["status"] for item in response.json()["results"]] == [422, 500, 422]
    assert_problem_document(response.json()["results"][1]["problem"], "internal-error")
    assert "secret" not in response.text


# The request's id.


@pytest.mark.parametrize("given", ["abc", "0", "A-b_c.d:1", "7" * 64, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"])
@pytest.mark.parametrize("path", ["/livez", "/nothing", "/predict"])
def test_a_sane_request_id_comes_back(client: Service, given: str, path: str) -> None:
    assert client.get(path, headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    [b"", b"two words", b"x" * 1000, "ümlaut".encode(), b"\xff\xfe", b"a;b", b'"quoted"', b"<b>", b"a\tb", b"{}"],
    ids=repr,
)
@pytest.mark.parametrize("path", ["/livez", "/nothing"])
def test_an_insane_request_id_is_replaced(client: Service, given: bytes, path: str) -> None:
    response = client.get(path, headers=[(b"X-Request-ID", given)])
    assert response.headers["X-Request-ID"].encode("latin-1") != given
    assert response.headers["X-Request-ID"].isascii()
    assert len(response.headers["X-Request-ID"]) >= 8


def test_requests_without_an_id_get_different_ones(client: Service) -> None:
    assert len({client.get("/livez").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_every_response_has_an_id(client: Service) -> None:
    for path in (*GETS, *POSTS, "/nothing"):
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            assert client.request(method, path).headers["X-Request-ID"], (method, path)


def test_a_large_image_of_one_colour_is_an_answer(client: Service) -> None:
    data = png(8000, 5000, 0, bytes(8000))
    assert len(data) < 2**20
    assert client.post("/predict", content=data).json()["digit"] is None
    assert client.post("/read", content=data).json()["image"] == {"width": 8000, "height": 5000}
    assert_problem(client.post("/read", content=png(8000, 5001, 0, bytes(8000))), "image-too-large")
