"""What the pilot says in plain words: how sure, what it cost, what it will cost."""

from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.pilot.sequential import Pilot, cost_share
from full_scale.model import ModelConfig


def announced(config: DiagnosisConfig, model: ModelConfig, length: int) -> str:
    """What a diagnosis will train, before it does."""
    pilot, parts = config.pilot, []
    if pilot.seeds != 0:
        share = cost_share(pilot, model, length)
        parts.append(
            f"a pilot of both arms, at most {100 * share:.0f}% of the training steps x sequences of both arms "
            f"({pilot.user_steps:,} steps of {pilot.user_batch} sequences each)"
        )
    if config.fits:
        parts.append(f"{config.fits} initialisations of five fits each, which say why")
    return f"trains {' and '.join(parts)}"


def spent(pilot: Pilot) -> str:
    """What the pilot has cost."""
    early = ", stopped when the answer was clear" if pilot.stopped else ""
    return f"{100 * pilot.cost:.0f}% of the steps x sequences of training both arms once{early}"


def runs(pilot: Pilot) -> str:
    """Held-out accuracy of every run, by arm."""
    names = {"labels": "labels alone", "spt": "pretraining first"}
    each = {names.get(arm, arm): values for arm, values in pilot.accuracy.items()}
    return "; ".join(f"{arm} {', '.join(f'{value:.3f}' for value in values)}" for arm, values in each.items())
