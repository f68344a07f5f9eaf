"""Every setting of the service, from environment variables with the prefix DIGIT_OCR_. Frozen, built once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.control_group import available_cpus
from app.errors import OcrError

PREFIX = "DIGIT_OCR_"
# The key that the command line shows to a service; on its own it protects nothing, so it is no setting.
CLIENT_API_KEY = "DIGIT_OCR_CLIENT_API_KEY"
# Read by the command line, and by training and the tests; not by the service.
_OTHER_VARIABLES = {CLIENT_API_KEY, "DIGIT_OCR_DATA_DIR"}
# As browsers send it: compared character by character, so that a slash at the end would never match.
_ORIGIN = re.compile(r"\*|https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


class SettingsError(OcrError):
    """A variable that is unknown, or whose value is not one of those allowed."""


class Settings(BaseSettings):
    """The service's settings; the README has them all."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    model_dir: Path = Field(Path("models"), description="Folder with `<name>/<version>/`.")
    model_name: str = Field("digits", pattern=r"^[A-Za-z0-9_-]+$", description="Which model.")
    model_version: str = Field(
        "latest", pattern=r"^(latest|\d+\.\d+\.\d+)$", description="Which version; `latest` is the highest."
    )
    engine: Literal["keras", "litert"] = Field(
        "keras",
        description="`keras` converts `model.keras` at the start; `litert` loads a `.tflite`, no TensorFlow.",
    )
    max_body_bytes: int = Field(10 * 2**20, ge=1, description="Largest request body.")
    max_pixels: int = Field(40_000_000, ge=1, description="Largest image, as its header tells.")
    max_digits: int = Field(512, ge=1, le=10_000, description="Most digits read from one image.")
    max_in_flight: int = Field(64, ge=1, description="Requests served at once; more are answered `overloaded`.")
    request_timeout_s: float = Field(10.0, gt=0, allow_inf_nan=False, description="Deadline of a request, seconds.")
    max_batch_size: int = Field(64, ge=1, le=1024, description="Most glyphs of several requests in one batch.")
    batch_timeout_ms: float = Field(
        0.0, ge=0, le=1000, allow_inf_nan=False, description="How long a batch waits for more, milliseconds."
    )
    threads: int = Field(
        default_factory=available_cpus, ge=1, le=256, description="Worker threads; by default the CPUs there are."
    )
    shutdown_grace_s: float = Field(
        20.0, ge=0, le=3600, allow_inf_nan=False, description="How long accepted requests may finish, seconds."
    )
    header_timeout_s: float = Field(
        5.0, gt=0, le=3600, allow_inf_nan=False, description="How long a client may take for its headers, seconds."
    )
    keep_alive_s: int = Field(5, ge=1, le=3600, description="How long an idle connection is kept, seconds.")
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated keys; where set, every POST needs one."
    )
    protect_operations: bool = Field(False, description="Whether /metrics and /model need a key as well.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated origins whose pages may call the service from a browser; `*` is all."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe level logged.")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="`auto`: JSON outside a terminal.")
    log_requests_per_s: int = Field(
        200, ge=0, description="Most requests in a second that get a line of their own in the log."
    )

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        keys = tuple(key.strip() for key in value.split(",") if key.strip())
        if value and not keys:
            raise ValueError("there is no key in it; leave the variable out to serve without keys")
        # Of other letters no two clients send the same bytes in a header.
        if not all(key.isascii() and key.isprintable() for key in keys):
            raise ValueError("a key may have printable ASCII characters alone, and one of these has others")
        return keys

    @field_validator("protect_operations")
    @classmethod
    def _needs_keys(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("api_keys"):
            raise ValueError(f"without {PREFIX}API_KEYS there is no key to protect anything with")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        origins = tuple(origin.strip() for origin in value.split(",") if origin.strip())
        if not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("an origin is a scheme, a host and maybe a port, as in https://example.org:8443; or *")
        return origins


def load_settings() -> Settings:
    """The settings of the process's environment.

    Raises SettingsError, which names every variable that is unknown or has a bad value.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(
        {name.upper() for name in os.environ if name.upper().startswith(PREFIX)} - known - _OTHER_VARIABLES
    )
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; there are {', '.join(sorted(known))}.")
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        raise SettingsError("; ".join(problems)) from None
