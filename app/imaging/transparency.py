"""Images with alpha, or with a colour that is transparent."""

from __future__ import annotations

from PIL import Image


def on_white(image: Image.Image) -> Image.Image:
    """Without alpha, palette or separate inks: L or RGB."""
    if image.has_transparency_data:
        image = _with_alpha(image)
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def opacity(image: Image.Image) -> Image.Image:
    """How opaque an image is that has transparency of whatever kind: L, 0 for transparent."""
    return _with_alpha(image).getchannel("A")


def _with_alpha(image: Image.Image) -> Image.Image:
    """The same as RGBA. Pillow converts grey whose alpha is multiplied into it only by way of grey whose is not."""
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
