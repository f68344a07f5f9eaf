"""What a browser may do with a page of this service."""

from __future__ import annotations

import base64
import hashlib
import re

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
# The project's own pages have no script or style inside them, and make no HTML out of strings.
_OWN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
# Swagger UI writes styles into its elements, and shows images of data: and, of answers, of blob: URLs.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_COMMON = {"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}

# Of a page of the project's own.
OWN_PAGE_HEADERS = {
    **_COMMON,
    "Content-Security-Policy": _OWN_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


def lacks_policy(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a response with these headers is HTML that brings no policy of its own."""
    html = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
    return html and not any(name == b"content-security-policy" for name, _ in headers)


def page_headers(html: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that go with a page of a library: scripts come from here alone, or stand in the page as it is now."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(html))
    scripts = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    headers = {**_COMMON, "Content-Security-Policy": _DOCS_POLICY.format(scripts=scripts)}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
