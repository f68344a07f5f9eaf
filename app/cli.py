"""The command line: `digit-ocr serve | read | predict | model`."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.bulk.listing import Shard
from app.domain import Polarity
from app.errors import OcrError

if TYPE_CHECKING:  # what takes a second to import waits until the signal handler stands
    from app.manifest import ModelVersion
    from app.settings import Settings

_CONCURRENCY = 8
_RETRY_FOR_S = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Exit status 0; 1 where a file failed or the service could not start; 2 for a wrong command.

    130 after Ctrl-C; 143 after SIGTERM, but for the service, which ends with 0.
    """
    # As a container's first process it would not hear the signal at all before the server takes it over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = _options(arguments)
    if options.command in ("read", "predict"):  # stopped half-way is no success, as it is for a service
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from app.files import answer_files, ask_for_files
    from app.manifest import open_version
    from app.settings import load_settings

    try:
        if getattr(options, "server", None) is not None:
            return ask_for_files(options)
        settings = load_settings()
        version = open_version(settings.model_dir, settings.model_name, settings.model_version)
        if options.command == "serve":
            return _serve(settings, version)
        if options.command == "model":
            print(json.dumps(version.manifest.model_dump(mode="json"), indent=2))
            return 0
        return answer_files(options, settings, version)
    except OcrError as error:
        print(f"digit-ocr: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of stdout has seen enough
        sys.stderr.close()
        return 1


def _serve(settings: Settings, version: ModelVersion) -> int:
    from app.control_group import memory_limit, require_memory

    require_memory(settings.engine, memory_limit())  # before anything large is imported
    from app.api.server import serve
    from app.logs import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    return serve(settings, version)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; ends the process with status 2 where it is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command in ("read", "predict"):
        if not options.files and options.files_from is None:
            parser.error("name files or folders, or a list of them with --files-from")
        if options.server is None and (options.concurrency, options.retry_for) != (None, None):
            parser.error("--concurrency and --retry-for are for --server")
        options.concurrency = options.concurrency or _CONCURRENCY
        options.retry_for = _RETRY_FOR_S if options.retry_for is None else options.retry_for
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digit-ocr",
        description="Reads digits from images.",
        epilog="Settings are environment variables, DIGIT_OCR_*; the README lists them.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the HTTP API")
    commands.add_parser("model", help="print the manifest of the model that would be served")
    for name, what in (("read", "read the numbers of images"), ("predict", "tell the one digit of images")):
        command = commands.add_parser(name, help=f"{what}; one JSON line a file on stdout")
        command.add_argument("files", nargs="*", type=Path, metavar="FILE|DIR")
        command.add_argument("--polarity", type=Polarity, choices=list(Polarity), default=Polarity.AUTO)
        command.add_argument("--min-confidence", type=_share, metavar="0..1", help="the model's own by default")
        if name == "predict":
            command.add_argument("--explain", action="store_true", help="tell where in it the digit was seen")
        else:
            command.add_argument("--expected-length", type=at_least_one, metavar="N", help="how many digits: a hint")
        _add_bulk_options(command)
    return parser


def _add_bulk_options(command: argparse.ArgumentParser) -> None:
    bulk = command.add_argument_group("many files")
    bulk.add_argument("--files-from", type=Path, metavar="LIST", help="files and folders, one a line; - is stdin")
    bulk.add_argument("--output", type=Path, metavar="FILE", help="append there; what it has answers of is passed over")
    bulk.add_argument("--shard", type=shard, metavar="I/N", help="every N-th file: the share I, from 0 to N-1")
    bulk.add_argument("--server", type=_service_url, metavar="URL", help="ask a running service, as answers come")
    bulk.add_argument(
        "--concurrency", type=at_least_one, metavar="N", help=f"files the service is asked at once; {_CONCURRENCY}"
    )
    bulk.add_argument(
        "--retry-for", type=_seconds, metavar="S", help=f"seconds to wait for an absent service; {_RETRY_FOR_S:g}"
    )


def shard(text: str) -> Shard:
    """An argument I/N, from 0/N to N-1/N. Raises ArgumentTypeError for any other."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"{text} is not I/N with I from 0 to N-1, as in 0/8")
    return Shard(int(index), int(count))


def _service_url(text: str) -> str:
    """An argument that is a service's address, without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise argparse.ArgumentTypeError(f"{text} is no address of a service, as in http://localhost:8000")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is no time in seconds")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def at_least_one(text: str) -> int:
    """An argument that is a count. Raises ArgumentTypeError where it is 0 or less."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
