"""Settings: what there is, what it is by default, and what stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import OcrError
from app.settings import Settings, load_settings

# Every setting of the contract, and what has been added since; None where the default is left open.
CONTRACT: dict[str, object] = {
    "HOST": None,
    "PORT": 8000,
    "MODEL_DIR": Path("models"),
    "MODEL_NAME": "digits",
    "MODEL_VERSION": "latest",
    "ENGINE": None,
    "MAX_BODY_BYTES": 10 * 1024 * 1024,
    "MAX_PIXELS": 40_000_000,
    "MAX_DIGITS": 512,
    "MAX_IN_FLIGHT": None,
    "REQUEST_TIMEOUT_S": 10,
    "MAX_BATCH_SIZE": None,
    "BATCH_TIMEOUT_MS": None,
    "THREADS": None,
    "SHUTDOWN_GRACE_S": None,
    "HEADER_TIMEOUT_S": None,
    "KEEP_ALIVE_S": None,
    "API_KEYS": (),
    "PROTECT_OPERATIONS": False,
    "CORS_ORIGINS": (),
    "LOG_LEVEL": None,
    "LOG_FORMAT": None,
    "LOG_REQUESTS_PER_S": None,
}


def test_the_settings_are_those_of_the_contract() -> None:
    assert {name.upper() for name in Settings.model_fields} == set(CONTRACT)


@pytest.mark.parametrize("name", [name for name, default in CONTRACT.items() if default is not None])
def test_the_defaults_are_those_of_the_contract(name: str) -> None:
    assert getattr(load_settings(), name.lower()) == CONTRACT[name]


@pytest.mark.parametrize("name", CONTRACT)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name.lower()].description


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104  # a container listens on every address
        ("PORT", "1234", 1234),
        ("MODEL_DIR", "/srv/models", Path("/srv/models")),
        ("MODEL_NAME", "other-digits", "other-digits"),
        ("MODEL_VERSION", "1.20.3", "1.20.3"),
        ("MAX_BODY_BYTES", "1000", 1000),
        ("MAX_PIXELS", "1000000", 1_000_000),
        ("MAX_DIGITS", "7", 7),
        ("MAX_IN_FLIGHT", "3", 3),
        ("REQUEST_TIMEOUT_S", "0.5", 0.5),
        ("MAX_BATCH_SIZE", "16", 16),
        ("BATCH_TIMEOUT_MS", "2.5", 2.5),
        ("THREADS", "2", 2),
        ("SHUTDOWN_GRACE_S", "0", 0),
        ("HEADER_TIMEOUT_S", "2.5", 2.5),
        ("KEEP_ALIVE_S", "60", 60),
        (
            "CORS_ORIGINS",
            "https://example.org, http://localhost:3000",
            ("https://example.org", "http://localhost:3000"),
        ),
        ("CORS_ORIGINS", "*", ("*",)),
        ("CORS_ORIGINS", "", ()),
        ("LOG_LEVEL", "warning", "warning"),
        ("LOG_FORMAT", "json", "json"),
        ("LOG_REQUESTS_PER_S", "0", 0),
    ],
)
def test_a_setting_comes_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"DIGIT_OCR_{name}", text)
    assert getattr(load_settings(), name.lower()) == value


@pytest.mark.parametrize(
    ("text", "keys"), [("", []), ("one", ["one"]), ("one,two", ["one", "two"]), (" one , two ,", ["one", "two"])]
)
def test_keys_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch, text: str, keys: list[str]) -> None:
    monkeypatch.setenv("DIGIT_OCR_API_KEYS", text)
    assert [key.get_secret_value() for key in load_settings().api_keys] == keys


def test_operations_are_protected_with_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGIT_OCR_API_KEYS", "one")
    monkeypatch.setenv("DIGIT_OCR_PROTECT_OPERATIONS", "true")
    assert load_settings().protect_operations is True


def test_variables_of_others_are_none_of_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.setenv("HOST", "example.org")
    monkeypatch.setenv("DIGIT_OTHER", "1")
    assert load_settings().port == 8000


@pytest.mark.parametrize("name", CONTRACT)
def test_settings_are_frozen(name: str) -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, name.lower(), getattr(settings, name.lower()))


@pytest.mark.parametrize("name", ["DIGIT_OCR_PROT", "DIGIT_OCR_", "DIGIT_OCR_MAX_BODY", "digit_ocr_prot"])
def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(OcrError) as raised:
        load_settings()
    assert name.upper() in str(raised.value).upper()
    assert "DIGIT_OCR_PORT" in str(raised.value)  # it says which there are


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", ""),
        ("MODEL_NAME", "../digits"),
        ("MODEL_NAME", ""),
        ("MODEL_VERSION", "newest"),
        ("MODEL_VERSION", "1.0"),
        ("MODEL_VERSION", "../1.0.0"),
        ("ENGINE", "abacus"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BODY_BYTES", "10 MiB"),
        ("MAX_PIXELS", "0"),
        ("MAX_DIGITS", "0"),
        ("MAX_IN_FLIGHT", "0"),
        ("REQUEST_TIMEOUT_S", "0"),
        ("REQUEST_TIMEOUT_S", "-1"),
        ("REQUEST_TIMEOUT_S", "nan"),
        ("REQUEST_TIMEOUT_S", "inf"),
        ("MAX_BATCH_SIZE", "0"),
        ("BATCH_TIMEOUT_MS", "-1"),
        ("BATCH_TIMEOUT_MS", "nan"),
        ("THREADS", "0"),
        ("SHUTDOWN_GRACE_S", "-1"),
        ("HEADER_TIMEOUT_S", "0"),
        ("KEEP_ALIVE_S", "0"),
        ("API_KEYS", "key, schlüssel"),
        ("API_KEYS", "ke\ty"),
        ("PROTECT_OPERATIONS", "maybe"),
        ("PROTECT_OPERATIONS", "true"),  # without keys
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("CORS_ORIGINS", "https://example.org/page"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("LOG_REQUESTS_PER_S", "-1"),
    ],
)
def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"DIGIT_OCR_{name}", text)
    with pytest.raises(OcrError, match=f"DIGIT_OCR_{name}"):
        load_settings()


def test_all_bad_values_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGIT_OCR_PORT", "eighty")
    monkeypatch.setenv("DIGIT_OCR_THREADS", "0")
    with pytest.raises(OcrError, match=r"DIGIT_OCR_PORT.*DIGIT_OCR_THREADS"):
        load_settings()


def test_keys_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGIT_OCR_API_KEYS", "first-secret,second-secret")
    settings = load_settings()
    for text in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "secret" not in text.replace("SecretStr", "").lower()
    for name in ("PORT", "PROT"):
        monkeypatch.setenv(f"DIGIT_OCR_{name}", "eighty")
        with pytest.raises(OcrError) as raised:
            load_settings()
        assert "-secret" not in str(raised.value)
        assert "-secret" not in repr(raised.value)
        monkeypatch.delenv(f"DIGIT_OCR_{name}")


def test_a_bad_value_is_not_shown_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a key: a bad one, or one that went into the wrong variable."""
    for name, value in (("LOG_LEVEL", "pasted-secret"), ("API_KEYS", "pasted-secret-ü")):
        monkeypatch.setenv(f"DIGIT_OCR_{name}", value)
        with pytest.raises(OcrError) as raised:
            load_settings()
        assert "pasted-secret" not in str(raised.value)
        monkeypatch.delenv(f"DIGIT_OCR_{name}")
