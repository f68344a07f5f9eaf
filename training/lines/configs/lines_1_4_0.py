"""The reader of 1.2.0, taught on with steeper slashes, more breaks in strokes and more of UNIPEN's numbers.

python -m training.lines train --config training/lines/configs/lines_1_4_0.py --data-dir DATA
python -m training.lines publish --run runs/reader-1.4.0
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.4.0",
    seed=20261128,
    lines=110_000,
    wordy_lines=16_000,
    wordy_share=0.14,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.3.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=18,
    calm_epochs=3,
    learning_rate=7e-4,
)
