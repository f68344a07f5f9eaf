"""The reader of 1.7.0, taught short dates and fractions, slashed zeros, shadowed counters, digits cut off.

python -m training.lines train --config training/lines/configs/lines_1_8_0.py --data-dir DATA
python -m training.lines publish --run runs/reader-1.8.0 --second runs/second-reader-1.8.0
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.8.0",
    seed=20261129,
    lines=100_000,
    wordy_lines=20_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.7.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=26,
    calm_epochs=3,
    learning_rate=1e-3,
)
