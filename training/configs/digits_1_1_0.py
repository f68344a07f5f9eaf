"""The network of digits 1.0.0, trained on: on glyphs drawn anew, with more of MNIST.

python -m training train --config training/configs/digits_1_1_0.py --data-dir DATA
"""

from dataclasses import replace
from pathlib import Path

from training.config import SourcePlan
from training.configs.digits_1_0_0 import config as first

config = replace(
    first,
    version="1.1.0",
    seed=20261125,
    start=Path("models/digits/1.0.0/model.keras"),
    sources=(SourcePlan("MNIST", copies=1, weight=0.4, plain=True), *first.sources[1:]),
    epochs=30,
    learning_rate=2e-3,
)
