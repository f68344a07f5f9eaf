"""A larger reader, grown from that of 1.0.0, and shown more of the forms and layouts that it read wrong."""

from training.lines.config import LinesConfig, ReaderSize

config = LinesConfig(
    version="1.1.0",
    lines=120_000,
    wordy_lines=21_000,
    wordy_share=0.16,
    size=ReaderSize(channels=(24, 48, 96, 192), residuals=(1, 2, 2, 5)),
    grows_from="1.0.0",
    steps=500,
    epochs=14,
    learning_rate=1.5e-3,
)
