"""From numbers to a sentence: should this data set be pretrained on first, and what is that worth?"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from full_scale.diagnosis.config import Thresholds
from sims.intervals import Interval, mean_interval, score_snr
from theory import sequences_needed

Kind = Literal["pretrain first", "no need", "neither sees anything", "undecided"]
PATTERNS = ("uniform", "own", "pattern")  # of attention: none, labels' own, reconstruction's
WITHOUT = ("constant", "bag_of_tokens", "linear", "length")  # floors that read no neighbours
Numbers = dict[str, Interval | float | None]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What to do, why, and what it is predicted to be worth."""

    kind: Kind
    """pretrain first; no need; neither sees anything; undecided."""
    reasons: tuple[str, ...]
    """One sentence each."""
    gain: Interval
    """Predicted held-out accuracy that self-pretraining adds to labels alone."""
    advice: str
    """What to run next."""


def gains(fits: Sequence[dict[str, Any]], floors: dict[str, float]) -> np.ndarray:
    """Per fit: accuracy with the pattern that reconstruction learns, less the labels' best without it.

    Without: uniform attention, the pattern that labels learn in as many steps, the bag of tokens, a linear
    map (best where fits are cut short).
    """
    simple = max(floors[name] for name in WITHOUT if name in floors)
    alone = np.maximum(reached(fits, "uniform"), reached(fits, "own"))
    return reached(fits, "pattern") - np.maximum(alone, simple)


def reached(fits: Sequence[dict[str, Any]], name: str) -> np.ndarray:
    """Held-out accuracy of every fit."""
    return np.array([fit[f"accuracy_{name}_held_out"] for fit in fits])


def is_informed(fits: Sequence[dict[str, Any]], constant: float, lines: Thresholds) -> bool:
    """Whether uniform attention tells something about the labels."""
    return bool(reached(fits, "uniform").mean() - constant > lines.reached)


def label_share(fits: Sequence[dict[str, Any]], sequences: int, constant: float, lines: Thresholds) -> float:
    """How well n labels know reconstruction's first step: n SNR / (n SNR + z^2), 0 where they are blind.

    SNR is what independent fits agree on along the pattern. At uniform attention that carries no
    information the label's optimum is a zero head: what a fit shows is then its own noise.   [C16, C19]
    """
    informed = is_informed(fits, constant, lines)
    signal = score_snr(np.array([fit["score_label"]["expressible"] for fit in fits])).low
    evidence = sequences * max(float(signal or 0.0), 0.0)
    return float(informed) * evidence / (evidence + lines.standard_errors**2)


def needed(signal: Interval, lines: Thresholds) -> Interval:
    """n* = z^2 / SNR with its interval; None where the signal may be 0.   [C16]"""
    at = lambda snr: float(sequences_needed(snr, lines.standard_errors)) if snr and snr > 0 else None
    return Interval(
        at(signal.estimate), at(signal.high), at(signal.low), signal.level, signal.n, signal.method
    )


def judged(
    fits: Sequence[dict[str, Any]], sequences: int, floors: dict[str, float], lines: Thresholds, again: str
) -> Verdict:
    """The verdict on the evidence of all initialisations; `again` is the command that trains both arms."""
    constant = floors["constant"]
    gain = mean_interval(gains(fits, floors))
    means = {name: float(reached(fits, name).mean()) for name in PATTERNS}
    kind = decided(gain, means, constant, lines)
    reasons = [
        f"at uniform attention labels reach {means['uniform']:.3f} (a constant guess {constant:.3f}); with "
        f"one pattern of attention for all sequences, {means['own']:.3f} where labels learn it and "
        f"{means['pattern']:.3f} where reconstruction does; a linear map of all positions, "
        f"{floors.get('linear', constant):.3f}",
        *why(kind, fits, label_share(fits, sequences, constant, lines), lines),
    ]
    return Verdict(kind, tuple(reasons), gain, advice(kind, again))


def decided(gain: Interval, means: dict[str, float], constant: float, lines: Thresholds) -> Kind:
    """The rule; a gain twice as large as asked for counts also where initialisations differ."""
    estimate, low, high = (gain.estimate or 0.0), gain.low, gain.high
    if max(means.values()) - constant < lines.reached:
        return "neither sees anything"
    if estimate >= lines.gain:
        return "pretrain first" if estimate > 2 * lines.gain or (low or 0.0) > 0 else "undecided"
    return "no need" if high is not None and high < 2 * lines.gain else "undecided"


def why(kind: Kind, fits: Sequence[dict[str, Any]], seen: float, lines: Thresholds) -> list[str]:
    """The reasons behind a kind, after the accuracies."""
    mean = lambda loss, name: float(np.mean([fit[f"snr_{loss}"][name] for fit in fits]))
    top, own = mean("reconstruction", "top"), mean("reconstruction", "expressible")
    if kind == "pretrain first":
        return [
            "labels alone do not reach what reconstruction's pattern is worth, and know "
            f"{100 * seen:.0f}% of its first step with this many sequences",
        ]
    if kind == "neither sees anything":
        if top > lines.signal and own < lines.expressible * top:
            return [
                f"reconstruction does see a pattern (SNR {top:.3g} per sequence), but positions can "
                f"express only {100 * max(own, 0) / top:.0f}% of its signal: change the positions"
            ]
        if top <= lines.signal:
            return ["reconstruction sees no pattern either: add a locality prior or better inputs"]
        return ["reconstruction's pattern is of no use for the labels: add a locality prior, or depth"]
    if kind == "no need":
        return ["reconstruction's pattern adds nothing to what labels reach without it"]
    return ["the initialisations disagree on what the pattern is worth: use more --fits or more data"]


def advice(kind: Kind, again: str) -> str:
    """What to run next."""
    return {
        "pretrain first": f"train both arms: {again}",
        "no need": f"train on labels alone; to be sure, both arms: {again}",
        "neither sees anything": "diagnose again with other --model.positions: learned, random-normal, rope",
        "undecided": f"diagnose again with --config.fits 8; or let both arms decide: {again}",
    }[kind]
