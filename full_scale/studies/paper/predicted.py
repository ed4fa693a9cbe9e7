"""What theory says of a task before anything trains: the diagnosis's fits at frozen attention, and its verdict.

Reconstruction hides half of the positions there, whatever the study's ratio.   [C16, C19, C20, C24]
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jax

from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig
from full_scale.diagnosis.diagnose import diagnose
from full_scale.diagnosis.result import Explained, Values
from full_scale.model import ModelConfig
from full_scale.tasks.task import Task, load
from sims.runs import store
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

_VISIBLE = 0.05  # accuracy above a constant guess, at uniform attention, from which labels are not blind
NUMBERS = (
    "gain", "visible_share_label", "visible_share_reconstruction", "snr_label_nearest",
    "snr_reconstruction_nearest", "snr_label_expressible", "snr_reconstruction_expressible",
    "accuracy_uniform_held_out", "accuracy_own_held_out", "accuracy_pattern_held_out", "plateau_ratio",
)  # fmt: skip
Report = Callable[[float, float], None]


@dataclasses.dataclass(frozen=True)
class Made:
    """What decides a prediction."""

    task: Task
    model: ModelConfig
    diagnosis: DiagnosisConfig


@dataclasses.dataclass(frozen=True)
class Prediction(Stored):
    """One task at one size, as it was predicted."""

    verdict: str
    """pretrain first; no need; neither sees anything; undecided."""
    numbers: dict[str, Interval]
    """Over initialisations; `gain` is the accuracy that pretraining is to add."""
    label_share: float
    """How well labels know the first step towards reconstruction's pattern, from 0 to 1."""
    blind: bool
    """Whether labels see nothing at uniform attention: a plateau is predicted for labels alone."""
    nearest: str
    """The direction that is proximity: lag 1, or an image's four neighbours."""
    lag: int
    """The distance at which reconstruction's expressible descent is largest."""
    offset: tuple[int, int] | None
    """Of images: (rows, columns) of that distance."""
    snr_by_offset: dict[str, Interval]
    """Of reconstruction, by distance."""
    floors: dict[str, float]
    """Held-out accuracy without attention."""
    commit: dict[str, str | bool | None]
    """What predicted it."""


def predicted(
    name: str,
    task: Task,
    model: ModelConfig,
    fits: int,
    steps: int,
    folder: Path,
    *,
    seed: int,
    command: str,
    report: Report | None,
) -> Prediction:
    """The stored prediction, or a new one; what is stored is never made again, whatever changes in the code."""
    how = DiagnosisConfig(fits=fits, steps=steps, pilot=PilotConfig(seeds=0))

    def compute() -> tuple[Values, dict]:
        diagnosed = diagnose(
            load(task), model, how, key=jax.random.key(seed), folder=folder / "fits", report=report,
            command=command,
        )  # fmt: skip
        return diagnosed.values, diagnosed.arrays

    made = Made(task, model, how)
    stored = store.stage(folder, name, made, compute, command=command, seed=seed, code=())
    return _prediction(Explained.from_json(stored.values), stored.record["commit"])  # type: ignore[arg-type]


def _prediction(diagnosed: Explained, commit: dict[str, str | bool | None]) -> Prediction:
    uniform = diagnosed.numbers["accuracy_uniform_held_out"].estimate or 0.0
    return Prediction(
        verdict=diagnosed.verdict.kind,
        numbers={name: diagnosed.numbers[name] for name in NUMBERS},
        label_share=diagnosed.label_share,
        blind=uniform - diagnosed.floors["constant"] < _VISIBLE,
        nearest=diagnosed.nearest,
        lag=diagnosed.dominant.lag,
        offset=diagnosed.dominant.offset,
        snr_by_offset=dict(zip(diagnosed.directions, diagnosed.snr_by_offset["reconstruction"], strict=True)),
        floors=diagnosed.floors,
        commit=commit,
    )
