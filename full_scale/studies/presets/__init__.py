"""The presets by name: smoke (seconds), cpu (minutes), amos-* (the paper's), h100-10min-* (shortened)."""

from full_scale.model import ModelConfig
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.studies.presets.amos import AMOS
from full_scale.studies.presets.h100 import H100
from full_scale.studies.presets.preset import Preset, Stage
from full_scale.studies.settings import chosen
from sims.cli.names import nearest
from sims.runs.store import UserError


def small(task: str, layers: int = 1) -> Preset:
    """The size of the CPU: 64 tokens, 3,000 steps, settings of `sptlab study tuning` where it swept."""
    best = chosen(task if task in ("docs-order", "digits") else "docs-order", layers)
    spt, alone = (OptimizerConfig(best[arm].learning_rate, best[arm].warmup) for arm in ("spt", "label_only"))
    return Preset(
        task,
        ModelConfig(layers),
        pretraining=Stage(spt, 50, steps=2000),
        labels=Stage(spt, 50, steps=1000),
        label_only=alone,
        every=50,
        description="letters in order or permuted, 64 tokens: one layer of width 32, minutes on two cores",
    )


def tiny() -> Preset:
    """Seconds, to see that all runs."""
    stage = Stage(OptimizerConfig(1e-2), 8, steps=50)
    return Preset(
        "docs-order",
        ModelConfig(1, 8, 2, 16),
        pretraining=stage,
        labels=stage,
        every=25,
        settings={"length": 16},
        description="all that runs, at toy size, in seconds: its numbers mean nothing",
    )


PRESETS: dict[str, Preset] = {"smoke": tiny(), "cpu": small("docs-order"), **AMOS, **H100}


def preset_named(name: str) -> Preset:
    """A preset by name. Raises UserError with the nearest one."""
    if name not in PRESETS:
        raise UserError(f"expected a preset among {', '.join(PRESETS)}: got {name}{nearest(name, PRESETS)}")
    return PRESETS[name]


__all__ = ["PRESETS", "preset_named", "small", "tiny"]
