"""The study of one GPU: four tasks of the paper's kind, each cut to a few calls of ten minutes.

Models, masks, losses and pretraining rates are those of the `amos-*` presets; what is cut or changed is in
`DIFFERS`. Times are estimates (operations over an assumed share of an H100's peak) until steps are measured.
"""

import dataclasses

from full_scale.data.dataset import Inputs
from full_scale.model import ModelConfig
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.studies.presets import tiny
from full_scale.studies.presets.amos import AMOS
from full_scale.studies.presets.preset import Preset, Stage


@dataclasses.dataclass(frozen=True)
class Studied:
    """One task at the study's size."""

    preset: Preset
    steps: int
    """Of every arm, two thirds of them pretraining where there is some."""
    inputs: Inputs
    """What the plan counts with where the data are not there."""


def cut(stage: Stage, batch: int) -> Stage:
    """The stage with warm-up over a tenth of its steps, then a cosine to 0, and another batch."""
    original = stage.optimizer
    optimizer = OptimizerConfig(original.learning_rate, 0.1, original.weight_decay)
    return Stage(optimizer, batch, steps=1)


def studied(name: str, steps: int, batch: int, inputs: Inputs, settings: dict, **model) -> Studied:
    """A task with the model of its `amos-*` preset, apart from `model`: bfloat16, projections drawn apart."""
    base = AMOS[f"amos-{name}"]
    changed = dict(copies="independent", padding_mask=True, precision="bfloat16", **model)
    preset = dataclasses.replace(
        base,
        model=dataclasses.replace(base.model, **changed),
        pretraining=cut(base.pretraining, batch),
        labels=cut(base.labels, batch),
        every=250,
        settings={**base.settings, **settings},
    )
    return Studied(preset, steps, inputs)


_SMALLER = dict(layers=4, width=128, heads=4, hidden=512)
SMOKE = dataclasses.replace(tiny(), model=ModelConfig(1, 8, 2, 16, precision="bfloat16"))
STUDIED: dict[str, Studied] = {
    "image": studied("image", 4500, 128, Inputs(1024, 10, levels=256), {}),
    "pathfinder": studied("pathfinder", 6000, 128, Inputs(1024, 2, levels=256), {}),
    "listops": studied("listops", 6000, 32, Inputs(2000, 10, symbols=18), {}, **_SMALLER),
    "text": studied(
        "text", 4500, 32, Inputs(2048, 2, symbols=257), {"unit": "bytes", "length": 2048}, **_SMALLER
    ),
    "smoke": Studied(SMOKE, 150, Inputs(16, 2, symbols=27)),
}

_REPORTED = {  # test accuracy, percent, Amos et al. 2024; an asterisk: from memory, not checked with it
    "label only (Tay et al. 2021)": ("36.37", "64.27", "42.44", "71.40"),
    "masked SPT": ("59.75*", "89.27*", "74.22*", "88.45*"),
    "causal SPT": ("59.15", "88.81", "76.00", "88.49"),
    "rotary, label only": ("47.90*", "79.08*", "75.04*", "76.64*"),
    "rotary, masked SPT": ("61.49*", "91.02*", "86.04*", "94.16*"),
}
_REPORTED_TASKS = ("listops", "text", "image", "pathfinder")

_ALL = (
    "bfloat16; cosine after a tenth of warm-up (theirs: constant); Q, K, V, O drawn apart (theirs: copies); "
    "padding masked (theirs: attended); far fewer steps; both arms' label rate tuned on validation data"
)
DIFFERS = {
    "image": f"{_ALL}; batch 128 (32, 50)",
    "pathfinder": f"{_ALL}; batch 128 (32); images generated here",
    "listops": f"{_ALL}; 4 layers of width 128 (6 of 512); expressions generated here",
    "text": f"{_ALL}; 4 layers of width 128 (6 of 512); 2,048 bytes (4,096 characters)",
    "smoke": "toy size: its numbers mean nothing",
}


def reported(task: str) -> dict[str, str]:
    """Amos et al.'s figures on a task, by row; none where they have none."""
    if task not in _REPORTED_TASKS:
        return {}
    at = _REPORTED_TASKS.index(task)
    return {name: figures[at] for name, figures in _REPORTED.items()}
