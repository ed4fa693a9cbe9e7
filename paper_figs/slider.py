"""What the page's slider and dial show, as data for a script: the stored result's numbers and colours."""

import base64
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from paper_figs import style
from sims.store import Result

DARKEST = 0.5  # attention weight that is drawn darkest
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
        "By a row's constant",
        "The same number is added to all scores of a query. Softmax ignores it: nothing moves.",
    ),
}


def content(result: Result) -> dict[str, Any]:
    """Places, losses, attention as bytes, slopes; the dial. Endless counts are null."""
    values: Any = result.values
    arrays = result.arrays
    shares = np.clip(arrays["attention"] / DARKEST, 0, 1)
    return {
        "length": values["length"],
        "rho": values["rho"],
        "told": values["told"],
        "magnitudes": rounded(arrays["magnitudes"]),
        "directions": [
            {
                "name": name,
                "title": WORDS[name][0],
                "told": WORDS[name][1],
                "label": rounded(arrays["label_mean"][place]),
                "label_law": rounded(arrays["label_theory"][place]),
                "reconstruction": rounded(arrays["reconstruction_mean"][place]),
                "reconstruction_law": rounded(arrays["reconstruction_theory"][place]),
                "attention": base64.b64encode(
                    (255 * shares[place]).round().astype(np.uint8).tobytes()
                ).decode(),
            }
            for place, name in enumerate(values["directions"])
        ],
        "slope": values["slope"],
        "colors": [to_hex(style.POSITIVE(share)) for share in np.linspace(0, 1, 17)],
        "dial": {
            name: rounded(arrays[f"dial_{name}"]) for name in ("contrast", "kappa", "label", "reconstruction")
        }
        | {"middle": values["middle"]},
    }


def rounded(array: np.ndarray) -> list[float | None]:
    """Six significant digits, enough for a screen; null for what is not finite."""
    return [float(f"{one:.6g}") if np.isfinite(one) else None for one in array]
