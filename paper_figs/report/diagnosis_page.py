"""The page of a diagnosis: verdict, reasons, figures and numbers in one file, from the stored result.

No clock, no script, no address outside the file: the same result gives the same bytes."""

from pathlib import Path

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from full_scale.diagnosis import report
from full_scale.diagnosis.pilot import text
from full_scale.diagnosis.pilot.sequential import Pilot
from full_scale.diagnosis.result import Explained, Values, read
from paper_figs import style
from paper_figs.report.page import FOLDER, environment, picture
from paper_figs.style.heat_maps import colour_bar, signed_map
from sims.runs.store import Result, write_atomic
from sims.statistics.intervals import Interval

LOOKS = {"label": style.LABELS, "reconstruction": style.RECONSTRUCTION}
NAMES = {"label": "labels", "reconstruction": "reconstruction"}
ARMS = {"labels": "labels alone", "spt": "pretraining first"}
ACCURACIES = {
    "uniform": "uniform attention",
    "own": "labels' own pattern",
    "pattern": "reconstruction's pattern",
}
SMALLEST = 1e-5  # SNRs below are drawn here, on a logarithmic axis


def write(result: Result, path: Path) -> Path:
    """Write the page and return its path. Raises StoreError when it cannot be written."""
    write_atomic(path, render(result).encode())
    return path


def render(result: Result) -> str:
    """The page's HTML."""
    values = read(result.values)
    images = {name: picture(figure) for name, figure in figures(values, result.arrays).items()}
    made = environment()
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    css = Markup((FOLDER / "page.css").read_text())
    return made.get_template("diagnosis.html").render(
        name=result.name,
        values=values,
        record=result.record,
        images=images,
        captions=captions(values),
        headline=report.headline(values),
        certainty=report.certainty(values),
        words=report.WORDS,
        spent=text.spent(values.pilot) if values.pilot else "",
        style=css,
    )


def figures(values: Values, arrays: dict[str, np.ndarray]) -> dict[str, Figure]:
    """Of the pilot and of the fits, as far as there are any."""
    drawn = {"pilot": pilot(values.pilot, values.floors)} if values.pilot else {}
    if isinstance(values, Explained):
        drawn |= {"snr": snr_by_offset(values), "maps": maps(arrays), "worth": worth(values)}
    return drawn


@style.styled
def pilot(trained: Pilot, baselines: dict[str, float]) -> Figure:
    """Held-out accuracy of every run of the pilot, beside baselines without attention."""
    figure, axes = style.panels(1, 1, width=style.FULL_WIDTH, height=1.9)
    panel: Axes = axes[0, 0]
    floors = {name.replace("_", " "): value for name, value in baselines.items()}
    mark = style.REFERENCE.line() | {"marker": "|", "markersize": style.points(8.0), "linestyle": ""}
    for row, value in enumerate(floors.values()):
        panel.plot(value, row, **mark)
    arms = trained.accuracy
    for row, (arm, reached) in enumerate(arms.items(), start=len(floors)):
        look = style.LABELS if arm == "labels" else style.RECONSTRUCTION
        panel.plot(reached, [row] * len(reached), **(look.line() | {"linestyle": ""}))
    panel.set_yticks(range(len(floors) + len(arms)), [*floors, *(ARMS.get(arm, arm) for arm in arms)])
    panel.set_xlabel("held-out accuracy")
    return figure


@style.styled
def snr_by_offset(values: Explained) -> Figure:
    """SNR of both losses' score gradients along each distance, with intervals over initialisations."""
    figure, axes = style.panels(1, 1, width=style.FULL_WIDTH, height=2.4)
    panel: Axes = axes[0, 0]
    names, index = values.directions, np.arange(len(values.directions))
    for shift, (loss, look) in zip((-0.12, 0.12), LOOKS.items(), strict=True):
        intervals = values.snr_by_offset[loss]
        at = lambda end, each: max(SMALLEST, getattr(each, end) or 0.0)
        points, low, high = (
            np.array([at(end, each) for each in intervals]) for end in ("estimate", "low", "high")
        )
        panel.vlines(index + shift, low, np.maximum(high, low), color=look.color, linewidth=style.points(1.0))
        panel.plot(index + shift, points, label=NAMES[loss], **(look.line() | {"linestyle": ""}))
    panel.set_yscale("log")
    panel.set_ylabel("SNR per sequence")
    panel.set_xticks(index, names, rotation=45, ha="right")
    style.legend_above(figure, *panel.get_legend_handles_labels())
    return figure


@style.styled
def maps(arrays: dict[str, np.ndarray]) -> Figure:
    """Minus the mean gradient of both losses, the part positions can express, the pattern learned."""
    titles = {
        "descent_label": "labels",
        "descent_reconstruction": "reconstruction",
        "expressible": "expressible",
    }
    figure, axes = style.panels(1, 4, width=style.FULL_WIDTH, height=1.95, sharex=True, sharey=True)
    for panel, mark, (name, title) in zip(axes[0], "abc", titles.items(), strict=False):
        matrix = arrays[name]
        inside = matrix[~np.eye(len(matrix), dtype=bool)]
        signed_map(panel, matrix, float(np.abs(inside).max()) or 1.0)
        style.letter(panel, mark, title)
        panel.set_xlabel("key $j$")
    weights = arrays["attention_reconstruction"] * len(arrays["attention_reconstruction"])
    image = axes[0, 3].imshow(weights, cmap=style.POSITIVE, vmin=0)
    style.letter(axes[0, 3], "d", "its pattern")
    axes[0, 3].set_xlabel("key $j$")
    axes[0, 0].set_ylabel("query $i$")
    colour_bar(figure, image, axes[0, 3:], "over uniform")
    return figure


@style.styled
def worth(values: Explained) -> Figure:
    """Held-out label accuracy by what attention is frozen at; sequences needed against those there are."""
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=1.9)
    numbers, left, right = values.numbers, axes[0, 0], axes[0, 1]
    floors = {name.replace("_", " "): value for name, value in values.floors.items()}
    for row, value in enumerate(floors.values()):
        left.plot(
            value,
            row,
            **(style.REFERENCE.line() | {"marker": "|", "markersize": style.points(8.0), "linestyle": ""}),
        )
    for row, name in enumerate(ACCURACIES, start=len(floors)):
        look = style.RECONSTRUCTION if name == "pattern" else style.LABELS
        interval(left, numbers[f"accuracy_{name}_held_out"], row, look)
    left.set_yticks(range(len(floors) + 3), [*floors, *ACCURACIES.values()])
    left.set_xlabel("held-out accuracy")
    style.letter(left, "a")
    for row, (loss, look) in enumerate(LOOKS.items()):
        interval(right, numbers[f"needed_{loss}"], row, look)
    right.axvline(values.data.sizes["train"], **style.REFERENCE.line(markers=False))
    right.set_xscale("log")
    right.set_ylim(-0.6, 1.6)
    right.set_yticks(range(2), NAMES.values())
    right.set_xlabel("sequences needed; dotted: those there are")
    style.letter(right, "b")
    return figure


def interval(axes: Axes, numbers: Interval, row: int, look: style.Look) -> None:
    """An estimate with its interval; an open end runs on, and without an estimate only the end is drawn."""
    known = [end for end in (numbers.low, numbers.estimate) if end is not None]
    if not known:
        axes.annotate("not known at any number", (0.04, row), xycoords=("axes fraction", "data"), va="center")
        return
    end = 30 * max(known) if numbers.high is None else numbers.high
    axes.hlines(row, known[0], end, color=look.color, linewidth=style.points(1.0))
    if numbers.estimate is not None:
        axes.plot(numbers.estimate, row, **(look.line() | {"linestyle": ""}))


def captions(values: Values) -> dict[str, str]:
    """What each figure shows."""
    fits, near = len(values.fits), values.nearest if isinstance(values, Explained) else None
    return {
        "pilot": "Both arms trained small. Held-out accuracy of every run of the pilot, after equally many "
        "steps; below, models without attention.",
        "snr": "Signal-to-noise ratio per sequence of the score gradients at uniform attention, by distance. "
        "Labels and reconstruction were fitted with attention frozen uniform; bars are 95% intervals over "
        f"{fits} initialisations; proximity is {near}.",
        "maps": "Where descent would move attention. Minus the mean gradient in the scores for labels (a) "
        "and reconstruction (b), the part of (b) that positions can express (c), and the pattern of "
        "attention that reconstruction then learns (d); first layer, heads added (d: averaged), one "
        "initialisation; the scale leaves out the diagonal.",
        "worth": "What the pattern is worth to the labels, and what it takes to see it. (a) Held-out "
        "accuracy with attention uniform, or kept to one pattern for all sequences that labels or "
        "reconstruction learn; below, models without attention. (b) Sequences after which the gradient along "
        "reconstruction's first step is known at three standard errors.",
    }
