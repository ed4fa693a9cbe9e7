"""Mean attention of every head before training, after SPT and after labels alone.   [C13] [C19]"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.runs.store import Result

NEEDS = ("docs_order_probes",)
SHOWS: tuple[str, ...] = ()
PAGE_ORDER = 7
STATES = {"initialisation": "before training", "pretrained": "after SPT", "label_only": "after labels only"}
_MOST_COLUMNS = 4
_FAINTEST = 1 / 4  # of uniform attention: everything below is drawn white


def _over_uniform(results: Mapping[str, Result], state: str) -> np.ndarray:
    """Attention over its uniform value, (column, query, key): a column is a head, or the mean of a layer."""
    maps = need(results, "docs_order_probes", by="figure attention_maps").arrays[f"attention_{state}"]
    layers, heads, length, _ = maps.shape
    if layers * heads > _MOST_COLUMNS:
        return maps.mean(axis=1) * length
    return maps.reshape(layers * heads, length, length) * length


def column_names(results: Mapping[str, Result]) -> list[str]:
    """The name of every column of maps."""
    arrays = need(results, "docs_order_probes", by="figure attention_maps").arrays
    layers, heads = arrays["attention_pretrained"].shape[:2]
    if layers * heads > _MOST_COLUMNS:
        return [f"layer {layer + 1}, mean of heads" for layer in range(layers)]
    layer_names = [f"layer {layer + 1}, " if layers > 1 else "" for layer in range(layers)]
    return [f"{layer}head {head + 1}" for layer in layer_names for head in range(heads)]


def _near_mass(maps: np.ndarray, window: int = 1) -> float:
    """Mean attention within the window, over its uniform value; the maps are over uniform already."""
    length = maps.shape[-1]
    near = np.abs(np.arange(length)[:, None] - np.arange(length)[None, :]) <= window
    return float(maps[..., near].mean())


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One row per state, one column per head, one logarithmic colour scale for all."""
    maps = {state: _over_uniform(results, state) for state in STATES}
    names = column_names(results)
    top = max(4.0, float(np.quantile(np.stack(list(maps.values())), 0.998)))
    scale = LogNorm(_FAINTEST, top)
    side = (style.FULL_WIDTH - 1.1) / max(len(names), 3)
    height = style.square(len(STATES) * (side + 0.12) + 0.3)
    size: dict[str, Any] = {"width": style.FULL_WIDTH, "height": height, "layout": "compressed"}
    figure, axes = style.panels(len(STATES), len(names), **size, sharex=True, sharey=True)
    for row, (state, title) in enumerate(STATES.items()):
        for panel, one, name in zip(axes[row], maps[state], names, strict=True):
            image = panel.imshow(np.maximum(one, _FAINTEST / 10), cmap=style.POSITIVE, norm=scale)
            panel.spines[["top", "right"]].set_visible(True)
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(4, integer=True))
            if row == 0:
                panel.set_title(name)
        axes[row, 0].set_ylabel(f"({'abc'[row]}) {title}\nquery position $i$")
    for panel in axes[-1]:
        panel.set_xlabel("key position $j$")
    _colour_bar(figure, image, axes, top)
    return figure


def _colour_bar(figure: Figure, image: AxesImage, axes: np.ndarray, top: float) -> None:
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=40, extend="both")
    ticks = [2.0**power for power in range(-2, 11) if _FAINTEST <= 2.0**power <= top]
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    ratio = FuncFormatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
    bar.ax.yaxis.set_major_formatter(ratio)
    bar.set_label("attention over its uniform value $1/L$")


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the attention mass near the diagonal."""
    mass = {state: number(_near_mass(_over_uniform(results, state))) for state in STATES}
    return (
        "Attention before and after training on docs-order. Mean attention over held-out sequences, "
        "divided by its uniform value, on one logarithmic scale for all panels. Attention on the token "
        f"itself and its two neighbours, over uniform, mean of heads: {mass['initialisation']} before "
        f"training, {mass['pretrained']} after SPT, {mass['label_only']} after labels only. First seed."
    )
