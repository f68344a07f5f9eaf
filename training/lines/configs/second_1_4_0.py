"""The second reader of 1.3.0, taught the digits of displays on the lines of `displays_1_4_0.py`.

python -m training.lines train --config training/lines/configs/second_1_4_0.py --data-dir DATA
"""

from dataclasses import replace

from training.lines.config import ReaderSize
from training.lines.configs.displays_1_4_0 import config as first

config = replace(first, name="second-reader", second=True, size=ReaderSize(), learning_rate=8e-4)
