"""The reader of 1.13.0, taught on with the statistics of its normalisations as they are when it is served.

    python -m training.lines train --config training/lines/configs/lines_1_14_0.py --data-dir DATA
    python -m training.lines publish --run runs/reader-1.14.0 --base 1.12.0

Needs what the run of `lines_1_13_0.py` fitted. Took 37 minutes on two cores (AMD EPYC with AVX-512 and its bfloat16): 5
to compose the lines, 30 to train at 190 to 215 lines a second, with `TF_ENABLE_ONEDNN_OPTS=1`, 2 to measure. Of
validation's lines, 85.5 % were read exactly after the first epoch, 86.4 to 87.4 % after each other. Reached, alone and
without a second look: cheques 82.2 %, printed cells 99.5 %, UNIPEN's numbers of other contributors 89.7 %, lines
without digits 93.6 %.
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
