"""Measures the committed model on real images: `make evaluate`."""
