"""The glyph network of 1.5.0, taught on: more of clean print, outlines among it.

python -m training train --config training/configs/digits_1_6_0.py --data-dir DATA
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
