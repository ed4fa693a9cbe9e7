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
    distances = [verdict.worst_z for verdict in verdicts.values() if verdict.worst_z is not None]
    worst = max(distances) if len(distances) == len(verdicts) else None
    farthest = (
        "at worst by more than any spread"
        if worst is None
        else f"at worst {number(worst)} standard errors away"
    )
    if worst == 0:
        farthest = "without any difference"
    where = f"at all {points} points" if inside == points else f"at {inside} of {points} points"
    return f"{subject} lies inside the simulation's 99% band {where}, {farthest}."


def exponents(fits: Mapping[str, Fitted], names: Mapping[str, str], *, digits: int = 3) -> str:
    """`name: a ± b (theory c)` for each fitted exponent, and which lie within one standard error."""
    sentences = [
        f"{name}: {number(fits[key].measured, digits)} ± {number(fits[key].standard_error, 1)} "
        f"(theory {number(fits[key].predicted, digits)})"
        for key, name in names.items()
    ]
    return f"{'; '.join(sentences)}; {agreement({name: fits[key].z for key, name in names.items()})}"


def agreement(distances: Mapping[str, float]) -> str:
    """How many fits lie within one standard error of the theory, and how far the others lie."""
    beyond = {name: z for name, z in distances.items() if z > 1}
    if not beyond:
        return "within one standard error of the theory"
    outside = ", ".join(f"{number(z, 2)} ({name})" for name, z in beyond.items())
    return (
        f"{len(distances) - len(beyond)} of {len(distances)} within one standard error, else {outside} away"
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
