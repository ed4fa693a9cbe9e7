"""What may do instead of pretraining, as further arms of the pilot, side by side and with what each costs."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from full_scale.data.dataset import Dataset
from full_scale.diagnosis.pilot.gain import measured_gain
from full_scale.diagnosis.pilot.runs import Arm, Plan, Trained, run
from full_scale.model import ModelConfig
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

_LABELS: Arm = "labels"
REMEDIES: dict[str, tuple[Arm, dict[str, Any]]] = {
    "mimetic": (_LABELS, {"copies": "mimetic"}),
    "alibi": (_LABELS, {"positions": "alibi"}),
    "rope": (_LABELS, {"positions": "rope"}),
    "joint": ("joint", {}),
    "blocks": ("blocks", {}),
    "channels": ("channels", {}),
}
"""Arm and changes of the model."""
_BY_COST = ("mimetic", "alibi", "rope", "joint", "spt", "blocks", "channels")
"""The cheapest to change and to train first."""
WORDS = {
    "mimetic": "weights that begin as trained ones look (--model.copies mimetic)",
    "alibi": "a linear bias towards neighbours (--model.positions alibi)",
    "rope": "rotary positions (--model.positions rope)",
    "joint": "labels and hidden tokens at once, in one phase",
    "spt": "pretraining on hidden tokens first",
    "blocks": "pretraining on hidden blocks of tokens first (--mask blocks)",
    "channels": "pretraining on whole hidden channels first (--mask channels)",
}


@dataclasses.dataclass(frozen=True)
class Remedy(Stored):
    """One arm beside labels alone."""

    name: str
    """Key of `WORDS`."""
    gain: Interval
    """Held-out accuracy that it adds to labels alone, over the same rows and initialisations."""
    accuracy: tuple[float, ...]
    """Held-out accuracy of every run."""


def remedies(
    dataset: Dataset, model: ModelConfig, plan: Plan, trained: Sequence[Trained],
    report: Callable[[int], None] = lambda steps: None,
) -> tuple[Remedy, ...]:  # fmt: skip
    """Every remedy that model and data allow, from the initialisations and at the rate of labels alone's best."""
    alone = [each for each in trained if each.arm == _LABELS]
    rate = max(alone, key=lambda each: each.accuracy).rate
    same = [each for each in alone if each.rate == rate]
    made = []
    for name, (arm, changes) in REMEDIES.items():
        if not _applies(arm, changes, dataset, model):
            report(plan.steps * len(same))
            continue
        changed = dataclasses.replace(model, **changes)
        runs = [run(arm, dataset, changed, plan, each.seed, rate, name=name, report=report) for each in same]
        gain = measured_gain(*(np.stack([each.right for each in some]) for some in (same, runs)))
        made.append(Remedy(name, gain, tuple(each.accuracy for each in runs)))
    return tuple(made)


def _applies(arm: Arm, changes: dict[str, Any], dataset: Dataset, model: ModelConfig) -> bool:
    """Whether the model lacks it, and the data have what it hides."""
    if arm == "blocks":
        return not model.causal
    if arm == "channels":
        return not model.causal and dataset.symbols is None and dataset.inputs.channels > 1
    return not (changes and changes.items() <= dataclasses.asdict(model).items())


def cheapest(tried: Sequence[Remedy], spt: Interval, line: float) -> str | None:
    """The first, by cost, whose gain lies above the line with its whole interval; None: none does."""
    known = {each.name: each.gain for each in tried} | {"spt": spt}
    works = (name for name in _BY_COST if name in known and (known[name].low or 0.0) > line)
    return next(works, None)


def sentence(tried: Sequence[Remedy], spt: Interval, line: float) -> str:
    """What works at the least cost, among the reasons of a verdict."""
    name = cheapest(tried, spt, line)
    if name is None:
        return f"of the remedies tried none is known to add more than {100 * line:.0f} points to labels alone"
    return f"the cheapest that works in the pilot: {WORDS[name]}"
