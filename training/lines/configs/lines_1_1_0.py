"""The line reader of digits 1.0.0, trained on: as many lines again, drawn anew.

    python -m training.lines train --config training/lines/configs/lines_1_1_0.py --data-dir DATA
    python -m training.lines publish --run runs/reader-1.1.0
"""

from pathlib import Path

from training.lines.config import LinesConfig

config = LinesConfig(
    version="1.1.0",
    seed=20261125,
    start=Path("models/digits/1.0.0/reader.keras"),
    lines=240_000,
    wordy_lines=48_000,
    wordy_share=0.16,
    steps=1_000,
    epochs=14,
    learning_rate=1e-3,
)
