"""The place reader of digits 1.16.0."""

from training.lines.config import PlacesConfig

config = PlacesConfig(version="1.16.0", precision="mixed_bfloat16")
