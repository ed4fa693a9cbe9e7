"""Predicted against measured: rank correlation, verdicts, thresholds from one half of the tasks."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy import stats

from full_scale.diagnosis.config import Thresholds
from full_scale.diagnosis.verdict import PATTERNS, Kind, judged
from sims.intervals import Interval, mean_interval, proportion_interval
from sims.store import load

WORTH = 0.04  # measured gain in test accuracy from which pretraining was worth it
FOUND = 0.05  # accuracy above a constant guess from which an arm has learned something
RESAMPLES = 4_000
GRID = {"gain": (0.02, 0.04, 0.06, 0.1), "reached": (0.03, 0.05, 0.1)}
MEASURED = ("measured_gain", "accuracy", "rates")
Half = Literal["choose", "test", "fresh"]
Row = dict[str, Any]


def measured(arms: dict[str, Any]) -> Row:
    """What training came to on a task: the gain over seeds, each arm's mean accuracy and its rate."""
    gains = np.array(arms["spt"]["test"]) - np.array(arms["label_only"]["test"])
    reached = {arm: float(np.mean(arms[arm]["test"])) for arm in ("label_only", "spt")}
    return {"measured_gain": mean_interval(gains).as_json(), "accuracy": reached, "rates": arms["rates"]}


def earlier(study: Path | None) -> dict[str, Row]:
    """What an earlier study measured, by task, and what it had predicted."""
    if study is None:
        return {}
    rows: Any = load(study.parent, study.stem).values["rows"]
    said = lambda each: {
        "verdict": each["verdict_chosen"],
        **{name: each[name] for name in ("half", "predicted_gain")},
    }
    return {each["task"]: {**{name: each[name] for name in MEASURED}, "before": said(each)} for each in rows}


def row(name: str, prediction: dict[str, Any], found: Row, half: Half) -> Row:
    """One task: what was predicted, what was measured, what would have been right."""
    gain = Interval.from_json(found["measured_gain"])
    return {
        "task": name,
        "half": half,
        "verdict": prediction["verdict"]["kind"],
        "right": truth(gain, found["accuracy"], prediction["floors"]["constant"]),
        "predicted_gain": prediction["verdict"]["gain"],
        **found,
        "floors": prediction["floors"],
        "commit": prediction["commit"],
        "sequences": prediction["data"]["sizes"]["train"],
        "evidence": [evidence(fit) for fit in prediction["fits"]],
        "snr": {
            loss: prediction["numbers"][f"snr_{loss}_expressible"] for loss in ("label", "reconstruction")
        },
    }


def evidence(fit: dict[str, Any]) -> dict[str, Any]:
    """What a verdict reads of one initialisation."""
    kept = [f"accuracy_{name}_held_out" for name in PATTERNS]
    return {name: fit[name] for name in (*kept, "score_label", "snr_label", "snr_reconstruction")}


def truth(gain: Interval, reached: dict[str, float], constant: float) -> Kind:
    """The verdict that training bears out."""
    if max(reached.values()) - constant < FOUND:
        return "neither sees anything"
    worth = (gain.estimate or 0) >= WORTH and (
        gain.low is None or gain.low > 0 or (gain.estimate or 0) > 2 * WORTH
    )
    return "pretrain first" if worth else "no need"


def summary(rows: list[Row]) -> dict[str, Any]:
    """Correlation over all tasks; thresholds chosen on one half, verdicts on the other; every miss."""
    halves = {half: [r for r in rows if r["half"] == half] for half in get_args(Half)}
    chosen = choose(halves["choose"]) if halves["choose"] else Thresholds()
    scored = {half: share_right(part, chosen).as_json() for half, part in halves.items() if part}
    verdicts = [{**r, "verdict_chosen": verdict_of(r, chosen)} for r in rows]
    return {
        "rows": verdicts,
        "spearman": spearman(pairs(rows)).as_json(),
        "spearman_by_half": {half: spearman(pairs(part)).as_json() for half, part in halves.items() if part},
        "thresholds": dataclasses.asdict(chosen),
        "right": scored,
        "right_as_stored": share_of([r["verdict"] == r["right"] for r in rows]).as_json(),
        "misses": [r["task"] for r in verdicts if r["verdict_chosen"] != r["right"]],
    }


def pairs(rows: Sequence[Row]) -> np.ndarray:
    """Predicted and measured gain of every task."""
    found = [[r["predicted_gain"]["estimate"], r["measured_gain"]["estimate"]] for r in rows]
    return np.array(found, float)


def verdict_of(found: Row, lines: Thresholds) -> Kind:
    """The verdict that these thresholds give on the stored evidence."""
    return judged(found["evidence"], found["sequences"], found["floors"], lines, "").kind


def share_right(rows: Sequence[Row], lines: Thresholds) -> Interval:
    """Share of verdicts that training bears out."""
    return share_of([verdict_of(each, lines) == each["right"] for each in rows])


def share_of(right: list[bool]) -> Interval:
    """A share with its Clopper-Pearson interval."""
    return proportion_interval(sum(right), len(right))


def choose(rows: Sequence[Row]) -> Thresholds:
    """The grid's thresholds with most verdicts right; among equals those nearest the defaults."""
    default = Thresholds()
    options = [
        dataclasses.replace(default, **dict(zip(GRID, values, strict=True)))
        for values in itertools.product(*GRID.values())
    ]
    distance = lambda lines: sum(abs(np.log(getattr(lines, n) / getattr(default, n))) for n in GRID)
    return max(options, key=lambda lines: (share_right(rows, lines).estimate or 0, -distance(lines)))


def spearman(pairs: np.ndarray, level: float = 0.95) -> Interval:
    """Rank correlation of two columns with a percentile bootstrap over rows."""
    if len(pairs) < 3 or np.ptp(pairs, axis=0).min() == 0:
        return Interval(None, None, None, level, len(pairs), "too few tasks that differ")
    rows = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    found = rank_correlations(pairs[rows])
    low, high = np.quantile(found[np.isfinite(found)], [(1 - level) / 2, (1 + level) / 2])
    estimate = float(rank_correlations(pairs[None])[0])
    return Interval(estimate, float(low), float(high), level, len(pairs), "Spearman, bootstrap over tasks")


def rank_correlations(samples: Float[np.ndarray, "sample n 2"]) -> Float[np.ndarray, " sample"]:
    """Spearman's rho of every sample of pairs; not a number where a column does not vary."""
    ranks = stats.rankdata(samples, axis=1)
    off = ranks - ranks.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return off.prod(axis=2).sum(axis=1) / np.sqrt((off**2).sum(axis=1).prod(axis=1))


def table(values: Any) -> str:
    """One line per task, then how well it went."""
    mark = lambda found: "     ?" if found["estimate"] is None else f"{found['estimate']:6.3f}"
    lines = [
        "task                    half    verdict                right                  predicted measured"
    ]
    for each in values["rows"]:
        miss = "" if each["verdict_chosen"] == each["right"] else "  MISS"
        lines.append(
            f"{each['task']:23} {each['half']:7} {each['verdict_chosen']:22} {each['right']:22} "
            f"{mark(each['predicted_gain'])}    {mark(each['measured_gain'])}{miss}"
        )
    rank = values["spearman"]
    lines.append(f"rank correlation {rank['estimate']} [{rank['low']}, {rank['high']}]")
    lines.append(f"thresholds {values['thresholds']}")
    lines += [
        f"{half}: {part['estimate']:.2f} of {part['n']} right" for half, part in values["right"].items()
    ]
    return "\n".join([*lines, *(f"missing {name}: {why}" for name, why in values["missing"].items())])
