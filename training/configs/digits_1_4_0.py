"""The glyph network of 1.0.0, taught on for a third of its first training, on the same glyphs.

python -m training train --config training/configs/digits_1_4_0.py --data-dir DATA
"""

from dataclasses import replace

from training.configs.digits_1_0_0 import config as first

config = replace(first, version="1.4.0", grows_from="1.0.0", epochs=6, learning_rate=1e-3)
