"""What the comparison holds: rows of predictions beside measurements, and what else its tables show."""

import dataclasses

from full_scale.comparison.missing import Missing
from full_scale.studies.grids.shares import Share
from sims.runs.typed import Stored
from sims.statistics.intervals import Interval

Bound = float | None


@dataclasses.dataclass(frozen=True)
class Row(Stored):
    """One quantity of a task and setting, or of a layer and head; what is not measured is None."""

    name: str
    task: str
    setting: str
    layer: int | None
    head: int | None
    result: str | None
    """Where the Transformer's measurement is stored."""
    meaning: str = ""
    prediction: float | str = "none"
    """A number, or words where only a range is predicted."""
    range: tuple[Bound, Bound] = (None, None)
    """What bears it out; None is no bound."""
    prediction_source: str = ""
    """Claims behind it."""
    toy: Interval | None = dataclasses.field(kw_only=True)
    transformer: Share | Interval | None = dataclasses.field(kw_only=True)
    verdicts: dict[str, str] = dataclasses.field(default_factory=dict)
    verdict: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Gain(Stored):
    """Of one task, the gain that the diagnosis predicted and the one that training measured."""

    task: str
    half: str
    verdict: str
    verdict_chosen: str
    """With the thresholds in use."""
    right: str
    """The verdict that training bears out."""
    predicted_gain: Interval
    measured_gain: Interval

    @property
    def missed(self) -> bool:
        """Whether training contradicted the verdict."""
        return self.verdict_chosen != self.right


@dataclasses.dataclass(frozen=True)
class Gains(Stored):
    """How the diagnosis did, task by task."""

    rows: tuple[Gain, ...]
    spearman: Interval
    right: dict[str, Interval]
    """Share of right verdicts by half."""
    misses: tuple[str, ...]
    thresholds: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Values(Stored):
    """The comparison."""

    rows: tuple[Row, ...]
    """One per quantity, on docs-order where it is measured there."""
    by_task: tuple[Row, ...]
    by_head: tuple[Row, ...]
    missing: tuple[Missing, ...]
    validation: Gains | None
