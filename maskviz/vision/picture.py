"""A picture as a model is shown it: upright, three colours of eight bits, of a bounded size."""

from __future__ import annotations

import io
from typing import Any

from ..errors import DataError

SIDE = 1024  # pixels: more than any ViT takes
MOST_PIXELS = 50_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")


def read_picture(content: bytes) -> Any:
    """Return a PNG, JPEG or WebP file as a PIL image in RGB, at most 1,024 pixels on a side.

    Raises DataError for what is no such picture, or has over 50 million pixels.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            wide, high = picture.size
            if wide * high > MOST_PIXELS:
                raise DataError(
                    f"The picture has {wide:,} × {high:,} pixels: give one of at most "
                    f"{MOST_PIXELS // 1_000_000} million."
                )
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is read no larger than it is needed
            return in_colours(picture)
    except DataError:
        raise
    # ValueError: notes in the file that would unpack to more than any picture's.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise DataError("The upload is no PNG, JPEG or WebP picture: save it as one.") from None


def in_colours(picture: Any) -> Any:
    """Return a PIL image of any mode upright in RGB, at most 1,024 pixels on a side.

    The camera's note on which way is up is followed, what is transparent is white, and sixteen
    bits become eight.

    >>> from PIL import Image
    >>> in_colours(Image.new("LA", (2, 1), (0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode[0] in "IF":  # a plain conversion would cut all above 255 off
        picture = _eight_bits(picture)
    clear = picture.has_transparency_data
    picture = picture.convert("RGBA" if clear else "RGB")
    picture.thumbnail((SIDE, SIDE), reducing_gap=2)
    if clear:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def _eight_bits(picture: Any) -> Any:
    """Return grey of sixteen or more bits, or of floats, as grey of eight."""
    import numpy as np
    from PIL import Image

    values = np.asarray(picture).astype(float)
    if values.max(initial=0) > 255:
        values /= 257
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
