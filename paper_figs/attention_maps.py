"""Mean attention of every head before training, after SPT and after labels alone.   [C13] [C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from paper_figs import style
from paper_figs.numbers import number
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("docs_order_probes",)
STATES = {
    "initialisation": "before training",
    "spt": "after SPT",
    "label_only": "after labels only",
}
LARGEST_ROWS = 4


def heads(results: Mapping[str, Result], state: str) -> np.ndarray:
    """Attention over its uniform value, (row, query, key): a row is a head of a layer, or a layer's mean."""
    maps = need(results, "docs_order_probes", by="figure attention_maps").arrays[f"attention_{state}"]
    layers, per_layer, length, _ = maps.shape
    if layers * per_layer > LARGEST_ROWS:
        return maps.mean(axis=1) * length
    return maps.reshape(layers * per_layer, length, length) * length


def row_names(results: Mapping[str, Result]) -> list[str]:
    layers, per_layer = (
        need(results, "docs_order_probes", by="figure attention_maps").arrays["attention_spt"].shape[:2]
    )
    if layers * per_layer > LARGEST_ROWS:
        return [f"layer {layer + 1}, mean of heads" for layer in range(layers)]
    prefix = "" if layers == 1 else "layer {layer}, "
    return [
        f"{prefix.format(layer=layer + 1)}head {head + 1}"
        for layer in range(layers)
        for head in range(per_layer)
    ]


def near_mass(maps: np.ndarray, window: int = 1) -> float:
    """Mean attention within the window, over its uniform value; maps are over uniform already."""
    length = maps.shape[-1]
    near = np.abs(np.arange(length)[:, None] - np.arange(length)[None, :]) <= window
    return float(maps[..., near].mean())


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """One row per head, one column per state, one logarithmic colour scale for all."""
    maps = {state: heads(results, state) for state in STATES}
    names = row_names(results)
    top = float(np.quantile(np.stack(list(maps.values())), 0.998))
    scale = LogNorm(1 / max(top, 2.0), max(top, 2.0))
    height = 2.0 * len(names) + 0.35
    figure, axes = style.panels(
        len(names), 3, width=style.FULL_WIDTH, height=height, sharex=True, sharey=True
    )
    for column, (state, title) in enumerate(STATES.items()):
        for row, name in enumerate(names):
            panel = axes[row, column]
            image = panel.imshow(np.maximum(maps[state][row], 1e-12), cmap=style.SIGNED, norm=scale)
            panel.spines[["top", "right"]].set_visible(True)
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(4, integer=True))
            style.letter(panel, "abcdefghijkl"[3 * row + column], f"{name}, {title}")
            if column == 0:
                panel.set_ylabel("query position $i$")
            if row == len(names) - 1:
                panel.set_xlabel("key position $j$")
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=18 * len(names), extend="both")
    ticks = [2.0**power for power in range(-10, 11, 2) if 1 / top <= 2.0**power <= top]
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
    )
    bar.set_label("attention over its uniform value $1/L$")
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the attention mass near the diagonal."""
    mass = {state: number(near_mass(heads(results, state))) for state in STATES}
    return (
        "Attention before and after training on docs-order. Mean attention over test sequences, divided by its "
        "uniform value, on one scale: blue above uniform, orange below. Attention on the token itself and its two "
        f"neighbours, over uniform: {mass['initialisation']} before training, {mass['spt']} after self-pretraining, "
        f"{mass['label_only']} after training on labels only."
    )
