"""Loss along a circulant direction of the scores: flat for labels at any magnitude.   [C3]"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.runs.store import Result

Curve = tuple[str, str, style.Look]

NEEDS = ("blindness",)
SHOWS = ("C3",)
PAGE_ORDER = 3
RECONSTRUCTION = ("reconstruction_loss", "reconstruction, circulant direction", style.RECONSTRUCTION)
CONTROL = ("label_loss_control", "label, direction not circulant", style.CONTROL)
LABEL = ("label_loss", "label, circulant direction", style.LABELS)
_PANELS = (("both losses", (RECONSTRUCTION, LABEL)), ("label loss, enlarged", (CONTROL, LABEL)))


def changes(results: Mapping[str, Result], name: str) -> np.ndarray:
    """loss(magnitude) - loss(0) for each seed: (seeds, magnitudes)."""
    loss = need(results, "blindness", by="figure circulant_loss").arrays[name]
    return loss - loss[:, :1]


def _curves(axes: Axes, results: Mapping[str, Result], curves: Sequence[Curve]) -> None:
    """Mean, seeds and range of each curve, over the theory's line for labels."""
    magnitudes = need(results, "blindness", by="figure circulant_loss").arrays["magnitudes"]
    axes.axhline(0.0, zorder=0, **style.THEORY.line(markers=False), label="theory for labels: no change")
    for name, title, look in curves:
        change = changes(results, name)
        style.band(axes, magnitudes, change.min(0), change.max(0), look)
        axes.plot(magnitudes, change.T, color=look.color, linewidth=style.points(0.5), alpha=0.6)
        axes.plot(magnitudes, change.mean(0), label=title, **look.line())


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Above, both losses along the circulant direction; below, the label loss and its control, enlarged."""
    figure, axes = style.panels(2, 1, height=3.6, sharex=True)
    for panel, mark, (title, curves) in zip(axes[:, 0], "ab", _PANELS, strict=True):
        _curves(panel, results, curves)
        style.letter(panel, mark, title)
    axes[1, 0].set_xlabel("magnitude of the score direction")
    figure.supylabel("loss minus loss at magnitude 0")
    legend = dict(
        pair[::-1] for panel in axes[:, 0] for pair in zip(*panel.get_legend_handles_labels(), strict=True)
    )
    style.legend_above(figure, list(legend.values()), list(legend), columns=1)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the largest changes."""
    largest = {
        name: float(np.abs(changes(results, name)).max()) for name, _, _ in (RECONSTRUCTION, CONTROL, LABEL)
    }
    drop = float(changes(results, "reconstruction_loss").mean(0).min())
    seeds = changes(results, "label_loss").shape[0]
    return (
        "Loss along a circulant proximity direction. The label loss does not move at any magnitude "
        f"(largest change {number(largest['label_loss'])}); the reconstruction loss falls by up to "
        f"{number(-drop)}. Control: along a direction that is not circulant the label loss moves, by up to "
        f"{number(largest['label_loss_control'])}. Thick lines are means, thin lines seeds, bands ranges, "
        f"over {seeds} seeds."
    )
