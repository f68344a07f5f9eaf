"""The glyph network of 1.0.0, taught the digits of displays. Digits 1.5.0 has it, with the readers of `training/lines`.

    python -m training train --config training/configs/digits_1_4_0.py --data-dir DATA

Took 40 minutes of one core (AMD EPYC) beside other trainings, after the glyphs were drawn, at 490 to 620 a second. Of
what was learned, 75 % has most of validation right (97.70 %; 25 % of it 97.38, 50 % 97.59, all 97.63). Reached on what
it never saw, at the first look: displays' fonts 96.2 %, MNIST 99.54 %, CVL 96.49 %, UNIPEN's digits 98.98 %, meters
97.45 %, newspaper cells 99.83 %, clean digits of other fonts 99.64 %.
"""

from dataclasses import replace

from training.configs.digits_1_0_0 import config as first

config = replace(
    first,
    version="1.4.0",
    grows_from="1.0.0",
    learned_shares=(0.25, 0.5, 0.75, 1.0),
    display_digits=60_000,
    display_weight=0.08,
    epochs=4,
    calm_epochs=1,
    learning_rate=8e-4,
)
