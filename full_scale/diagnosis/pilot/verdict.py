"""The verdict on what the pilot measured; where it saw nothing, on what baselines and neighbours tell."""

from collections.abc import Sequence

from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.held_out import READ_NO_NEIGHBOURS, Answers
from full_scale.diagnosis.pilot import fewer_labels
from full_scale.diagnosis.pilot.remedies import sentence
from full_scale.diagnosis.pilot.sequential import Pilot
from full_scale.diagnosis.verdict import (
    BASELINES,
    Kind,
    PretrainingVerdict,
    best_baseline,
    pretraining_commands,
)
from sims.statistics.intervals import Interval


def judged_by_pilot(
    pilot: Pilot,
    answers: Answers,
    neighbours: Interval,
    thresholds: Thresholds,
    train_command: str,
    too_little: Sequence[str] = (),
) -> PretrainingVerdict:
    """The verdict, its reasons, and the gain: measured, or promised by pairs where neither arm saw anything."""
    floors = answers.floors()
    best = best_baseline(floors, answers, thresholds)
    blind = _is_blind(pilot, floors, thresholds)
    unfound = floors.get("pairs", 0.0) - max(map(pilot.best, pilot.accuracy))
    promised = answers.order()
    kind = (
        "undecided" if too_little else decided(pilot, blind, best, neighbours, thresholds, unfound, promised)
    )
    unmeasured = blind or not pilot.gain.low > thresholds.gain  # type: ignore[operator]
    gain = promised if unmeasured and kind == "pretrain first" else pilot.gain
    reasons = [*too_little, _measured(pilot), _baseline(floors, pilot)]
    if not too_little:
        reasons.append(
            _why(
                kind,
                best if blind else None,
                blind,
                neighbours,
                unfound > 2 * thresholds.reached,
                promised=gain != pilot.gain,
            )
        )
    if pilot.remedies:
        reasons.append(sentence(pilot.remedies, pilot.gain, thresholds.gain))
    if pilot.fewer_labels:
        reasons.append(fewer_labels.sentence(pilot.fewer_labels))
    return PretrainingVerdict(kind, tuple(reasons), gain, advice(kind, train_command, bool(too_little)))


def _is_blind(pilot: Pilot, floors: dict[str, float], thresholds: Thresholds) -> bool:
    """Whether neither arm left a constant guess behind."""
    return max(map(pilot.best, pilot.accuracy)) - floors["constant"] < thresholds.reached


def decided(
    pilot: Pilot, blind: bool, best: str | None, neighbours: Interval, thresholds: Thresholds,
    unfound: float, order: Interval,
) -> Kind:  # fmt: skip
    """The interval above the line: pretrain first; no gain seen and a large one ruled out: no need; else undecided.

    Where neither arm saw anything in so few steps: what wins without attention needs no pretraining; what
    pairs alone tell, attention has to find, and pretraining leads there where neighbours tell of each other.
    `unfound` is what pairs reach above both arms: much of it, and a longer training turns the sign where
    pairs tell far more than what reads none, by `order`.
    """
    if blind and best is None:
        return "neither sees anything"
    if blind and best in READ_NO_NEIGHBOURS:
        return "no need"
    if blind:
        return "pretrain first" if (neighbours.low or 0.0) > 0 else "undecided"
    estimate, low, high = pilot.gain.estimate, pilot.gain.low, pilot.gain.high
    if low > thresholds.gain:  # type: ignore[operator]
        return "pretrain first"
    informative = (neighbours.low or 0.0) > 0 and (order.low or 0.0) > 0
    if unfound > 2 * thresholds.reached and informative and (order.estimate or 0.0) > thresholds.order:
        return "pretrain first"
    ruled_out = high < thresholds.possible  # type: ignore[operator]
    return "no need" if estimate < thresholds.gain and ruled_out else "undecided"  # type: ignore[operator]


def _measured(pilot: Pilot) -> str:
    """What both arms reached."""
    return (
        f"trained small ({pilot.steps} steps of {pilot.batch} sequences, the best of {pilot.runs} runs), labels alone "
        f"reach {pilot.best('labels'):.3f} on held-out sequences; pretraining for half of the steps first, "
        f"{pilot.best('spt'):.3f}"
    )


def _baseline(floors: dict[str, float], pilot: Pilot) -> str:
    """What wins without the model."""
    simple = max(floors, key=lambda each: floors[each])
    wins = simple != "constant" and floors[simple] > max(map(pilot.best, pilot.accuracy))
    return (
        f"without this model, {BASELINES.get(simple, simple.replace('_', ' '))} reaches {floors[simple]:.3f} "
        f"(always answering the most frequent class {floors['constant']:.3f})"
        + (": it wins, and is the one to beat" if wins else "")
    )


def _why(
    kind: Kind, best: str | None, blind: bool, neighbours: Interval, unfound: bool, promised: bool
) -> str:
    """Which cause was seen."""
    informative = (neighbours.low or 0.0) > 0
    hidden = (
        f"a token's left neighbour tells something about it ({neighbours.estimate:.2g} nats), which hidden "
        "tokens teach"
        if informative
        else "neighbours tell nothing about a token beyond how frequent it is: hidden tokens have little to teach"
    )
    if blind and best == "pairs":
        start = "pairs of neighbours tell the classes apart, and labels alone were still on their plateau"
        return f"{start}: what pretraining adds is promised by pairs, not measured; {hidden}"
    if kind == "undecided" and unfound:
        return (
            "pairs of neighbours tell far more than either arm has found so far: in a longer training the sign "
            f"may turn; {hidden}"
        )
    if kind == "pretrain first" and promised:
        return (
            "pairs of neighbours tell far more than either arm has found so far, and than anything that reads "
            f"none: what pretraining adds in a longer training is promised by pairs, not measured; {hidden}"
        )
    return {
        "pretrain first": f"pretraining leads where so many labels do not; {hidden}",
        "no need": "labels alone get as far in as many steps, as well as the pilot can tell",
        "neither sees anything": f"neither arm nor a baseline tells the classes apart; {hidden}",
        "undecided": f"what pretraining changes is smaller than what this pilot can tell; {hidden}",
    }[kind]


def advice(kind: Kind, train_command: str, too_little: bool = False) -> str:
    """What to run next."""
    return {
        "pretrain first": pretraining_commands(train_command),
        "no need": "train on labels alone; to see why, diagnose again with --fits 4",
        "neither sees anything": "diagnose again with --model.positions learned, random-normal or rope",
        "undecided": ("after mending that, " if too_little else "")
        + f"train on labels alone unless points matter; then let training decide: {train_command}; or diagnose "
        "again with --pilot.seeds 5",
    }[kind]
