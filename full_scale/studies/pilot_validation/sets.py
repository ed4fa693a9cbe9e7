"""What the pilot is validated on: sequences of a folder, generated tasks with known gains, and sizes of both."""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from full_scale.data.dataset import Dataset, Split
from full_scale.data.splits import capped, selected
from full_scale.tasks.drawn import RunDensity, ShuffleRuns
from full_scale.tasks.local_permute import LocalPermute
from full_scale.tasks.order import DocsOrder, Order
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
    "tomatoes", "smiles_atc", "watch", "manpages", "agents", "plaid", "mails", "fragments",
)  # fmt: skip
_WINDOWS = 3_000  # of text, each shown in both orders
_MOST_TEST = 3_000


@dataclasses.dataclass(frozen=True)
class Sized:
    """A task with at most so many training sequences; what that leaves is test, where it is not of the same groups."""

    name: str
    """In the study, without its size."""
    task: Task
    size: int | None = None
    """Training sequences; None: all."""
    tag: ClassVar[str] = "@"

    @property
    def key(self) -> str:
        """Under which its results are stored."""
        return self.name if self.size is None else f"{self.name}{self.tag}{self.size}"

    @property
    def is_real(self) -> bool:
        """Whether it is somebody's data, not a law's or a permutation's."""
        return self.name in REAL or self.name in CHOSEN_ON[:5]

    @property
    def is_fresh(self) -> bool:
        """Whether neither it nor another size of it had a part in choosing."""
        return self.name not in CHOSEN_ON

    def for_training(self, whole: Dataset) -> Dataset:
        """At most `size` sequences, judged on the test part and on what is left."""
        if self.size is None:
            return whole
        order = np.random.default_rng(0).permutation(len(whole.train))
        rows = np.sort(order[: self.size])
        left = order[self.size :][:_MOST_TEST] if self.name not in GROUPED else order[:0]
        test = _joined(whole.test, selected(whole.train, np.sort(left)))
        return dataclasses.replace(whole, train=selected(whole.train, rows), test=test)

    def for_prediction(self, whole: Dataset) -> Dataset:
        """The same training sequences; held out is an eighth of them, as a user would have."""
        train = self.for_training(whole).train
        most = None if self.size is None else max(32, self.size // 8)
        return dataclasses.replace(capped(whole, None, most, 0), train=train)


def _joined(one: Split, other: Split) -> Split:
    """Both, in this order."""
    full = one.lengths is None
    lengths = None if full else np.concatenate([one.full_lengths(), other.full_lengths()])
    both = (np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("tokens", "labels"))
    return Split(*both, lengths)


def known(folder: Path, imdb: Path | None) -> dict[str, Task]:
    """Every task by its name in the study."""
    short = laws.RunDensity(length=32, few=6, many=12)
    return {name: Own(data=folder / f"{name}.npz") for name in (*REAL, *CHOSEN_ON[:4])} | {
        "docs-order": DocsOrder(),
        "shuffle-runs": ShuffleRuns(),
        "shuffle-runs-32": ShuffleRuns(law=laws.ShuffleRuns(length=32, runs=8)),
        "run-density-32": RunDensity(law=short),
        "order-imdb": Order(source="imdb", data=imdb, most=_WINDOWS),
        "local-permute-imdb": LocalPermute(source="imdb", data=imdb, radius=8, most=_WINDOWS),
    }


def chosen(names: tuple[str, ...], folder: Path, imdb: Path | None) -> tuple[Sized, ...]:
    """NAME or NAME@SIZE, in this order. Raises UserError for another name."""
    tasks, made = known(folder, imdb), []
    for each in names:
        name, _, size = each.partition(Sized.tag)
        if name not in tasks or not (size.isdigit() or not size):
            raise UserError(f"expected sets among {', '.join(tasks)}, with @SIZE: got {each}; try {name}@500")
        made.append(Sized(name, tasks[name], int(size) if size else None))
    return tuple(made)
