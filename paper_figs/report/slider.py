"""What the page's slider and dial show, as data for a script: the stored result's numbers and colours."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from paper_figs import style
from sims.experiments.score_slider import Values
from sims.runs.store import Result

_DARKEST = 0.5  # attention weight that is drawn darkest
_DARKEST_PIXEL = 0.15  # the same on an image
WORDS = {
    "neighbours": (
        "Towards neighbours",
        "Every query moves towards the tokens beside it. Each key still receives as much attention as any "
        "other, so labels cannot tell, however far you go; reconstruction falls.",
    ),
    "key_bias": (
        "Towards some keys",
        "Every query moves towards the same few tokens, here those that tell the class. This is all that "
        "labels can ask for. Reconstruction has no slope along it.",
    ),
    "random": (
        "At random, per query",
        "Every query moves to keys of its own, drawn at random. At uniform attention the label loss has no "
        "slope; farther out the keys no longer receive equal shares, and it moves.",
    ),
    "row_shift": (
        "A constant",
        "The same number is added to all scores of a query. Softmax ignores it: nothing moves.",
    ),
}

ENDS = {
    "neighbours": ("\u2190 away from neighbours", "to neighbours \u2192"),
    "key_bias": ("\u2190 away from these keys", "to these keys \u2192"),
    "random": ("\u2190 the other way", "each query to its own keys \u2192"),
    "row_shift": ("\u2190 less", "more \u2192"),
}
"""What the ends of the slider mean."""


def content(result: Result) -> dict[str, Any]:
    """Places, losses, attention as bytes, slopes; the dial. Endless counts are null."""
    values = Values.from_json(result.values)
    arrays = result.arrays
    shares = np.clip(arrays["attention"] / _DARKEST, 0, 1)
    return {
        "length": values.length,
        "rho": values.rho,
        "told": values.class_positions,
        "magnitudes": rounded(arrays["magnitudes"]),
        "directions": [
            {
                "name": name,
                "title": WORDS[name][0],
                "told": WORDS[name][1],
                "ends": ENDS[name],
                "label": rounded(arrays["label_mean"][index]),
                "label_law": rounded(arrays["label_theory"][index]),
                "reconstruction": rounded(arrays["reconstruction_mean"][index]),
                "reconstruction_law": rounded(arrays["reconstruction_theory"][index]),
                "attention": encoded(shares[index]),
            }
            for index, name in enumerate(values.directions)
        ],
        "slope": values.slope,
        "image": image(values, arrays),
        "colors": [to_hex(style.POSITIVE(share)) for share in np.linspace(0, 1, 17)],
        "dial": {
            name: rounded(arrays[f"dial_{name}"]) for name in ("contrast", "kappa", "label", "reconstruction")
        }
        | {"middle": values.middle},
    }


def image(values: Values, arrays: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """What the middle pixel attends to over the magnitude; None without a result."""
    if values.image is None:
        return None
    attention, steps = arrays["image_attention"], len(arrays["image_attention"])
    middle = attention.shape[-1] // 2
    return {
        **values.image,
        "side": attention.shape[-1],
        "beside": rounded(attention[:, middle, middle + 1]),
        "below": rounded(attention[:, middle + 1, middle]),
        "magnitudes": rounded(arrays["magnitudes"][-steps:]),
        "reconstruction": rounded(arrays["image_reconstruction"]),
        "attention": encoded(np.clip(attention / _DARKEST_PIXEL, 0, 1)),
    }


def encoded(shares: np.ndarray) -> str:
    """Numbers of 0 to 1 as one byte each."""
    return base64.b64encode((255 * shares).round().astype(np.uint8).tobytes()).decode()


def rounded(array: np.ndarray) -> list[float | None]:
    """Six significant digits, enough for a screen; null for what is not finite."""
    return [float(f"{one:.6g}") if np.isfinite(one) else None for one in array]
