"""Files that are served as they are: a type, an entity tag, and 304 for who has them already (RFC 9110, 13.1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import Response

# Not the platform's table, which differs from machine to machine.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The bytes of a file, and what HTTP says of them."""

    data: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, name: str, data: bytes) -> StoredFile:
        """A file whose type is told from its name. Raises KeyError for a suffix that no file here has."""
        return cls(data, _MEDIA_TYPES[PurePath(name).suffix], f'"{hashlib.sha256(data).hexdigest()[:32]}"')

    def response(self, request: Request, headers: Mapping[str, str] | None = None) -> Response:
        """The file, or 304 where the client has it. Clients keep it, and ask each time whether it is still the same."""
        common = {**(headers or {}), "ETag": self.etag, "Cache-Control": "no-cache"}
        if _matches(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=common)
        return Response(self.data, headers={**common, "Content-Type": self.media_type})


def _matches(condition: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return etag in tags or tags == ["*"]
