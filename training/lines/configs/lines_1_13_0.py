"""The reader of 1.12.0, grown to nearly three times its size and taught on five times as many lines, on a GPU.

KERAS_BACKEND=jax python -m training.lines train --config training/lines/configs/lines_1_13_0.py --data-dir DATA
python -m training.lines train --config training/lines/configs/lines_1_13_0.py --data-dir DATA
python -m training.lines publish --run runs/reader-1.13.0 --base 1.12.0
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.13.0",
    seed=20261129,
    lines=700_000,
    wordy_lines=100_000,
    wordy_share=0.18,
    size=ReaderSize(channels=(32, 64, 128, 256), residuals=(1, 3, 4, 8)),
    grows_from="1.12.0",
    steps=1_000,
    epochs=15,
    calm_epochs=1,
    batch_width=81_920,
    learning_rate=2e-3,
    precision="mixed_bfloat16",
)
