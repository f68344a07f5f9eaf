"""The reader of 1.12.0, grown to nearly three times its size and taught on four times as many lines, on a GPU.

    KERAS_BACKEND=jax python -m training.lines train --config training/lines/configs/lines_1_13_0.py --data-dir DATA

Took 22 minutes on 16 cores and an H100: 7 to compose the lines, 13 to train at 12,500 lines a second. It was not
released: batches held words alone or none then, and a batch of 656 lines tells a network so, by the statistics that it
is normalised by. On 256 lines of numbers, 128 pixels wide, the loss was 0.70 with a batch's statistics and 1.07 with
the averages that it is served with (a trial). What it learned is there all the same, and `lines_1_14_0.py` goes on from
it.
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
