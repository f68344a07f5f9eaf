"""The second reader of 1.7.0, taught the lines of `lines_1_8_0.py`.

python -m training.lines train --config training/lines/configs/second_1_8_0.py --data-dir DATA
"""

from dataclasses import replace

from training.lines.config import ReaderSize
from training.lines.configs.lines_1_8_0 import config as first

config = replace(first, name="second-reader", second=True, size=ReaderSize(), epochs=24, learning_rate=1.2e-3)
