"""What every method predicts of a set, with the CPU seconds that it took. Stored before any arm is trained."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import jax

from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig
from full_scale.diagnosis.diagnose import diagnose
from full_scale.diagnosis.held_out import Answers
from full_scale.diagnosis.verdict import Kind
from full_scale.model import ModelConfig
from full_scale.studies.pilot_validation.sets import Sized
from full_scale.tasks.task import load
from sims.runs import store
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

METHODS = ("pilot", "statistic", "combined", "constant", "fits")
STATISTIC_LINE = (
    0.25  # of what pairs add: between `words`, which gains nothing, and `contrast-pair`, which does
)
_Made = TypeVar("_Made")


@dataclasses.dataclass(frozen=True)
class Prediction(Stored):
    """One method's, of one set."""

    verdict: Kind
    gain: Interval
    """Predicted; the statistic's is what pairs add to the best baseline that reads no neighbours."""
    seconds: float
    """CPU time, what is compiled included."""


@dataclasses.dataclass(frozen=True)
class Predictions(Stored):
    """Every method's, of one set."""

    set: str
    sequences: dict[str, int]
    """By part, as the methods saw them."""
    length: int
    floors: dict[str, float]
    """Held-out accuracy without attention."""
    neighbours: Interval
    """Nats that a token's left neighbour tells."""
    by_method: dict[str, Prediction]

    @property
    def every(self) -> dict[str, Prediction]:
        """With `combined`: the statistic's prediction where the pilot is undecided and it is not `no need`."""
        pilot, statistic = self.by_method["pilot"], self.by_method["statistic"]
        promised = pilot.verdict == "undecided" and statistic.verdict == "pretrain first"
        gain = statistic.gain if promised else pilot.gain
        verdict = statistic.verdict if promised else pilot.verdict
        return self.by_method | {"combined": Prediction(verdict, gain, pilot.seconds)}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a stored prediction is of: never computed again."""

    set: str
    data: str
    """Hash of the sequences."""
    model: ModelConfig
    steps: int
    batch: int
    """Of the user's training."""
    fits: int


def predicted(
    each: Sized, model: ModelConfig, steps: int, batch: int, fits: int, folder: Path, seed: int, command: str
) -> store.Result:
    """Every method's prediction, from `folder` or made and stored there."""
    dataset = each.for_prediction(load(each.task))

    def made(config: DiagnosisConfig) -> tuple:
        with_clock = lambda: diagnose(dataset, model, config, key=jax.random.key(seed), command=command)
        diagnosis, seconds = _timed(with_clock)
        return diagnosis.values, Prediction(diagnosis.verdict.kind, diagnosis.verdict.gain, seconds)

    def compute() -> tuple[Predictions, dict]:
        answers, seconds = _timed(lambda: Answers.of(dataset, [], ()))
        adds = answers.order()
        pays = (adds.low or 0.0) > 0 and (adds.estimate or 0.0) > STATISTIC_LINE
        pilot = PilotConfig(user_steps=steps, user_batch=batch)
        values, by_pilot = made(DiagnosisConfig(pilot=pilot))
        by_method = {
            "pilot": by_pilot,
            "statistic": Prediction("pretrain first" if pays else "no need", adds, seconds),
            "constant": Prediction("no need", Interval(0.0, None, None), 0.0),
        }
        if fits:
            by_method["fits"] = made(DiagnosisConfig(fits=fits, pilot=PilotConfig(seeds=0)))[1]
        sizes, neighbours = values.data.sizes, values.numbers["neighbours"]
        return Predictions(each.key, sizes, dataset.length, values.floors, neighbours, by_method), {}

    asked = Asked(each.key, dataset.sha256(), model, steps, batch, fits)
    return store.stage(folder, each.key, asked, compute, command=command, seed=seed, code=())


def _timed(compute: Callable[[], _Made]) -> tuple[_Made, float]:
    """What it gives, and the CPU seconds that it took."""
    started = time.process_time()
    return compute(), time.process_time() - started
