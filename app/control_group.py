"""What the process's control group allows it, in either version of control groups: CPUs and memory."""

from __future__ import annotations

import math
import os
from pathlib import Path

from app.errors import NotEnoughMemory

_ROOT = Path("/sys/fs/cgroup")
# Version 1 says the largest whole number of pages where there is no limit.
_UNLIMITED_BYTES = 2**62
# With less, an engine does not become ready: it reads its own libraries from the disk over and over, or is killed.
_LEAST_MEMORY = {"keras": 512 * 2**20, "litert": 128 * 2**20}


def available_cpus(root: Path = _ROOT) -> int:
    """CPUs this process may use: its affinity, and the quota of its control group, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    first = root / "cpu"
    for words in (_words(root / "cpu.max"), _words(first / "cpu.cfs_quota_us") + _words(first / "cpu.cfs_period_us")):
        if len(words) == 2 and all(word.isdecimal() for word in words):  # and not "max", or -1
            return max(1, min(affinity, math.ceil(int(words[0]) / int(words[1]))))
    return affinity


def memory_limit(root: Path = _ROOT) -> int | None:
    """Bytes that the process's control group may use; None where it may use all."""
    for words in (_words(root / "memory.max"), _words(root / "memory" / "memory.limit_in_bytes")):
        if len(words) == 1 and words[0].isdecimal() and int(words[0]) < _UNLIMITED_BYTES:
            return int(words[0])
    return None


def require_memory(engine: str, limit: int | None) -> None:
    """Raises NotEnoughMemory where `limit`, the bytes that the process may use (None: all), is too little to start."""
    least = _LEAST_MEMORY[engine]
    if limit is not None and limit < least:
        other = ", or set DIGIT_OCR_ENGINE=litert, which takes less" if engine == "keras" else ""
        raise NotEnoughMemory(
            f"The engine {engine} takes {least >> 20} MiB of memory at least, and the container may use {limit >> 20} "
            f"MiB; raise its limit{other}."
        )


def _words(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text().split())
    except OSError:
        return ()
