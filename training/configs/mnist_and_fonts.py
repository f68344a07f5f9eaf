"""MNIST and digits drawn from fonts, on the reference project's network: for a machine without the other data sets.

    python -m training train --config training/configs/mnist_and_fonts.py --data-dir DATA

Where DATA holds no mnist.npz, Keras downloads it. The first model of this project was made by an earlier form of this
recipe, in 38 minutes on two busy cores, and read 99.2 % of MNIST's test; in this form it has not been measured.
"""

from training.config import SourcePlan, TrainingConfig

config = TrainingConfig(
    version="1.0.0",
    sources=(SourcePlan("MNIST", copies=3, weight=0.55, plain=True),),
    network="reference",
    font_digits=120_000,
    font_weight=0.3,
    non_digits=70_000,
    non_digit_weight=0.15,
    epochs=14,
    learning_rate=1e-3,
)
