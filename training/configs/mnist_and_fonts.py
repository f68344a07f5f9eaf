"""MNIST and digits drawn from fonts, on the reference project's network: what the model 0.1.0 was made from.

    python -m training train --config training/configs/mnist_and_fonts.py --data-dir DATA

For a machine without the other data sets; where DATA holds no mnist.npz, Keras downloads it.
0.1.0 itself was made by an earlier form of the training system, in 38 minutes on two busy cores,
and reads 99.2 % of MNIST's test; its recipe has not been measured in this form.
"""

from training.config import SourcePlan, TrainingConfig

config = TrainingConfig(
    version="0.1.0",
    sources=(SourcePlan("MNIST", copies=3, weight=0.55, plain=True),),
    network="reference",
    font_digits=120_000,
    font_weight=0.3,
    non_digits=70_000,
    non_digit_weight=0.15,
    epochs=14,
    learning_rate=1e-3,
)
