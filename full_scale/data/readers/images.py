"""Images as arrays: PNG through Pillow with the size read and bounded first, and grey values."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from full_scale.data.readers.files import AGAIN, DAMAGE, reason, unusable

GREY = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in the grey value: those of Long Range Arena."""
PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS_MOST = 1 << 26


def grey(colour: UInt8[np.ndarray, "*n 3"]) -> UInt8[np.ndarray, "*n"]:
    """round(0.2989 R + 0.587 G + 0.114 B), image by image to bound the memory."""
    weights = np.array(GREY, np.float32)
    result = np.empty(colour.shape[:-1], np.uint8)
    for index in range(len(colour)):
        result[index] = np.rint(colour[index] @ weights)
    return result


def png_pixels(path: Path, data: bytes, mode: str) -> UInt8[np.ndarray, "row column *channel"]:
    """The pixels of a PNG in mode "L" (grey) or "RGB"."""
    if not data.startswith(PNG) or data[12:16] != b"IHDR" or len(data) < 33:
        raise unusable(path, "a PNG image", f"first bytes {data[:8]!r}", AGAIN)
    columns, rows = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    # deflate unfolds at most 1032 to 1, so a small file cannot hold a large image
    if not 0 < columns * rows <= min(_PIXELS_MOST, 1032 * 8 * len(data)):
        raise unusable(path, "an image its file can hold", f"{columns} x {rows} in {len(data)} bytes", AGAIN)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return np.asarray(image.convert(mode))
    except (*DAMAGE, SyntaxError, Image.DecompressionBombError) as error:
        raise unusable(path, "a whole PNG image", reason(error), AGAIN) from error
