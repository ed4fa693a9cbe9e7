"""Accuracy and SPT's gain over the number of labels, where pretraining reads every sequence.   [C19]"""

import dataclasses
from collections.abc import Callable, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from full_scale.stored import need
from full_scale.studies.paper import SizeTable, Values
from paper_figs import style
from paper_figs.style import arms
from paper_figs.style.numbers import estimate, within
from sims.runs.store import Result
from sims.statistics.intervals import Interval

NEEDS = ("paper",)
SHOWS: tuple[str, ...] = ()
_LOOKS = {
    "label_only": style.LABELS,
    "label_only_decayed": dataclasses.replace(style.LABELS, linestyle=":", filled=False),
    "both": style.Look(style.ORANGE, "--", "D", filled=False),
    "spt": style.RECONSTRUCTION,
    "spt_longer": dataclasses.replace(style.RECONSTRUCTION, linestyle=":", filled=False),
}
_APART = 1.06  # factor between the marks of two curves
_END, _BEST = style.RECONSTRUCTION, style.Look(style.RECONSTRUCTION.color, ":", "s", filled=False)


def is_shown_by(results: Mapping[str, Result]) -> bool:
    """Whether the study holds sizes with few labels."""
    return bool(_by_labels(results)[1])


def _by_labels(results: Mapping[str, Result]) -> tuple[Values, dict[int, SizeTable]]:
    """The study, and the tables of one task by their number of labels; few first."""
    values = Values.from_json(need(results, "paper", by="figure few_labels").values)
    tables = [table for table in values.sizes.values() if table.labelled and table.best]
    first = {table.labelled or 0: table for table in tables if table.task == tables[0].task}
    return values, dict(sorted(first.items()))


def _curve(
    axes: Axes,
    tables: Mapping[int, SizeTable],
    of: Callable[[SizeTable], Interval | None],
    look: style.Look,
    at: float,
) -> None:
    """Estimates with their intervals over the number of labels, moved aside by `at`."""
    shown_at = {number * _APART**at: value for number, table in tables.items() if (value := of(table))}
    for x, each in shown_at.items():
        axes.vlines(x, each.low, each.high, color=look.color, linewidth=style.points(1.0))
    axes.plot(list(shown_at), [each.estimate for each in shown_at.values()], **look.line())


@style.styled
def draw(results: Mapping[str, Result]) -> Figure:
    """Accuracies at the best evaluation, and gains there and at the end."""
    _, tables = _by_labels(results)
    figure, axes = style.panels(1, 2, width=style.FULL_WIDTH, height=2.6)
    present = [arm for arm in _LOOKS if all(arm in (table.best or ()) for table in tables.values())]
    for index, arm in enumerate(present):
        look, at = _LOOKS[arm], index - (len(present) - 1) / 2
        _curve(axes[0, 0], tables, lambda table: within((table.best or {})[arm]), look, at)  # noqa: B023
        axes[0, 0].plot([], [], label=arms.words(arm), **look.line())
    gains = axes[0, 1]
    gains.axhline(0.0, zorder=0, **style.REFERENCE.line(markers=False))
    _curve(gains, tables, lambda table: table.grid.shares.gain, _END, 0.0)
    _curve(gains, tables, lambda table: table.best_gain, _BEST, 1.0)
    gains.plot([], [], label="after the last step (test)", **_END.line())
    gains.plot([], [], label="at best evaluations (validation)", **_BEST.line())
    for panel, mark, title in zip(axes[0], "ab", ("best evaluation", "SPT minus labels only"), strict=True):
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(FixedLocator(list(tables)))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_xticklabels([f"{number:,}" for number in tables])
        panel.set_xlabel("labelled training sequences")
        style.letter(panel, mark, title)
    axes[0, 0].set_ylabel("validation accuracy")
    gains.set_ylabel("gain in accuracy")
    for panel in axes[0]:
        panel.legend(fontsize=style.venue().small)
    return figure


def caption(results: Mapping[str, Result]) -> str:
    """What is shown, with every gain."""
    values, tables = _by_labels(results)
    sentences = [
        f"{number:,} labels: {estimate(table.grid.shares.gain)} after the last step and "
        f"{estimate(table.best_gain)} at the best evaluations, predicted "
        f"{estimate(values.predictions[f'{table.task} {table.size}'].numbers['gain'])}"
        for number, table in tables.items()
    ]
    one = next(iter(tables.values()))
    return (
        f"Few labels, on {one.task} {one.size.partition(',')[0]}. So many training sequences keep their label; labels "
        f"alone see only them, pretraining reads all. (a) Validation accuracy of every arm at each run's best "
        f"evaluation, what stopping early would reach. (b) Gain of SPT at equal steps "
        f"({one.grid.arms['label_only'].steps:,}). Means with 95% t-intervals over "
        f"{arms.seeds({table.size: table.grid for table in tables.values()})}. "
        f"{'; '.join(sentences)}."
    )
