"""The released model: every training set there is, 245,000 parameters."""

from training.config import SourcePlan, TrainingConfig

config = TrainingConfig(
    version="1.0.0",
    sources=(
        SourcePlan("MNIST", copies=3, weight=0.22, plain=True),
        SourcePlan("optdigits", copies=8, weight=0.04, plain=True),
        SourcePlan("semeion", copies=4, weight=0.01),
        SourcePlan("pendigits", copies=5, weight=0.07),
        SourcePlan("UNIPEN characters", copies=6, weight=0.22),
        SourcePlan("UNIPEN symbols", copies=1, weight=0.03),
        SourcePlan("newspaper cells", copies=16, weight=0.06, plain=True),
        SourcePlan("photo cells", copies=12, weight=0.07, plain=True),
        SourcePlan("meter photos", copies=6, weight=0.09, plain=True),
        SourcePlan("photo letters", copies=4, weight=0.01),
        SourcePlan("Binary Alphadigits", copies=4, weight=0.01),
        SourcePlan("NIST SD 19 vowels", copies=2, weight=0.02),
        SourcePlan("notMNIST", copies=1, weight=0.015),
    ),
    epochs=12,
)
