"""The reader of 1.13.0, taught on with the statistics of its normalisations as they are when it is served.

python -m training.lines train --config training/lines/configs/lines_1_14_0.py --data-dir DATA
python -m training.lines publish --run runs/reader-1.14.0 --base 1.13.0
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.14.0",
    seed=20261130,
    lines=80_000,
    wordy_lines=16_000,
    wordy_share=0.15,
    size=ReaderSize(channels=(32, 64, 128, 256), residuals=(1, 3, 4, 8)),
    goes_on_from="1.13.0",
    steps=250,
    epochs=20,
    calm_epochs=4,
    learning_rate=3e-4,
    precision="mixed_bfloat16",
    frozen_statistics=True,
)
