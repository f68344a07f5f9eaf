"""Request bodies → images, bounded while they are read and never spooled to disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from app.errors import BodyTooLarge, InvalidParameter, MalformedRequest, MissingFile

FIELD = "file"
MAX_BATCH_FILES = 64
# A client in the middle of sending reads no answer: what is too much is thrown away for a while before the 413.
_DRAINED_BYTES = 64 * 2**20
_DRAINED_SECONDS = 5.0
# A part costs memory beyond its bytes; a form of an image service has few.
_MAX_PARTS = 256
_NAMES_SHOWN = 5
_NAME_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Upload:
    """One image as it was sent."""

    data: bytes
    filename: str | None = None


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


async def image_of(request: Request, max_bytes: int) -> Upload:
    """The one image of a request: the part `file` of a multipart form, or the body itself.

    Raises BodyTooLarge, MalformedRequest, MissingFile, or InvalidParameter for several files.
    """
    uploads = await _uploads(request, max_bytes)
    if len(uploads) > 1:
        raise InvalidParameter(
            f"There are {len(uploads)} parts named {FIELD}; send one, or use {request.scope['path']}/batch."
        )
    if not uploads[0].data:  # a browser sends that where no file was chosen
        raise MissingFile(f"The field {FIELD!r} has no file, or an empty one. Send the image: {_curl(request)}")
    return uploads[0]


async def images_of(request: Request, max_bytes: int) -> list[Upload]:
    """The images of a batch, 1 to MAX_BATCH_FILES. Raises what `image_of` raises."""
    uploads = await _uploads(request, max_bytes)
    if len(uploads) > MAX_BATCH_FILES:
        raise InvalidParameter(f"There are {len(uploads)} parts named {FIELD}; at most {MAX_BATCH_FILES} are read.")
    return uploads


async def _uploads(request: Request, max_bytes: int) -> list[Upload]:
    """The images of a request, at least one; an image may be empty only in a form."""
    body = await _body(request, max_bytes)
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if not media_type.startswith(b"multipart/"):
        if not body:
            raise MissingFile(f"The body is empty. Send the image: {_curl(request)}")
        return [Upload(body)]
    boundary = options.get(b"boundary")
    if not boundary:
        raise MalformedRequest("The multipart Content-Type has no boundary; let the HTTP client set that header.")
    parts = _parts(body, boundary)
    uploads = [upload for name, upload in map(_named, parts) if name == FIELD]
    if not uploads:
        names = (
            ", ".join(repr(name[:_NAME_SHOWN]) for name, _ in map(_named, parts[:_NAMES_SHOWN])) or "no parts at all"
        )
        names += ", …" if len(parts) > _NAMES_SHOWN else ""
        raise MissingFile(f"The form has no field {FIELD!r} (it has {names}). Try: {_curl(request)}")
    return uploads


def _curl(request: Request) -> str:
    """A line that works where the service runs: the Host that a request names may be anything."""
    _, port = request.scope["server"]
    return f"curl -F {FIELD}=@digit.png http://localhost:{port}{request.scope['path']}"


async def _body(request: Request, max_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "")
    too_large = declared.isdigit() and int(declared) > max_bytes
    if too_large and "expect" in request.headers:
        raise _too_large(max_bytes)  # the client has sent nothing of it yet, and waits to be told whether it may
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_DRAINED_SECONDS if too_large else None) as draining:
            async for chunk in request.stream():
                size += len(chunk)
                if too_large:
                    if size > _DRAINED_BYTES:
                        break
                elif size > max_bytes:
                    too_large = True
                    chunks.clear()
                    draining.reschedule(asyncio.get_running_loop().time() + _DRAINED_SECONDS)
                else:
                    chunks.append(chunk)
    except ClientDisconnect as error:
        raise MalformedRequest("The connection closed before the body was complete.") from error
    except TimeoutError:
        pass  # enough is thrown away
    if too_large:
        raise _too_large(max_bytes)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {max_bytes:,} bytes. Scale the image down, or compress it.")


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    """The parts of a form. Raises MalformedRequest."""
    parts: list[_Part] = []
    header: list[bytes] = []
    finished = False

    def begin() -> None:
        if len(parts) == _MAX_PARTS:
            raise MalformedRequest(
                f"The form has more than {_MAX_PARTS} parts; {MAX_BATCH_FILES} files are read at once."
            )
        parts.append(_Part())

    def header_field(data: bytes, start: int, end: int) -> None:
        header.append(data[start:end])

    def header_value(data: bytes, start: int, end: int) -> None:
        name = b"".join(header).lower()
        parts[-1].headers[name] = parts[-1].headers.get(name, b"") + data[start:end]

    def header_end() -> None:
        header.clear()

    def part_data(data: bytes, start: int, end: int) -> None:
        parts[-1].data += data[start:end]

    def end() -> None:
        nonlocal finished
        finished = True

    callbacks: dict[str, Callable[..., None]] = {
        "on_part_begin": begin,
        "on_header_field": header_field,
        "on_header_value": header_value,
        "on_header_end": header_end,
        "on_part_data": part_data,
        "on_end": end,
    }
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # its TypedDict cannot be spelt here
        parser.write(_without_preamble(body, b"--" + boundary))
    except FormParserError as error:
        raise MalformedRequest(f"The multipart body does not parse: {error}.") from error
    if not finished:
        raise MalformedRequest("The multipart body is cut short: its closing boundary is missing.")
    return parts


def _without_preamble(body: bytes, delimiter: bytes) -> bytes:
    """A form from its first delimiter on: what stands before it says nothing (RFC 2046, 5.1.1)."""
    start = 0 if body.startswith(delimiter) else body.find(b"\n" + delimiter) + 1
    return body[start:] if start else body


def _named(part: _Part) -> tuple[str, Upload]:
    _, options = parse_options_header(part.headers.get(b"content-disposition", b""))
    name = options.get(b"name", b"").decode("utf-8", "replace")
    filename = options.get(b"filename")
    return name, Upload(bytes(part.data), None if filename is None else filename.decode("utf-8", "replace"))
