"""The reader of 1.1.0, taught on at half the rate, with more dates, and slashes no longer than digits.

    python -m training.lines train --config training/lines/configs/lines_1_2_0.py --data-dir DATA
    python -m training.lines publish

TO WRITE
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.2.0",
    seed=20261126,
    lines=100_000,
    wordy_lines=20_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.1.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=28,
    calm_epochs=3,
    learning_rate=6e-4,
)
