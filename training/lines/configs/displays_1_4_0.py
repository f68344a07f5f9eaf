"""The reader of 1.3.0, taught the digits of displays.

python -m training.lines train --config training/lines/configs/displays_1_4_0.py --data-dir DATA
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.4.0",
    seed=20261128,
    lines=80_000,
    wordy_lines=16_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.3.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=10,
    calm_epochs=2,
    learning_rate=6e-4,
)
