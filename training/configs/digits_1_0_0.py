"""Every training set there is, fonts with handwriting among them, and forms of digits that the sets have too few of.

    python -m training train --config training/configs/digits_1_0_0.py --data-dir DATA

Takes 90 minutes on two idle cores (Intel Xeon): 20 to draw the glyphs, 70 to train at 1,900 to 2,150 a second. The
released version was not trained in one go: its rate first fell as in a run of 26 epochs, from the 14th on as in one of
20, and from the 21st on as in one of 28, those with a weight of 0.06 for optdigits instead of 0.05. Reached on what it
never saw: MNIST 99.51 %, CVL 96.56 %, UNIPEN's digits 99.02 %, optdigits windep 99.05 %, meters 97.88 %, newspaper
cells 99.83 %, clean digits of other fonts 99.66 %.
"""

from training.config import SourcePlan, TrainingConfig

config = TrainingConfig(
    version="1.0.0",
    sources=(
        SourcePlan("MNIST", copies=1, weight=0.28, plain=True),
        SourcePlan("optdigits", copies=8, weight=0.06, plain=True),
        SourcePlan("semeion", copies=4, weight=0.01),
        SourcePlan("pendigits", copies=3, weight=0.05),
        SourcePlan("UNIPEN characters", copies=10, weight=0.27, none_copies=1),
        SourcePlan("UNIPEN symbols", copies=1, weight=0.02, none_copies=1),
        SourcePlan("newspaper cells", copies=8, weight=0.04, plain=True),
        SourcePlan("photo cells", copies=6, weight=0.05, plain=True, none_copies=4),
        SourcePlan("meter photos", copies=4, weight=0.08, plain=True),
        SourcePlan("photo letters", copies=3, weight=0.01, none_copies=3),
        SourcePlan("Binary Alphadigits", copies=4, weight=0.01),
        SourcePlan("NIST SD 19 vowels", copies=1, weight=0.015, none_copies=1),
        SourcePlan("notMNIST", copies=1, weight=0.01, none_copies=1),
    ),
    font_digits=120_000,
    font_weight=0.12,
    drawn_digits=100_000,
    drawn_weight=0.12,
    non_digits=70_000,
    non_digit_weight=0.06,
    batch_size=512,
    steps=600,
    epochs=28,
    calm_epochs=3,
    learning_rate=3e-3,
    weight_decay=0.02,
)
