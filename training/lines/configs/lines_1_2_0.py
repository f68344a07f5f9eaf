"""The reader of 1.1.0, taught on at half the rate, with more dates, and slashes no longer than digits.

    python -m training.lines train --config training/lines/configs/lines_1_2_0.py --data-dir DATA
    python -m training.lines publish --run runs/reader-1.2.0

Took 90 minutes on two slow and busy cores (AMD EPYC): 10 to compose the lines, 75 to train at 90 to 150 lines a second,
with `TF_ENABLE_ONEDNN_OPTS=1`. In the run that made the released reader, the rate of the first epoch was that of a run
of 40; MNIST's hands wrote 18 % of the lines, UNIPEN's 25 % and drawn ones 16 %, which is 22, 23 and 14 % since. Of what
was learned, 60 % and 80 % read validation alike (84.0 % exactly), 40 % 83.3 %, all 83.0 %. Reached,
without a second look: cheques 81.9 %, printed cells 99.3 %, UNIPEN's numbers of other contributors 89.1 %.
"""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.2.0",
    seed=20261126,
    lines=100_000,
    wordy_lines=20_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.1.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=28,
    calm_epochs=3,
    learning_rate=6e-4,
)
