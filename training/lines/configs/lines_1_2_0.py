"""The reader of 1.1.0, taught on at a lower rate, with more dates, and slashes no longer than digits.

python -m training.lines train --config training/lines/configs/lines_1_2_0.py --data-dir DATA
python -m training.lines publish
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.2.0",
    lines=100_000,
    wordy_lines=20_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.1.0",
    seed=20261126,
    steps=250,
    epochs=28,
    calm_epochs=3,
    learning_rate=6e-4,
)
