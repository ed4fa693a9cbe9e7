"""Variants of the Amos presets that fit in ten minutes on one H100: both phases shortened alike, bfloat16.

The estimate is operations over an assumed utilisation, with a floor per step; measure before you rely on it.
"""

import dataclasses

from full_scale.data.dataset import Inputs
from full_scale.objectives.phases import Objective
from full_scale.studies.grids.accounting import cost
from full_scale.studies.presets.amos import AMOS
from full_scale.studies.presets.preset import Preset
from full_scale.tasks.order import DocsOrder
from full_scale.training.trial_config import TrialConfig

PEAK = 989e12  # dense bf16 operations per second of an H100 SXM, NVIDIA's data sheet
SECONDS = 480.0  # of ten minutes; the rest compiles and evaluates
UTILISATION = {64: 0.03, 128: 0.06, 512: 0.25}  # assumed, by width: narrow layers leave the cores idle
FASTEST = 2e-3  # seconds per step below which a small model's launches do not get


CANONICAL = {  # training sequences, and what a model must know of the task
    "amos-listops": (96_000, Inputs(2048, 10, symbols=18)),
    "amos-text": (22_500, Inputs(4096, 2, symbols=135)),
    "amos-retrieval": (147_086, Inputs(4000, 2, symbols=100, pair=True)),
    "amos-image": (45_000, Inputs(1024, 10, levels=256)),
    "amos-pathfinder": (160_000, Inputs(1024, 2, levels=256)),
    "amos-pathx": (160_000, Inputs(16_384, 2, levels=256)),
}


def seconds(preset: Preset, size: int, inputs: Inputs) -> float:
    """Estimated training time of pretraining and labels."""
    rate = UTILISATION[preset.model.width] * PEAK
    objectives: tuple[Objective, Objective] = ("reconstruction", "labels")
    total = 0.0
    for stage, objective in zip((preset.pretraining, preset.labels), objectives, strict=True):
        phase = stage.phase(objective, 1, batch=stage.batch)
        step = cost(TrialConfig(DocsOrder(), preset.model, (phase,), 0, every=1), inputs, phase).total
        total += (stage.epochs or 0) * size / stage.batch * max(FASTEST, step / rate)
    return total


def _in_ten_minutes(name: str) -> Preset:
    """The preset with the epochs of both phases scaled alike, so that pretraining and labels fit."""
    preset, (size, inputs) = AMOS[name], CANONICAL[name]
    scale = min(1.0, SECONDS / seconds(preset, size, inputs))
    shorter = lambda stage: dataclasses.replace(stage, epochs=scale * (stage.epochs or 0))
    return dataclasses.replace(
        preset,
        model=dataclasses.replace(preset.model, precision="bfloat16"),
        pretraining=shorter(preset.pretraining),
        labels=shorter(preset.labels),
        every=250,
        description=f"{preset.description}; ten minutes on an H100, bfloat16",
    )


H100 = {name.replace("amos", "h100-10min"): _in_ten_minutes(name) for name in AMOS}
