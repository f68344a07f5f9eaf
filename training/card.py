"""The model card: what a version is, made from what, how good, and where it fails."""

from __future__ import annotations

import os
import platform

from app.manifest import Manifest
from training.config import TrainingConfig

CARD_FILE = "README.md"

_SETS = {
    "validation": "all that follows but the MNIST test: what early stopping and the temperature were chosen on",
    "mnist_validation_writers": "MNIST digits of writers that were not trained on",
    "mnist_validation_augmented": "the same, photographed: turned, blurred, noised, on uneven paper",
    "held_out_font_families": "printed digits of font families that were not trained on, photographed",
    "held_out_non_digits": "letters, punctuation, pairs, fragments, textures, noise (accuracy over 11 classes)",
    "mnist_test": "MNIST's test set",
}


def model_card(manifest: Manifest, config: TrainingConfig, seconds: float) -> str:
    """The card of a version as Markdown, every figure from the manifest."""
    rows = "\n".join(
        f"| `{name}` | {_SETS[name]} | {figures['n']:,.0f} | {figures['accuracy']:.2%} | {figures['macro_f1']:.4f} "
        f"| {figures['ece']:.2%} |"
        for name, figures in manifest.metrics.items()
        if name in _SETS
    )
    parity = manifest.metrics["tflite_parity"]
    data = "\n".join(
        f"- {source['name']}: "
        + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in source.items() if key != "name")
        for source in manifest.training_data
    )
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.libraries.items())
    return f"""# {manifest.name} {manifest.version}

A small convolutional network that tells the digit in a 28×28 glyph, or that there is none: {manifest.parameters:,}
parameters, eleven classes (0–9 and `none`), preprocessing version {manifest.preprocessing_version}.

`model.keras` is the source of truth; `model.tflite` is made from it and gives the same class on
{parity["agreement"]:.2%} of {parity["n"]:,.0f} validation glyphs. `manifest.json` has their hashes.

## Measured

Through the service's own imaging path, by the training run itself. Accuracy on sets of digits is that of the best of
the ten digits, as `/predict` answers.

| Set | What | Glyphs | Accuracy | Macro F1 | ECE |
|---|---|---|---|---|---|
{rows}

Temperature {manifest.temperature:.3f}, fitted on `validation`. Digits with a confidence under {manifest.threshold}
are rejected; that threshold is the reference project's, not one chosen for a stated risk.

## Made from

{data}

MNIST digits: each once as it is and {config.mnist_copies} times photographed anew (`training/augment.py`); {
        config.font_digits:,} digits drawn from fonts, every family as often as any other; {
        config.non_digits:,} non-digits.
Letters that are digits to the eye (O, l, S, …) are left out rather than taught as non-digits.

## Made with

```
python -m training train --data-dir DATA --version {manifest.version} --epochs {config.epochs}
```

Seed {config.seed}; {seconds / 60:.0f} minutes on {os.cpu_count()} CPUs ({platform.machine()}), Python
{platform.python_version()}, {libraries}. Trained {manifest.created}.

## Limits

It has seen American handwriting (MNIST) and print, and no other hand: a 1 with a long upstroke, a crossed 7 or a
looped 2 may be misread. It has seen no digit parted from a frame or from a neighbour that it touches.
"""
