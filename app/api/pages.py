"""What a browser may do with a page of this service."""

from __future__ import annotations

import base64
import hashlib
import re

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
# Swagger UI writes styles into its elements, and shows images of data: and, of answers, of blob: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a response with these headers is HTML."""
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def page_headers(html: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that go with a page: scripts come from here alone, or stand in the page as it is now."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(html))
    scripts = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return [
        (b"content-security-policy", _POLICY.format(scripts=scripts).encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-frame-options", b"DENY"),
    ]
