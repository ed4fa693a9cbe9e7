"""The finding in one picture: attention before and after self-pretraining, and both arms' learning curves.   [C19]"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from full_scale.stored import need
from full_scale.studies.attention import Values as AttentionValues
from full_scale.studies.tuning import Values as StudyValues
from paper_figs import style
from paper_figs.style.numbers import accuracy, number
from sims.runs.store import Result

NEEDS = ("attention", "study")
SHOWS: tuple[str, ...] = ()
STATES = {"initialisation": "before training", "pretrained": "after self-pretraining"}
_FAINTEST, _STRONGEST = 1 / 4, 16.0  # of uniform attention
_CHANCE = 0.5


def _sharpest_head(results: Mapping[str, Result]) -> int:
    """The head whose attention is nearest to the diagonal after pretraining."""
    return int(np.argmax(_indices(results)["pretrained"]))


def _indices(results: Mapping[str, Result]) -> dict[str, tuple[float, ...]]:
    """The proximity index of each head by state."""
    return AttentionValues.from_json(need(results, "attention", by="figure overview").values).proximity_index


def _map(axes: Axes, results: Mapping[str, Result], state: str) -> AxesImage:
    """One head's mean attention over its uniform value."""
    weights = need(results, "attention", by="figure overview").arrays[f"attention_{state}"]
    relative = weights[_sharpest_head(results)] * weights.shape[-1]
    image = axes.imshow(
        np.maximum(relative, _FAINTEST / 10), cmap=style.POSITIVE, norm=LogNorm(_FAINTEST, _STRONGEST)
    )
    axes.spines[["top", "right"]].set_visible(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set(xlabel="key position")
    return image


def _colour_bar(figure: Figure, image: AxesImage, axes: list[Axes]) -> None:
    """The scale of both maps."""
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=25, extend="both")
    bar.ax.yaxis.set_major_locator(FixedLocator([0.25, 1, 4, 16]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: {0.25: "1/4"}.get(ratio, f"{ratio:g}")))
    bar.set_label("attention over uniform")


def _curves(axes: Axes, results: Mapping[str, Result]) -> None:
    """Validation accuracy of every run, by arm; that of an arm whose head is not trained yet is not drawn."""
    arrays = need(results, "study", by="figure overview").arrays
    steps = arrays["depth1_steps"]
    pretraining = steps[np.isfinite(arrays["depth1_spt_reconstruction_loss"]).all(axis=0)].max()
    for arm, look in style.ARMS.items():
        drawn = steps >= (pretraining if arm == "spt" else 0)
        runs = arrays[f"depth1_{arm}_validation_accuracy"][:, drawn]
        axes.plot(steps[drawn], runs.T, color=look.color, linewidth=style.points(0.5), alpha=0.6)
        every = max(1, int(drawn.sum()) // 6)
        axes.plot(steps[drawn], runs.mean(0), label=style.ARM_NAMES[arm], **look.line(every=every))
    axes.axvspan(0, pretraining, color=style.PRETRAINING, zorder=-1, linewidth=0, label="_")
    axes.axhline(_CHANCE, zorder=0, **style.REFERENCE.line(markers=False))
    axes.set(xlim=(0, steps[-1]), ylim=(0.4, 1.03), xlabel="training steps", ylabel="validation accuracy")
    handles, names = axes.get_legend_handles_labels()
    shade = Patch(facecolor=style.PRETRAINING, edgecolor=style.GREY, linewidth=style.points(0.5))
    axes.legend([*handles, shade], [*names, "SPT's pretraining"], loc="upper left")


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Two attention maps on one logarithmic scale, and the validation accuracy of every run of both arms."""
    figure, axes = style.panels(
        1, 3, width=style.FULL_WIDTH, height=2.25, gridspec_kw={"width_ratios": (1, 1, 1.45)}
    )
    _fill(figure, list(axes[0, :2]), axes[0, 2], results)
    return figure


@style.styled
def draw_narrow(results: Mapping[str, Result]) -> Figure:
    """The same for a phone: the maps stand above the curves."""
    figure, axes = style.panels(2, 2, height=3.6, gridspec_kw={"height_ratios": (1, 1.25)})
    for panel in axes[1]:
        panel.remove()
    _fill(figure, list(axes[0]), figure.add_subplot(axes[0, 0].get_gridspec()[1, :]), results)
    return figure


def _fill(figure: Figure, maps: list[Axes], curves: Axes, results: Mapping[str, Result]) -> None:
    """The panels with their letters and titles."""
    for panel, mark, (state, title) in zip(maps, "ab", STATES.items(), strict=True):
        image = _map(panel, results, state)
        style.letter(panel, mark, title)
    maps[0].set_ylabel("query position")
    _colour_bar(figure, image, maps)
    _curves(curves, results)
    style.letter(curves, "c", "both arms at equal steps")


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with test accuracies and the head that is drawn."""
    runs = len(need(results, "study", by="figure overview").arrays["depth1_spt_validation_accuracy"])
    study = StudyValues.from_json(need(results, "study", by="figure overview").values)
    arms = study.depths["1"].arms
    label, spt = (accuracy(arms[arm].test_accuracy) for arm in ("label_only", "spt"))
    index, head = _indices(results), _sharpest_head(results)
    before, after = (number(index[state][head]) for state in STATES)
    return (
        f"The finding on docs-order, one layer. (a, b) Mean attention of head {head + 1} of one run over its "
        f"uniform value, before training and after self-pretraining: its proximity index goes from {before} to "
        f"{after}. (c) Validation accuracy of {runs} runs of each arm at equal steps; thick lines are means. Test "
        f"accuracy is {label} with labels only and {spt} with SPT first, with 95% t-intervals, "
        "cut at 1."
    )
