"""The glyph network of 1.5.0, taught on: more of clean print, outlines among it. Digits 1.7.0 has it.

    python -m training train --config training/configs/digits_1_6_0.py --data-dir DATA
    python -m training second-look --data-dir DATA

Took 76 minutes of two cores (AMD EPYC) after the glyphs were drawn, at 425 to 1,250 a second, the first two epochs
beside other programs, the rest with `TF_ENABLE_ONEDNN_OPTS=1`. No drawn 0 was slashed then. Of what was learned, 50 %
has most of validation right (97.74 %; 25 % of it 97.70, 75 % 97.70, all 97.51). Reached on what it never saw, at the
first look: clean digits of other fonts 99.80 %, photographed 98.58 %, displays' fonts 96.8 %, MNIST 99.53 %, CVL
96.39 %, UNIPEN's digits 99.10 %, meters 97.60 %, newspaper cells 99.83 %.
"""

from dataclasses import replace

from training.configs.digits_1_4_0 import config as displays

config = replace(
    displays,
    version="1.6.0",
    grows_from="1.5.0",
    font_weight=0.14,
    printed_digits=60_000,
    printed_weight=0.07,
    epochs=12,
    calm_epochs=3,
    learning_rate=2e-3,
)
