"""What a server's process and all that it started use, as Linux tells it in /proc."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """One process: whose child it is, when it began, CPU seconds of itself and its ended children, resident bytes."""

    parent: int
    began: int
    cpu_seconds: float
    rss_bytes: int


def parsed_stat(text: str) -> ProcessStat:
    """A line of /proc/PID/stat (proc_pid_stat(5)). The program's name in it may hold spaces and brackets."""
    fields = text[text.rindex(")") + 1 :].split()
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return ProcessStat(int(fields[1]), int(fields[19]), ticks / _TICKS_PER_SECOND, int(fields[21]) * _PAGE_BYTES)


def descendants(root: int, parents: dict[int, int]) -> list[int]:
    """A process and all under it, parents before their children. `parents`: of every process, by id."""
    tree = [root]
    for process in tree:
        tree += [child for child, parent in parents.items() if parent == process]
    return tree


def tree_of(root: int) -> dict[int, ProcessStat]:
    """The processes of a tree that is running."""
    stats = _all_processes()
    tree = descendants(root, {process: stat.parent for process, stat in stats.items()})
    return {process: stats[process] for process in tree if process in stats}


def cpu_seconds(root: int) -> float:
    """User and system time of a tree so far."""
    return sum(stat.cpu_seconds for stat in tree_of(root).values())


def rss_bytes(root: int) -> int:
    """Resident memory of a tree; what its processes share counts for each of them."""
    return sum(stat.rss_bytes for stat in tree_of(root).values())


def kill_survivors(tree: dict[int, ProcessStat]) -> None:
    """Kills what is left of a tree as it once was; an id that another process has got since is none of it."""
    now = _all_processes()
    for process, stat in tree.items():
        if process in now and now[process].began == stat.began:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def signal_tree(root: int, number: signal.Signals) -> None:
    """Sends a signal to every process of a tree."""
    for process in tree_of(root):
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _all_processes() -> dict[int, ProcessStat]:
    stats = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                stats[int(folder.name)] = parsed_stat((folder / "stat").read_text())
    return stats
