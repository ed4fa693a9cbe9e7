"""How long labels stay on their plateau, over length, scale and optimiser.   [C20]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.stored import need
from paper_figs import style
from paper_figs.style import verdict_captions
from paper_figs.style.numbers import MINUS, estimate, number
from sims.experiments.escape import Values
from sims.runs.store import Result

NEEDS = ("escape",)
SHOWS = ("C20",)
LOSSES = (("label", "labels", style.LABELS), ("hidden", "reconstruction", style.RECONSTRUCTION))
RULES = (
    ("flow", "gradient descent", style.LABELS),
    ("sgd", "on batches", style.LEVELS[2]),
    ("adam", "Adam on batches", style.LEVELS[1]),
    ("sign_whole", "sign descent", style.LEVELS[3]),
)


def _over_length(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    lengths = arrays["lengths"]
    for loss, name, look in LOSSES:
        predicted = arrays[f"length_{loss}_predicted"].mean(axis=0)
        low, high = (arrays[f"length_{loss}_{end}"] * predicted for end in ("low", "high"))
        style.band(axes, lengths, low, high, look)
        measured = arrays[f"length_{loss}_mean"] * predicted
        axes.plot(lengths, measured, label=name, **look.line() | {"linestyle": "none"})
        axes.plot(lengths, predicted, zorder=4, **style.THEORY.line(markers=False))
    axes.set(xscale="log", yscale="log", xlabel="tokens per sequence $L$", ylabel="time to leave")
    axes.set_xticks(lengths, [str(length) for length in lengths])
    axes.minorticks_off()
    axes.legend(loc="lower right")


def _over_scale(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    scales = arrays["scales"]
    for rule, name, look in RULES:
        axes.plot(scales, arrays[f"{rule}_times"].mean(axis=0), label=name, **look.line())
        if f"{rule}_predicted" in arrays:
            predicted = arrays[f"{rule}_predicted"].mean(axis=0)
            axes.plot(scales, predicted, zorder=4, **style.THEORY.line(markers=False))
            low, high = (arrays[f"scale_{rule}_{end}"] * predicted for end in ("low", "high"))
            style.band(axes, scales, low, high, look)
    axes.set(xscale="log", yscale="log", xlabel="initial scores", ylabel="steps to leave")
    axes.set_ylim(top=15 * arrays["flow_times"].mean())
    axes.legend(loc="upper right", ncols=2, columnspacing=0.6, handletextpad=0.3, handlelength=1.1)


def _speed(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    batches = arrays["batches"]
    verdict_captions.curve(axes, batches, arrays, "sign_speed", style.MEASUREMENT, "classes differ")
    verdict_captions.curve(axes, batches, arrays, "sign_speed_blind", style.CONTROL, "classes alike")
    axes.set(xscale="log", xlabel="batch size", ylabel="speed of sign descent")
    axes.set_xticks(batches, [str(batch) for batch in batches])
    axes.minorticks_off()
    axes.plot([], [], label="theory", **style.THEORY.line(markers=False))
    axes.legend(loc="center right")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Times over L, steps over scale by optimiser, speed of sign descent over batch size."""
    arrays = need(results, "escape", by="figure escape").arrays
    figure, axes = style.panels(
        1, 3, width=style.FULL_WIDTH, height=2.5, gridspec_kw={"width_ratios": [1, 1.4, 1]}
    )
    parts = ((_over_length, "length"), (_over_scale, "scale and optimiser"), (_speed, "rescaled steps"))
    for column, (part, title) in enumerate(parts):
        part(axes[0, column], arrays)
        style.letter(axes[0, column], "abc"[column], title)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with the exponents, the ratio of the clocks, and what Adam does."""
    result = need(results, "escape", by="figure escape")
    values = Values.from_json(result.values)
    steps = {rule: number(float(result.arrays[f"{rule}_times"].mean())) for rule in ("flow", "sgd", "adam")}
    names = {
        "early": "labels' early time",
        "label": "all of it",
        "hidden": "reconstruction's",
        "growth": "rate",
    }
    fits = verdict_captions.exponents(values.length_exponents, names, digits=5)
    first = number(values.first_order_gap_exponent)
    second = number(values.second_order_delay_exponent)
    return (
        "Escape from the plateau. Labels of ordered against permuted sequences, from a zero head and small "
        "random scores: (a) gradient flow, time until scores have grown to a fixed size, labels and "
        "reconstruction; (b) steps by optimiser over the scale of initial scores; (c) speed of sign descent "
        f"along the way out. {verdict_captions.sentence(values.inside)} Leading order are reconstruction's "
        f"first-order time (its gap falls with the size as a power of {first}), labels' time to the full "
        f"size (its delay falls as a power of {second}; to a twentieth of the size it is exact), sign "
        "descent's steps and speed. Labels need "
        f"{estimate(values.labels_over_reconstruction[-1])} times as long as "
        f"reconstruction at the largest L. Exponents in L, of {result.arrays['flow_times'].shape[0]} seeds: "
        f"{fits}. The rate's leading law, {MINUS}2, is for longer sequences. Steps: {steps['flow']} for "
        f"gradient descent, {steps['sgd']} on batches, {steps['adam']} for Adam, which does not feel the "
        "scale, and stays blind where classes are alike."
    )
