"""From numbers to a sentence: should this data set be pretrained on first, and what is that worth?"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.held_out import READ_NO_NEIGHBOURS, Answers
from full_scale.diagnosis.held_out import gain as gain_over_rows
from full_scale.diagnosis.initialisation import VerdictInputs
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval, mean_interval, score_snr
from theory import sequences_needed

Kind = Literal["pretrain first", "no need", "neither sees anything", "undecided"]
PATTERNS = ("uniform", "own", "pattern")  # of attention: none, labels' own, reconstruction's
BASELINES = {
    "constant": "always answering the most frequent class",
    "bag_of_tokens": "counting tokens regardless of order",
    "linear": "a linear model of the tokens at each position",
    "length": "the length alone",
    "pairs": "counting pairs of neighbouring tokens",
}
Numbers = dict[str, Interval | float | None]


@dataclasses.dataclass(frozen=True)
class PretrainingVerdict(Stored):
    """What to do, why, and what it is predicted to be worth."""

    kind: Kind
    """pretrain first; no need; neither sees anything; undecided."""
    reasons: tuple[str, ...]
    """One sentence each."""
    gain: Interval
    """Predicted held-out accuracy that self-pretraining adds to labels alone."""
    advice: str
    """What to run next."""


def gains(fits: Sequence[VerdictInputs], floors: dict[str, float]) -> np.ndarray:
    """Per fit: accuracy with the pattern that reconstruction learns, less the labels' best without it.

    Without: uniform attention, the pattern that labels learn in as many steps, the bag of tokens, a linear
    map (best where fits are cut short).
    """
    simple = max(floors[name] for name in READ_NO_NEIGHBOURS if name in floors)
    alone = np.maximum(reached(fits, "uniform"), reached(fits, "own"))
    return reached(fits, "pattern") - np.maximum(alone, simple)


def reached(fits: Sequence[VerdictInputs], name: str) -> np.ndarray:
    """Held-out accuracy of every fit."""
    return np.array([getattr(fit, f"accuracy_{name}_held_out") for fit in fits])


def _is_informed(fits: Sequence[VerdictInputs], constant: float, thresholds: Thresholds) -> bool:
    """Whether uniform attention tells something about the labels."""
    return bool(reached(fits, "uniform").mean() - constant > thresholds.reached)


def label_share(
    fits: Sequence[VerdictInputs], sequences: int, constant: float, thresholds: Thresholds
) -> float:
    """How well n labels know reconstruction's first step: n SNR / (n SNR + z^2), 0 where they are blind.

    SNR is what independent fits agree on along the pattern. At uniform attention that carries no
    information the label's optimum is a zero head: what a fit shows is then its own noise.   [C16, C19]
    """
    informed = _is_informed(fits, constant, thresholds)
    signal = score_snr(np.array([fit.score_label["expressible"] for fit in fits])).low
    evidence = sequences * max(float(signal or 0.0), 0.0)
    return float(informed) * evidence / (evidence + thresholds.standard_errors**2)


def needed(signal: Interval, thresholds: Thresholds) -> Interval:
    """n* = z^2 / SNR with its interval; None where the signal may be 0.   [C16]"""
    at = lambda snr: float(sequences_needed(snr, thresholds.standard_errors)) if snr and snr > 0 else None
    return Interval(
        at(signal.estimate), at(signal.high), at(signal.low), signal.level, signal.n, signal.method
    )


def judged(
    fits: Sequence[VerdictInputs],
    sequences: int,
    floors: dict[str, float],
    thresholds: Thresholds,
    train_command: str,
    answers: Answers | None = None,
    too_little: Sequence[str] = (),
) -> PretrainingVerdict:
    """The verdict on the evidence of all initialisations.

    Parameters
    ----------
    fits, floors
        What every initialisation measured, and the accuracy of every attention-free baseline.
    sequences
        Training sequences that there are.
    thresholds
        The verdict's thresholds.
    train_command
        The command that trains both arms.
    answers
        Which held-out rows were answered rightly; the gain's interval then counts rows, too. Records of
        earlier studies hold none: theirs is over initialisations alone.
    too_little
        Why nothing can be said, if so.
    """
    gain = mean_interval(gains(fits, floors)) if answers is None else gain_over_rows(answers)
    means = {name: float(reached(fits, name).mean()) for name in PATTERNS}
    best = best_baseline(floors, answers, thresholds)
    kind = "undecided" if too_little else decided(gain, means, floors["constant"], thresholds, best)
    known_share = label_share(fits, sequences, floors["constant"], thresholds)
    blind = max(means.values()) - floors["constant"] < thresholds.reached
    reasons = [
        *too_little,
        *compared(means, floors),
        *why(kind, fits, known_share, thresholds, best if blind else None),
    ]
    return PretrainingVerdict(kind, tuple(reasons), gain, advice(kind, train_command, bool(too_little)))


def best_baseline(floors: dict[str, float], answers: Answers | None, lines: Thresholds) -> str | None:
    """The attention-free baseline with the highest accuracy, if it beats the constant clearly."""
    name = max(floors, key=lambda each: floors[each])
    if floors[name] - floors["constant"] < lines.reached:
        return None
    return name if answers is None or (answers.over(name).low or 0.0) > 0 else None


def decided(
    gain: Interval, means: dict[str, float], constant: float, thresholds: Thresholds, best: str | None
) -> Kind:
    """The rule: no advice to pretrain whose interval holds 0.

    Where the model sees nothing and a baseline does, it is a baseline that reads no neighbours (then what
    wins needs no attention), or pairs (then attention has something to find, and was not seen to find it).
    """
    estimate, low, high = (gain.estimate or 0.0), gain.low, gain.high
    if max(means.values()) - constant < thresholds.reached:
        if best is None:
            return "neither sees anything"
        return "no need" if best in READ_NO_NEIGHBOURS else "undecided"
    if estimate >= thresholds.gain:
        return "pretrain first" if (low or 0.0) > 0 else "undecided"
    return "no need" if high is not None and high < 2 * thresholds.gain else "undecided"


def compared(means: dict[str, float], floors: dict[str, float]) -> list[str]:
    """What the labels reach with each pattern of attention, and what wins."""
    simple = max(floors, key=lambda each: floors[each])
    wins = floors[simple] > max(means.values())
    return [
        "trained on labels with attention switched off (a plain average over all tokens), the model reaches "
        f"{means['uniform']:.3f}; with the one attention pattern that labels learn, {means['own']:.3f}; with "
        f"the one that pretraining on hidden tokens learns, {means['pattern']:.3f}",
        f"without this model, {BASELINES.get(simple, simple.replace('_', ' '))} reaches {floors[simple]:.3f} "
        f"(always answering the most frequent class {floors['constant']:.3f})"
        + (": it wins, and is the one to beat" if wins and simple != "constant" else ""),
    ]


def why(
    kind: Kind, fits: Sequence[VerdictInputs], known_share: float, thresholds: Thresholds, best: str | None
) -> list[str]:
    """The reasons behind a kind; `best` is a baseline that beats the constant where no fit does."""
    if kind == "pretrain first":
        return [
            "labels alone do not get to the accuracy that pretraining's attention pattern gives; this many "
            f"labels determine {100 * known_share:.0f}% of the first step towards it",
        ]
    if kind == "neither sees anything":
        return [_nothing_visible(fits, thresholds)]
    if kind == "no need":
        return ["the attention pattern that pretraining learns adds nothing to what is reached without it"]
    if best is not None:
        return [f"{BASELINES.get(best, best)} tells the classes apart; no fixed attention pattern tried does"]
    return ["the data and the initialisations tried do not settle what the pattern is worth"]


def _nothing_visible(fits: Sequence[VerdictInputs], lines: Thresholds) -> str:
    """Why neither labels nor reconstruction leads to a pattern that helps."""
    mean = lambda name: float(np.mean([fit.snr_reconstruction[name] for fit in fits]))
    top, own = mean("top"), mean("expressible")
    if top > lines.signal and own < lines.expressible * top:
        return (
            f"hidden tokens do pull attention somewhere (signal-to-noise ratio {top:.3g} per sequence), but "
            f"this model's positions can express only {100 * max(own, 0) / top:.0f}% of it: "
            "change the positions"
        )
    if top <= lines.signal:
        return "hidden tokens pull attention nowhere either: add a locality prior or better inputs"
    return (
        "the pattern that hidden tokens lead to is of no use for the labels: add a locality prior, or depth"
    )


def pretraining_commands(train_command: str) -> str:
    """The commands that train, and that end in a file of the pretrained encoder."""
    task = re.search(r" --task \S+", train_command)
    export = f"sptlab export report{task.group() if task else ''} --out encoder"
    return (
        f"train with and without pretraining: {train_command}; then the best pretrained encoder is written as "
        f"safetensors by: {export}"
    )


def advice(kind: Kind, train_command: str, too_little: bool = False) -> str:
    """What to run next."""
    return {
        "pretrain first": pretraining_commands(train_command),
        "no need": f"train on labels alone; to be sure, train with and without pretraining: {train_command}",
        "neither sees anything": "diagnose again with --model.positions learned, random-normal or rope",
        "undecided": ("after mending that, " if too_little else "")
        + f"let training decide: {train_command}; or diagnose again with --fits 8",
    }[kind]
