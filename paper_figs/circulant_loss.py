"""Loss along a circulant direction of the scores: flat for labels at any magnitude.   [C3]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from paper_figs import style
from paper_figs.numbers import number
from paper_figs.sources import need
from sims.store import Result

NEEDS = ("blindness",)
CURVES = (
    ("reconstruction_loss", "reconstruction, circulant direction", style.RECONSTRUCTION),
    ("label_loss_control", "label, direction not circulant", style.CONTROL),
    ("label_loss", "label, circulant direction", style.LABELS),
)


def changes(results: Mapping[str, Result], name: str) -> np.ndarray:
    """loss(magnitude) - loss(0) for each seed: (seeds, magnitudes)."""
    loss = need(results, "blindness", by="figure circulant_loss").arrays[name]
    return loss - loss[:, :1]


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Mean over seeds with the range of seeds, for both losses and the control."""
    magnitudes = need(results, "blindness", by="figure circulant_loss").arrays["magnitudes"]
    figure, ((axes,),) = style.panels(1, 1, height=2.6)
    axes.axhline(0.0, zorder=0, **style.THEORY.line(markers=False), label="theory for labels: no change")
    for name, title, look in CURVES:
        change = changes(results, name)
        every = max(1, len(magnitudes) // 12)
        style.band(axes, magnitudes, change.min(0), change.max(0), look)
        axes.plot(magnitudes, change.mean(0), label=title, **look.line(every=every))
    axes.set_xlabel("magnitude of the score direction")
    axes.set_ylabel("loss minus loss at magnitude 0")
    handles, names = axes.get_legend_handles_labels()
    style.legend_above(figure, handles, names, columns=1)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the largest changes."""
    largest = {name: float(np.abs(changes(results, name)).max()) for name, _, _ in CURVES}
    drop = float(changes(results, "reconstruction_loss").mean(0).min())
    seeds = changes(results, "label_loss").shape[0]
    return (
        "Loss along a circulant proximity direction. The label loss does not move at any magnitude "
        f"(largest change {number(largest['label_loss'])}); the reconstruction loss falls by up to "
        f"{number(-drop)}. Control: along a direction that is not circulant the label loss moves, by up to "
        f"{number(largest['label_loss_control'])}. Lines are means, bands ranges, over {seeds} seeds."
    )
