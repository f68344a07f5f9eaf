"""The tree of everything that can go wrong with a request or at the start; no HTTP here.

OcrError
├── InputError                what the client sent cannot be served
│   ├── NotFound              there is nothing of that name
│   ├── MalformedRequest      the HTTP request does not parse, or its headers are too much
│   ├── MissingFile           no part named `file`, or an empty body
│   ├── InvalidParameter      a query parameter out of its range
│   ├── BodyTooLarge          more bytes than the limit
│   ├── ImageTooLarge         more pixels than the limit, as the header tells
│   ├── UnsupportedImage      not an image, or a format that is not served
│   └── CorruptImage          a served format whose pixels cannot be decoded
├── Unauthorized              no API key, or a wrong one
├── NotExplainable            the network served is of a kind whose answers cannot be explained
├── Unavailable               nothing is wrong with the request; try again
│   ├── NotReady              the model is not loaded yet
│   ├── ShuttingDown          the service is draining
│   ├── Overloaded            more requests in flight than the limit
│   └── DeadlineExceeded      the answer did not come in time
├── NotEnoughMemory           the control group allows less than the engine takes
└── ModelError                a model version that must not be served
    ├── ModelNotFound         no such folder, name or version
    └── ModelMismatch         a hash, a version or a shape is not the expected one
"""

from __future__ import annotations


class OcrError(Exception):
    """Base of the project's errors. The message says what to do about it."""


class InputError(OcrError):
    """What the client sent cannot be served."""


class NotFound(InputError):
    """There is nothing at the path."""


class MalformedRequest(InputError):
    """The request is no HTTP, its headers are too much or too slow, or its body is not what they say."""


class MissingFile(InputError):
    """The request carries no image."""


class InvalidParameter(InputError):
    """One or more parameters are out of their range.

    `errors` lists them, each with `parameter` and `detail`.
    """

    def __init__(self, message: str, errors: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors


class BodyTooLarge(InputError):
    """The body holds more bytes than the limit."""


class ImageTooLarge(InputError):
    """The image has more pixels than the limit, as its header tells."""


class UnsupportedImage(InputError):
    """The bytes are no image, or one of a format that is not served."""


class CorruptImage(InputError):
    """The format is served, but the pixels cannot be decoded."""


class Unauthorized(OcrError):
    """API keys are configured, and the request carries none of them."""


class NotExplainable(OcrError):
    """An explanation is asked for, and the network served is of a kind that has none."""


class Unavailable(OcrError):
    """The service cannot answer now; the same request may succeed later."""


class NotReady(Unavailable):
    """The model is not loaded yet."""


class ShuttingDown(Unavailable):
    """The service is finishing what it accepted, and accepts nothing more."""


class Overloaded(Unavailable):
    """As many requests are in flight as the limit allows."""


class DeadlineExceeded(Unavailable):
    """The answer did not come within the request's deadline."""


class NotEnoughMemory(OcrError):
    """The process's control group allows it less memory than the engine takes."""


class ModelError(OcrError):
    """A model version that must not be served."""


class ModelNotFound(ModelError):
    """There is no such model folder, name or version."""


class ModelMismatch(ModelError):
    """A file's hash, the preprocessing version or a shape is not the expected one."""
