"""digits 0.4.0, taught more of the forms that it misreads: 1 with a wide upstroke, curled 9, open 4, crossed 7.

    python -m training train --config training/configs/digits_1_0_0.py --data-dir DATA

After digits_0_4_0, took 60 minutes on two busy cores: some 30 to draw the glyphs, 28 to train at 900 to 1,000 a second.
A fifth of what was learnt is taken over: all of it read MNIST's test at 99.61 %, CVL at 96.26 %, optdigits at 99.00 %
and clean digits of other fonts at 99.48 %; the share is one that cost validation nothing. Reached: MNIST 99.64 %, CVL
96.21 %, UNIPEN's digits 99.15 %, optdigits 99.00 %, meters 98.44 %, newspaper cells 100 %, clean digits of other fonts
99.64 %.
"""

from training.config import SourcePlan, TrainingConfig
from training.configs import digits_0_4_0

config = TrainingConfig(
    version="1.0.0",
    start=digits_0_4_0.config,
    start_share=0.8,
    sources=(
        SourcePlan("MNIST", copies=1, weight=0.33, plain=True),
        SourcePlan("optdigits", copies=8, weight=0.05, plain=True),
        SourcePlan("semeion", copies=4, weight=0.01),
        SourcePlan("pendigits", copies=3, weight=0.05),
        SourcePlan("UNIPEN characters", copies=10, weight=0.25, none_copies=1),
        SourcePlan("UNIPEN symbols", copies=1, weight=0.02, none_copies=1),
        SourcePlan("newspaper cells", copies=8, weight=0.04, plain=True),
        SourcePlan("photo cells", copies=6, weight=0.04, plain=True, none_copies=4),
        SourcePlan("meter photos", copies=4, weight=0.07, plain=True),
        SourcePlan("photo letters", copies=3, weight=0.01, none_copies=3),
        SourcePlan("Binary Alphadigits", copies=4, weight=0.01),
        SourcePlan("NIST SD 19 vowels", copies=1, weight=0.015, none_copies=1),
        SourcePlan("notMNIST", copies=1, weight=0.01, none_copies=1),
    ),
    font_digits=120_000,
    font_weight=0.11,
    drawn_digits=100_000,
    drawn_weight=0.12,
    non_digits=70_000,
    non_digit_weight=0.06,
    batch_size=512,
    steps=600,
    epochs=5,
    calm_epochs=1,
    learning_rate=7e-4,
    weight_decay=0.02,
)
