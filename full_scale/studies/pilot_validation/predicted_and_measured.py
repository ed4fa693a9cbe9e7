"""Is the diagnosis right on other people's data? Predictions of every method are stored; then both arms are trained.

A prediction is kept with its commit and never computed again. Sets come one after the other, each whole.
Those of the first study are predicted again by today's diagnosis, and counted apart: it was made when their gains were
known.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from full_scale.cli.making import STORED as STORED_RESULTS
from full_scale.diagnosis.data import checked
from full_scale.model import ModelConfig
from full_scale.studies.pilot_validation.agreement import Row, Values, row, scored
from full_scale.studies.pilot_validation.arms import Measured, TrainingConfig, measured
from full_scale.studies.pilot_validation.predictions import Predictions, predicted
from full_scale.studies.pilot_validation.sets import Sized, chosen
from full_scale.studies.validation.tasks import Files
from full_scale.tasks.task import load
from sims.runs import store
from sims.runs.cache import Session, begin
from sims.runs.config_validation import at_least
from sims.runs.store import Result, UserError

STORED = FOLDER = "pilot_validation"  # of --out
_FIRST = "pilot_validation_first"
SETS = (
    "image@500-labels", "docs-backwards", "smiles_atc", "imdb-backwards", "contrast-pair-weak", "amp", "mirror-image",
    "watch", "docs-local-permute-2", "contrast-pair-none", "manpages", "docs-local-permute-16", "agents",
    "patch-association", "plaid", "adjacent-pair", "amp@500-labels", "fixed-permutation", "manpages@500-labels",
    "mails", "watch@500-labels", "fragments", "mirror-image@4-layers", "docs-backwards@4-layers",
    "contrast-pair-weak@4-layers", "smiles_atc@4-layers", "fragments@500-labels",
    "image@100-labels", "manpages@100-labels", "watch@100-labels", "amp@100-labels",
)  # fmt: skip
_DATA = Path("data/real")  # where it is missing, its sets are left out by name


@dataclasses.dataclass(frozen=True)
class PilotValidationConfig:
    """Sets, training, and how predictions are made."""

    names: tuple[str, ...] = SETS
    """NAME, NAME@SIZE, NAME@SIZE-labels or NAME@SIZE-layers, the informative ones first."""
    again: bool = True
    """Also predict the sets of the first study again; their training is not repeated."""
    data: Path = _DATA
    """Folder of NAME.npz; sets that are not there are left out, and named."""
    files: Files = dataclasses.field(default_factory=Files)
    """Where tasks with files find theirs."""
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
        return cls(names=("run-density-32@100",), again=False, training=training)


def stage(session: Session, config: PilotValidationConfig, report: Callable) -> Result:
    """Its result; predictions and runs that are stored are not repeated."""
    begin(report)
    first = _first(config)
    available, missing = _at_hand(config, first)
    rows: list[Row] = []
    untrained = []
    for index, each in enumerate(available):
        prediction = _predicted(session, config, each)
        report(index + 0.3, len(available), label=each.key)
        done = first.get(each.key) or _trained(session, config, each)
        if done is None:
            untrained.append(each.key)
            continue
        known = Predictions.from_json(prediction.values)
        commit: dict = prediction.record["commit"]  # type: ignore[assignment]
        rows.append(row(known, commit, done, each.is_fresh and each.key not in first, each.is_real))
    repeated = [each for each in rows if each.predictions.set in first]
    values = _values(rows, repeated, untrained, missing, config)
    record = store.provenance(config, command=session.command, seed=session.seed)
    result = Result(STORED, store.plain(values), {}, record)  # type: ignore[arg-type]
    store.save(session.out / FOLDER, result)
    return result


def _predicted(session: Session, config: PilotValidationConfig, each: Sized) -> Result:
    """Every method's prediction of a set."""
    training, fits = config.training, config.initialisations * (each.key in config.fits)
    return predicted(
        each, each.model(config.model), training.steps, training.batch, fits, session.out / FOLDER / "predictions",
        session.seed, session.command,
    )  # fmt: skip


def _trained(session: Session, config: PilotValidationConfig, each: Sized) -> Measured | None:
    """Both arms of a set; None where training is not asked for and not stored."""
    folder = session.out / FOLDER / "trained"
    if not config.train and not (folder / f"{each.key}.json").exists():
        return None
    model = each.model(config.model)
    done = measured(each, model, config.training, folder, session.seed, session.command)
    return Measured.from_json(done.values)


def _first(config: PilotValidationConfig) -> dict[str, Measured]:
    """What the first study's training came to, by set; none where it was another training."""
    if not config.again or not (STORED_RESULTS / f"{_FIRST}.json").exists():
        return {}
    values = Values.from_json(store.load(STORED_RESULTS, _FIRST).values)
    same = all(
        values.config[name] == store.plain(getattr(config, name))  # type: ignore[arg-type]
        for name in ("training", "model")
    )
    return {each.predictions.set: each.measured for each in values.rows} if same else {}


def _values(
    rows: list[Row],
    repeated: list[Row],
    untrained: list[str],
    missing: dict[str, str],
    config: PilotValidationConfig,
) -> Values:
    """Scores over the sets that had no part in choosing, and apart from them over those of the first study."""
    fresh = [each for each in rows if each.fresh]
    misses = tuple(each.predictions.set for each in fresh if not each.right["pilot"])
    settings = {"training": config.training, "model": config.model, "initialisations": config.initialisations}
    return Values(
        tuple(rows), scored(fresh), misses, tuple(untrained), missing, store.plain(settings),  # type: ignore[arg-type]
        scored(repeated) if repeated else None,
    )  # fmt: skip


def _at_hand(
    config: PilotValidationConfig, first: dict[str, Measured]
) -> tuple[tuple[Sized, ...], dict[str, str]]:
    """The sets whose data are there, and why the others are not."""
    available, missing = [], {}
    names = dict.fromkeys((*config.names, *first))
    for each in chosen(tuple(names), config.data, config.files):
        try:
            checked(load(each.task))
            available.append(each)
        except UserError as error:
            missing[each.key] = str(error)
    return tuple(available), missing
