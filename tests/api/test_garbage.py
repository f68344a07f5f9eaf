"""The garbage collector does not go through the model and its libraries again and again."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

# In a process of its own: what is frozen here would be kept by the whole of the tests.
_SCRIPT = """
import gc
from pathlib import Path
from app.api.server import build_for_good
from app.manifest import open_version
from app.settings import Settings

version = open_version(Path("models"), "digits", "latest")
build_for_good(Settings(engine="litert"), version, print)
watched = len(gc.get_objects())
assert watched < 5_000 < 30_000 < gc.get_freeze_count(), (watched, gc.get_freeze_count())
"""


def test_what_is_loaded_is_not_looked_at_again() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
