"""Both losses along four directions of the scores: what the page's slider moves.   [C2, C3, C9]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style.numbers import number
from sims.experiments.score_slider import Values
from sims.runs.store import Result

NEEDS = ("score_slider",)
SHOWS: tuple[str, ...] = ()
PAGE_ORDER = 4
TITLES = {
    "neighbours": "neighbours",
    "key_bias": "some keys",
    "random": "at random",
    "row_shift": "row shift",
}
ROWS = (
    ("label", "label loss", style.LABELS),
    ("reconstruction", "reconstruction loss", style.RECONSTRUCTION),
)


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """A column per direction, a row per loss; each row has one scale."""
    result = need(results, "score_slider", by="figure score_slider")
    values = Values.from_json(result.values)
    names, arrays = values.directions, result.arrays
    figure, axes = style.panels(2, len(names), width=style.FULL_WIDTH, height=2.9, sharex=True, sharey="row")
    for row, (loss, title, look) in enumerate(ROWS):
        axes[row, 0].set_ylabel(title)
        for column in range(len(names)):
            panel = axes[row, column]
            panel.axvline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
            panel.plot(
                arrays["magnitudes"], arrays[f"{loss}_mean"][column], label=title, **look.line(every=5)
            )
            law = arrays[f"{loss}_theory"][column]
            panel.plot(arrays["magnitudes"], law, label="theory", **style.THEORY.line(markers=False))
    for column, name in enumerate(names):
        style.letter(axes[0, column], "abcd"[column], TITLES[name])
        axes[1, column].set_xlabel("magnitude")
    legend = dict(
        pair[::-1] for panel in axes[:, 0] for pair in zip(*panel.get_legend_handles_labels(), strict=True)
    )
    style.legend_above(figure, list(legend.values()), list(legend))
    return figure


def moved(results: Mapping[str, Result], loss: str, name: str) -> float:
    """Largest minus smallest loss along a direction."""
    result = need(results, "score_slider", by="figure score_slider")
    values = Values.from_json(result.values)
    return float(np.ptp(result.arrays[f"{loss}_mean"][values.directions.index(name)]))


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the ranges of the losses."""
    values = Values.from_json(need(results, "score_slider", by="figure score_slider").values)
    spans = {loss: number(moved(results, loss, "neighbours")) for loss in ("label", "reconstruction")}
    return (
        f"Which loss moves along which direction of the scores. Minimal model, {values.length} tokens on "
        f"a ring. Towards neighbours (a) the label loss spans {spans['label']}, reconstruction "
        f"{spans['reconstruction']}; towards the {values.class_positions} keys that tell the class (b) the label "
        f"loss spans {number(moved(results, 'label', 'key_bias'))}. Drawn scores (c) leave labels without a "
        f"slope at uniform attention, a row shift (d) moves nothing. At magnitude 1 a direction has mean "
        f"square 1. Dashed: the label loss through received attention alone, reconstruction's closed form."
    )
