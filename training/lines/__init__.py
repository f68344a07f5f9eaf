"""Composed images of digit strings: writers, layouts and papers, to train a line reader on and to measure with."""
