"""The reader of 1.14.0, taught on with lines that it has not seen.

    python -m training.lines train --config training/lines/configs/lines_1_15_0.py --data-dir DATA
    python -m training.lines publish --run runs/reader-1.15.0 --base 1.14.0

Needs what the run of `lines_1_14_0.py` fitted.
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.15.0",
    seed=20261201,
    lines=150_000,
    wordy_lines=25_000,
    wordy_share=0.15,
    size=ReaderSize(channels=(32, 64, 128, 256), residuals=(1, 3, 4, 8)),
    goes_on_from="1.14.0",
    steps=500,
    epochs=20,
    calm_epochs=4,
    learning_rate=4e-4,
    precision="mixed_bfloat16",
    frozen_statistics=True,
)
