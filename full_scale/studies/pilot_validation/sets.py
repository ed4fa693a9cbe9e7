"""What the pilot is validated on: a folder's sequences, generated tasks, and these at other sizes and depths."""

import dataclasses
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from full_scale.data.dataset import Dataset, Split
from full_scale.data.splits import capped, selected, with_fewer_labels
from full_scale.model import ModelConfig
from full_scale.studies.validation.tasks import Files, tasks
from full_scale.tasks.drawn import RunDensity, ShuffleRuns
from full_scale.tasks.image import Image
from full_scale.tasks.local_permute import LocalPermute
from full_scale.tasks.order import Order
from full_scale.tasks.own import Own
from full_scale.tasks.task import Task
from sims import tasks as laws
from sims.runs.store import UserError

CHOSEN_ON = ("words", "german_genus", "first_names", "word_class", "digits", "docs-order", "shuffle-runs")
"""What rates, thresholds and rules were made on: no size of these is a test."""
GROUPED = (
    "manpages",
    "fragments",
    "watch",
)  # what a size leaves of training is kin to what it keeps: no test
REAL = (
    "dances", "splice", "openings", "satimage", "italy_power", "optdigits", "essen_region", "libras", "amp",
    "tomatoes", "smiles_atc", "watch", "manpages", "agents", "plaid", "mails", "fragments", "image",
)  # fmt: skip
Of = Literal["sequences", "labels", "layers"]
_TAGS: dict[Of, str] = {"sequences": "", "labels": "-labels", "layers": "-layers"}
_WINDOWS = 3_000  # of text, each shown in both orders
_MOST_TEST = 3_000


@dataclasses.dataclass(frozen=True)
class Sized:
    """A task as it is, with fewer training sequences, with fewer labels, or asked of a deeper model.

    NAME@500: what 500 training sequences leave is test, where it is not of the same groups. NAME@500-labels: all
    sequences are pretrained on, 500 have a label. NAME@4-layers: the model has four.
    """

    name: str
    """In the study, without what follows the @."""
    task: Task
    size: int | None = None
    """Training sequences, or labels, or layers; None: as the task has them."""
    of: Of = "sequences"
    """What there are so many of."""

    @property
    def key(self) -> str:
        """Under which its results are stored."""
        return self.name if self.size is None else f"{self.name}@{self.size}{_TAGS[self.of]}"

    @property
    def is_real(self) -> bool:
        """Whether it is somebody's data, not a law's or a permutation's."""
        return self.name in (*REAL, *CHOSEN_ON[:5])

    @property
    def is_fresh(self) -> bool:
        """Whether neither it nor another size of it had a part in choosing."""
        return self.name not in CHOSEN_ON

    def model(self, usual: ModelConfig) -> ModelConfig:
        """The architecture, as deep as this asks for."""
        return dataclasses.replace(usual, layers=self.size) if self.of == "layers" and self.size else usual

    def for_training(self, whole: Dataset) -> Dataset:
        """At most `size` sequences, judged on the test part and on what is left; or so many labels."""
        if self.size is None or self.of == "layers":
            return whole
        if self.of == "labels":
            return with_fewer_labels(whole, min(1.0, self.size / len(whole.train)))
        order = np.random.default_rng(0).permutation(len(whole.train))
        rows = np.sort(order[: self.size])
        left = order[self.size :][:_MOST_TEST] if self.name not in GROUPED else order[:0]
        test = _joined(whole.test, selected(whole.train, np.sort(left)))
        return dataclasses.replace(whole, train=selected(whole.train, rows), test=test)

    def for_prediction(self, whole: Dataset) -> Dataset:
        """The same training sequences; of fewer sequences held out is an eighth, as a user would have."""
        trained = self.for_training(whole)
        if self.of != "sequences":
            return trained
        most = None if self.size is None else max(32, self.size // 8)
        return dataclasses.replace(capped(whole, None, most, 0), train=trained.train)


def _joined(one: Split, other: Split) -> Split:
    """Both, in this order."""
    full = one.lengths is None
    lengths = None if full else np.concatenate([one.full_lengths(), other.full_lengths()])
    both = (np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("tokens", "labels"))
    return Split(*both, lengths)


def known(folder: Path, files: Files) -> dict[str, Task]:
    """Every task by its name in the study."""
    short = laws.RunDensity(length=32, few=6, many=12)
    return (
        tasks(files)
        | {name: Own(data=folder / f"{name}.npz") for name in (*REAL, *CHOSEN_ON[:4])}
        | {
            "image": Image(data=files.image, side=8),
            "shuffle-runs-32": ShuffleRuns(law=laws.ShuffleRuns(length=32, runs=8)),
            "run-density-32": RunDensity(law=short),
            "order-imdb": Order(source="imdb", data=files.imdb, most=_WINDOWS),
            "local-permute-imdb": LocalPermute(source="imdb", data=files.imdb, radius=8, most=_WINDOWS),
        }
    )


def chosen(names: tuple[str, ...], folder: Path, files: Files) -> tuple[Sized, ...]:
    """NAME, NAME@SIZE, NAME@SIZE-labels or NAME@SIZE-layers, in this order. Raises UserError for another name."""
    every, made = known(folder, files), []
    for each in names:
        name, asks, spelling = each.partition("@")
        size, _, of = spelling.partition("-")
        known_size = not asks or (size.isdecimal() and int(size) > 0)
        if name not in every or not known_size or of not in ("", *get_args(Of)[1:]):
            raise UserError(
                f"expected sets among {', '.join(every)}, with @SIZE, @SIZE-labels or @SIZE-layers: got {each}; "
                f"try {name if name in every else 'splice'}@500"
            )
        made.append(Sized(name, every[name], int(size) if spelling else None, of or "sequences"))  # type: ignore[arg-type]
    return tuple(made)
