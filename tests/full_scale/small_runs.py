"""Runs small enough for tests: what they are, not what they show."""

from full_scale.model import ModelConfig
from full_scale.tasks import DocsOrder
from full_scale.training.train import OptimizerConfig, Phase
from full_scale.training.trial import TrialConfig

MODEL = ModelConfig(layers=1, width=8, heads=2, hidden=8)
DATA = DocsOrder(length=16)
FAST = OptimizerConfig(learning_rate=1e-2)


def small_trial(seed: int = 0, steps: int = 20) -> TrialConfig:
    """Reconstruction, then labels."""
    phases = (Phase("reconstruction", steps, FAST), Phase("labels", steps, FAST))
    return TrialConfig(DATA, MODEL, phases, seed, batch=8, every=5, snapshots=2)
