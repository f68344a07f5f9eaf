"""The second reader, which is asked about lines that the first is unsure of: that of 1.0.0, taught on.

    python -m training.lines train --config training/lines/configs/second_1_3_0.py --data-dir DATA

It is half as large as the first and knows other lines, so that the two are wrong about different ones.
"""

from training.lines.config import LinesConfig

config = LinesConfig(
    version="1.3.0",
    name="second-reader",
    seed=20261127,
    lines=100_000,
    wordy_lines=20_000,
    wordy_share=0.16,
    grows_from="1.0.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=40,
    calm_epochs=3,
    learning_rate=1e-3,
)
