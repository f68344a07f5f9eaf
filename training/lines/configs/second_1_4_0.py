"""The second reader of 1.3.0, taught the digits of displays on the lines of `displays_1_4_0.py`.

    python -m training.lines train --config training/lines/configs/second_1_4_0.py --data-dir DATA

Took 30 minutes on an AMD EPYC, at 60 to 150 lines a second. Of what was learned, 80 % reads most of validation (82.45 %
exactly). Reached, alone and without a second look: displays drawn as in training 90.0 %, cheques 81.7 %, printed cells
99.1 %, UNIPEN's numbers of other contributors 86.9 %.
"""

from dataclasses import replace

from training.lines.config import ReaderSize
from training.lines.configs.displays_1_4_0 import config as first

config = replace(first, name="second-reader", second=True, size=ReaderSize(), learning_rate=8e-4)
