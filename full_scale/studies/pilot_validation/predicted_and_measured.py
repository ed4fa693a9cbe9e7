"""Is the diagnosis right on other people's data? Predictions of every method are stored; then both arms are trained.

A prediction is kept with its commit and never computed again. Sets come one after the other, each whole.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from full_scale.diagnosis.data import checked
from full_scale.model import ModelConfig
from full_scale.studies.pilot_validation.agreement import Row, Values, row, score
from full_scale.studies.pilot_validation.arms import Measured, TrainingConfig, measured
from full_scale.studies.pilot_validation.predictions import METHODS, Predictions, predicted
from full_scale.studies.pilot_validation.sets import Sized, chosen
from full_scale.tasks.task import load
from sims.runs import store
from sims.runs.cache import Session, begin
from sims.runs.config_validation import at_least
from sims.runs.store import Result, UserError

STORED = FOLDER = "pilot_validation"  # of --out
SETS = (
    "order-imdb", "dances", "splice", "run-density-32", "openings", "satimage", "order-imdb@500", "italy_power",
    "shuffle-runs-32", "optdigits", "essen_region", "local-permute-imdb", "libras", "run-density-32@2000", "amp",
    "splice@500", "order-imdb@2000", "dances@500", "tomatoes", "shuffle-runs-32@2000", "smiles_atc", "openings@500",
    "optdigits@500", "satimage@500", "watch", "manpages", "agents", "splice@2000", "openings@2000", "plaid", "mails",
    "fragments",
)  # fmt: skip
_DATA = Path("data/real")  # where it is missing, its sets are left out by name


@dataclasses.dataclass(frozen=True)
class PilotValidationConfig:
    """Sets, training, and how predictions are made."""

    names: tuple[str, ...] = SETS
    """NAME or NAME@SIZE, the informative ones first."""
    data: Path = _DATA
    """Folder of NAME.npz; sets that are not there are left out, and named."""
    imdb: Path | None = None
    """IMDB reviews, as the task `text` reads them."""
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    """How both arms are trained."""
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    """The architecture."""
    fits: tuple[str, ...] = ()
    """Sets that the fits predict, too."""
    initialisations: int = 4
    """How many initialisations the fits begin from."""
    train: bool = True
    """Train both arms; otherwise predict only."""

    def __post_init__(self) -> None:
        at_least(2, initialisations=self.initialisations)
        if self.data != _DATA and not self.data.is_dir():
            raise UserError(f"expected a folder of data sets for --data: {self.data} is none; check the path")

    @classmethod
    def smoke(cls) -> "PilotValidationConfig":
        """One set at toy size, to see that all runs; its numbers mean nothing."""
        training = TrainingConfig(seeds=2, steps=6, batch=4, rates=(1e-2,))
        return cls(names=("run-density-32@100",), training=training)


def stage(session: Session, config: PilotValidationConfig, report: Callable) -> Result:
    """Its result; predictions and runs that are stored are not repeated."""
    begin(report)
    available, missing = _at_hand(config)
    rows: list[Row] = []
    untrained = []
    for index, each in enumerate(available):
        prediction = _predicted(session, config, each)
        report(index + 0.3, len(available), label=each.key)
        done = _trained(session, config, each)
        if done is None:
            untrained.append(each.key)
            continue
        known = Predictions.from_json(prediction.values)
        commit: dict = prediction.record["commit"]  # type: ignore[assignment]
        rows.append(row(known, commit, Measured.from_json(done.values), each.is_fresh, each.is_real))
    values = _values(rows, untrained, missing, config)
    record = store.provenance(config, command=session.command, seed=session.seed)
    result = Result(STORED, store.plain(values), {}, record)  # type: ignore[arg-type]
    store.save(session.out / FOLDER, result)
    return result


def _predicted(session: Session, config: PilotValidationConfig, each: Sized) -> Result:
    """Every method's prediction of a set."""
    training, fits = config.training, config.initialisations * (each.key in config.fits)
    return predicted(
        each, config.model, training.steps, training.batch, fits, session.out / FOLDER / "predictions",
        session.seed, session.command,
    )  # fmt: skip


def _trained(session: Session, config: PilotValidationConfig, each: Sized) -> Result | None:
    """Both arms of a set; None where training is not asked for and not stored."""
    folder = session.out / FOLDER / "trained"
    if not config.train and not (folder / f"{each.key}.json").exists():
        return None
    return measured(each, config.model, config.training, folder, session.seed, session.command)


def _values(
    rows: list[Row], untrained: list[str], missing: dict[str, str], config: PilotValidationConfig
) -> Values:
    """Scores over the sets that had no part in choosing."""
    fresh = [each for each in rows if each.fresh]
    methods = [m for m in METHODS if any(m in each.predictions.every for each in fresh)]
    scores = {method: score(fresh, method) for method in methods}
    misses = tuple(each.predictions.set for each in fresh if not each.right["pilot"])
    settings = {"training": config.training, "model": config.model, "initialisations": config.initialisations}
    return Values(tuple(rows), scores, misses, tuple(untrained), missing, store.plain(settings))  # type: ignore[arg-type]


def _at_hand(config: PilotValidationConfig) -> tuple[tuple[Sized, ...], dict[str, str]]:
    """The sets whose data are there, and why the others are not."""
    available, missing = [], {}
    for each in chosen(config.names, config.data, config.imdb):
        try:
            checked(load(each.task))
            available.append(each)
        except UserError as error:
            missing[each.key] = str(error)
    return tuple(available), missing
