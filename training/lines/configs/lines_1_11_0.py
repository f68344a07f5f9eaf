"""The reader of 1.8.0, taught on three times as long, in bfloat16, with zeros slashed either way."""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.11.0",
    seed=20261127,
    lines=170_000,
    wordy_lines=32_000,
    wordy_share=0.2,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.10.0",
    learned_shares=(0.4, 0.6, 0.8, 1.0),
    steps=250,
    epochs=50,
    calm_epochs=5,
    learning_rate=1e-3,
    precision="mixed_bfloat16",
)
