"""The second reader, which is asked about lines that the first is unsure of: that of 1.0.0, taught on.

    python -m training.lines train --config training/lines/configs/second_1_3_0.py --data-dir DATA
    python -m training.lines publish --second runs/second-reader-1.3.0

It is less than half as large as the first and was taught other lines, so that the two are wrong about different ones.

Took 85 minutes on two slow cores (AMD EPYC): 15 to compose the lines, 65 to train at 140 to 215 lines a second, with
`TF_ENABLE_ONEDNN_OPTS=1`, 5 to measure. Of what was learned, all reads validation best (81.3 % exactly; 80 % of it
80.7 %). Reached, alone and without a second look: cheques 82.1 %, printed cells 99.2 %, UNIPEN's numbers of other
contributors 86.6 %.
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
