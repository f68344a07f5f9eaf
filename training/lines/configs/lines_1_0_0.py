"""The first line reader: 300,000 lines of every writer, font and counter there is, and 60,000 lines of words.

    python -m training.lines train --config training/lines/configs/lines_1_0_0.py --data-dir DATA

Reckoned from a run of 600 steps, not yet measured: on two cores 20 to 30 minutes to compose the lines, then 90 to 120
to train; 2 GB of disk and 5 GB of memory.
"""

from training.lines.config import LinesConfig

config = LinesConfig(version="1.0.0", lines=300_000, wordy_lines=60_000, wordy_share=0.16, steps=1_000, epochs=18)
