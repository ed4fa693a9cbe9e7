"""The plateau of a trainable layer, approached and left.   [C19, C20]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import estimate, number
from sims.experiments.plateau import Values
from sims.runs.store import Result

NEEDS = ("plateau",)
SHOWS = ("C19",)


def _approach(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    times, middle = arrays["times"], arrays["frozen_label_mean"].shape[0] // 2
    row = lambda array: array[middle]
    largest = arrays["frozen_hidden_theory"][middle].max()
    share = lambda array: array[middle] / largest
    verdict_captions.curve(
        axes, times, arrays, "frozen_hidden", style.RECONSTRUCTION, "reconstruction", part=share
    )
    verdict_captions.curve(axes, times, arrays, "frozen_label", style.LABELS, "labels", part=row)
    axes.plot([], [], label="theory", **style.THEORY.line(markers=False))
    axes.set(xlabel="time (learning rate × steps)", ylabel="score gradient, share of largest")


def _escape(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    ends = []
    for name, title, look in (("left", "scores", style.MEASUREMENT), ("fell", "loss", style.LABELS)):
        predicted, measured = arrays[f"{name}_predicted"].ravel(), arrays[name].ravel()
        axes.plot(predicted, measured, label=title, alpha=0.6, **look.line() | {"linestyle": "none"})
        ends += [predicted.min(), predicted.max()]
    line = np.array([min(ends), max(ends)])
    axes.plot(line, line, zorder=4, label="equal", **style.THEORY.line(markers=False))
    axes.set(xscale="log", yscale="log", xlabel="predicted plateau (steps)", ylabel="measured (steps)")
    axes.legend(loc="upper left")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Gradients with attention frozen; measured against predicted plateau length."""
    arrays = need(results, "plateau", by="figure plateau").arrays
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.7)
    _approach(axes[0, 0], arrays)
    axes[0, 0].legend(loc="lower right")
    style.letter(axes[0, 0], "a", "attention frozen")
    _escape(axes[0, 1], arrays)
    style.letter(axes[0, 1], "b", "everything trains")
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the ratios of measured to predicted length."""
    result = need(results, "plateau", by="figure plateau")
    values = Values.from_json(result.values)
    scores, loss = estimate(values.plateau_time), estimate(values.plateau_time_of_loss)
    settings, seeds = result.arrays["left_mean"].size, result.arrays["left"].shape[0]
    return (
        "A plateau, predicted. A residual layer with tanh features on ordered against permuted rings: (a) "
        "attention frozen, the label's score gradient decays with its head while reconstruction's settles; "
        "(b) released from there with small random scores, all parameters training, steps until the scores "
        f"and until the loss have left, over {settings} settings of contrast, scale and learning rate and "
        f"{seeds} seeds. {verdict_captions.sentence(values.inside)} Leading order are the decay, first order in "
        "the head, and the loss's plateau, to whose end the second-order law is extrapolated. Measured "
        f"over predicted: {scores} for scores, {loss}"
        f" for the loss; the longest plateau is {number(values.longest_over_shortest_plateau)} times the "
        "shortest."
    )
