"""What a process has of memory, as Linux tells it; other systems do not."""

from __future__ import annotations

import re
from pathlib import Path

PROCESS_STATUS = Path("/proc/self/status")


def resident_mib(pid: int | str = "self") -> float:
    """MiB that are resident now."""
    return _mib("VmRSS", pid)


def peak_mib(pid: int | str = "self") -> float:
    """The most MiB that ever were resident."""
    return _mib("VmHWM", pid)


def _mib(name: str, pid: int | str) -> float:
    match = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1]) / 1024
