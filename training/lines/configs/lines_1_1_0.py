"""A larger reader, grown from that of 1.0.0, and shown more of the forms and layouts that it read wrong."""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.1.0",
    lines=84_000,
    wordy_lines=21_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.0.0",
    learned_share=0.6,
    steps=250,
    epochs=21,
    learning_rate=1.2e-3,
)
