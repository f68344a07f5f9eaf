"""The glyph network of 1.0.0, taught the digits of displays.

python -m training train --config training/configs/digits_1_4_0.py --data-dir DATA
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
