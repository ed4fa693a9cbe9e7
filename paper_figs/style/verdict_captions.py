"""What captions say of a simulation's verdicts: where the theory lies in the 99% band, and where not."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes

from paper_figs import style
from paper_figs.style.numbers import number
from sims.statistics.bands import BandVerdict
from sims.statistics.exponents import Fitted

Verdicts = Mapping[str, BandVerdict]


def sentence(verdicts: Verdicts) -> str:
    """How many points of the exact theory lie inside, and of what is only to leading order."""
    exact = {name: verdict for name, verdict in verdicts.items() if verdict.exact}
    leading = {name: verdict for name, verdict in verdicts.items() if not verdict.exact}
    sentences = [counted("The theory", exact)] if exact else []
    return " ".join([*sentences, counted("Its leading order", leading)] if leading else sentences)


def counted(subject: str, verdicts: Verdicts) -> str:
    """One sentence on some verdicts together."""
    points = sum(verdict.points for verdict in verdicts.values())
    inside = sum(round(verdict.inside * verdict.points) for verdict in verdicts.values())
    where = f"at all {points} points" if inside == points else f"at {inside} of {points} points"
    return f"{subject} lies inside the simulation's 99% band {where}{_farthest(verdicts)}."


def _farthest(verdicts: Verdicts) -> str:
    """How near its edge the band is reached: bands of few seeds are wide, so standard errors would mislead."""
    if any(verdict.worst_z is None for verdict in verdicts.values()):
        return "; where runs do not differ at all, it lies elsewhere"
    farthest = max(verdict.worst_z / verdict.limit_z for verdict in verdicts.values())  # type: ignore[operator]
    if farthest == 0:
        return ", without any difference"
    share = f"{100 * farthest:.0f}%" if farthest < 1 else f"{number(farthest, 2)} times the way"
    return (
        f"; the farthest point lies {share} {'of the way ' * (farthest < 1)}from the mean to the band's edge"
    )


def exponents(fits: Mapping[str, Fitted], names: Mapping[str, str], *, digits: int = 3) -> str:
    """`name: a [low, high] (theory c)` for each fitted exponent with its 99% interval, and which hold the theory."""
    sentences = [
        f"{name}: {number(fits[key].measured, digits)} [{_end(fits[key], -1, digits)}, {_end(fits[key], 1, digits)}] "
        f"(theory {number(fits[key].predicted, digits)})"
        for key, name in names.items()
    ]
    return f"{'; '.join(sentences)}; {agreement({name: fits[key].inside for key, name in names.items()})}"


def _end(fit: Fitted, side: int, digits: int) -> str:
    return number(fit.measured + side * fit.limit_z * fit.standard_error, digits)


def agreement(inside: Mapping[str, bool]) -> str:
    """How many of the brackets hold the theory, and which do not."""
    outside = [name for name, holds in inside.items() if not holds]
    if not outside:
        return "brackets are 99% intervals over seeds, and " + (
            "it holds the theory" if len(inside) == 1 else "all hold the theory"
        )
    return (
        f"brackets are 99% intervals over seeds; {len(inside) - len(outside)} of {len(inside)} hold the theory, "
        f"not that of {', '.join(outside)}"
    )


def curve(
    axes: Axes,
    at: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    name: str,
    look: style.Look,
    label: str,
    *,
    part: Callable[[np.ndarray], np.ndarray] = lambda array: array,
) -> None:
    """One stored curve: its band, the simulation's mean, and the theory dashed on top."""
    low, high, mean, theory = (part(arrays[f"{name}_{each}"]) for each in ("low", "high", "mean", "theory"))
    style.band(axes, at, low, high, look)
    axes.plot(at, mean, color=look.color, linewidth=style.points(2.2), alpha=0.5)
    axes.plot(at, mean, label=label, **look.line() | {"linestyle": "none"})
    axes.plot(at, theory, zorder=4, **style.THEORY.line(markers=False))


def ratios(
    axes: Axes,
    at: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    curves: Mapping[str, tuple[str, style.Look]],
    *,
    part: Callable[[np.ndarray, str], np.ndarray] = lambda array, key: array,
) -> None:
    """Simulation over theory with the band as error bars, side by side on a logarithmic axis.

    `curves` maps a key to the stored curve's name and its look; `part` cuts the key's part out of it."""
    apart = (at[1] / at[0]) ** 0.09
    for index, (key, (name, look)) in enumerate(curves.items()):
        low, high, mean, theory = (
            part(arrays[f"{name}_{each}"], key) for each in ("low", "high", "mean", "theory")
        )
        beside = at * apart ** (index - (len(curves) - 1) / 2)
        axes.vlines(beside, low / theory, high / theory, color=look.color, linewidth=style.points(1.2))
        axes.plot(beside, mean / theory, **look.line() | {"linestyle": "none"})
    axes.axhline(1.0, zorder=0, **style.THEORY.line(markers=False))
    axes.set_ylabel("over theory")
