"""The data of a diagnosis: a task by name, the user's file or folder, or arrays; checked before any fit."""

import difflib
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from full_scale.data.dataset import PARTS, Dataset
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.splits import capped
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.tasks import TASKS
from full_scale.tasks.own import Own
from full_scale.tasks.task import Task, load
from full_scale.tasks.ucr import Ucr
from sims.runs.store import UserError

FEWEST = 20
LARGEST_ALPHABET = 65_536


def _task_of(data: str, columns: Columns = DEFAULT) -> Task:
    """The task that a name or a path stands for. Raises UserError when it is neither."""
    path = Path(data)
    if data in TASKS and not path.suffix:
        if columns != DEFAULT:
            raise UserError(
                f"--label, --text, --group, --encoding, --fill, --axes and --unlabelled are for files: "
                f"{data} is a task"
            )
        return TASKS[data]()
    if not path.exists():
        raise UserError(f"expected a file, a folder or a task: got {data}, which is none; {_meant(path)}")
    if path.is_dir() and columns == DEFAULT and any(path.glob("*_TRAIN.ts")):
        return Ucr(data=path)
    return Own(
        data=path, label=columns.label, text=columns.text, group=columns.group, encoding=columns.encoding,
        fill=columns.fill, axes=columns.axes, unlabelled=columns.unlabelled,
    )  # fmt: skip


def _meant(path: Path) -> str:
    """The nearest task or file, else what is read."""
    from full_scale.data.readers.own import FORMATS

    beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, [*TASKS, *beside], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}give a path ({FORMATS}) or one of {', '.join(TASKS)}"


def name_of(data: str) -> str:
    """A name for the results: the task's, or the file's without its ending."""
    stem = Path(data).stem if data not in TASKS else data
    return "".join(mark if mark.isalnum() or mark in "-_" else "-" for mark in stem) or "data"


def training_command(data: str, columns: Columns = DEFAULT) -> str:
    """The command that trains both arms on the same data, as it is typed in this folder."""
    task = _task_of(data, columns)
    if data in TASKS:
        return f"sptlab train run --task {task.name} --grid arms"
    path = shlex.quote(_relative(data))
    if columns == DEFAULT:
        return f"sptlab train run --task {task.name} --data {path} --grid arms"
    flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in vars(columns).items()
                     if value != getattr(DEFAULT, name))  # fmt: skip
    prepare = f"sptlab data prepare {task.name} --source {path} {flags}"
    return f"{prepare} && sptlab train run --task {task.name} --grid arms"


def _relative(data: str) -> str:
    """A path below this folder from here, any other as it was given."""
    path = Path(os.path.abspath(data))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else data


def dataset_of(data: str, config: DiagnosisConfig, columns: Columns = DEFAULT) -> Dataset:
    """Load, check, and keep at most as many sequences as the config says."""
    return capped(whole_dataset(data, columns), config.train_most, config.held_out_most, 0)


def whole_dataset(data: str, columns: Columns = DEFAULT) -> Dataset:
    """Load and check, as training reads it."""
    try:
        dataset = load(_task_of(data, columns))
    except (MemoryError, OSError) as error:
        raise UserError(
            f"cannot read {data}: {getattr(error, 'strerror', None) or error}; check the file"
        ) from error
    checked(dataset)
    return dataset


def dataset_of_arrays(
    x: Any, y: Any, lengths: Any = None, group: Any = None, unlabelled: bool = False
) -> Dataset:
    """Arrays as the task `own` reads them from an npz; numpy, pandas, polars or torch, or lists."""
    from full_scale.data.readers.own.memory import parts_in_memory

    return Own().build(parts_in_memory(x, y, lengths, group, unlabelled), "your own; arrays in memory")


def checked(dataset: Dataset) -> None:
    """Raise UserError for data that a diagnosis cannot speak about."""
    inputs, name = dataset.inputs, dataset.name
    total = sum(len(getattr(dataset, part)) for part in PARTS)
    if inputs.pair:
        raise UserError(
            f"expected one sequence per example: {name} has pairs; diagnose one half of each pair"
        )
    if total < FEWEST:
        raise UserError(f"expected at least {FEWEST} sequences: got {total}; give more data")
    if inputs.length < 4:
        raise UserError(
            f"expected sequences of at least 4 tokens, a row for each sequence: got {inputs.length}; there is "
            "nothing to attend to (if there is a row for every step, put the steps of a sequence into one row)"
        )
    labels = np.concatenate([getattr(dataset, part).labels for part in PARTS])
    classes = np.bincount(labels)
    class_count = int((classes > 0).sum())
    if class_count < 2:
        raise UserError(f"expected at least two classes: got {class_count}; check the labels")
    if (np.bincount(dataset.train.labels) >= 2).sum() < 2 or 2 * class_count > total:
        raise UserError(
            f"expected at least two training sequences of two classes or more: got {class_count} classes in "
            f"{total} sequences; are the labels classes, and no regression target, names or numbers?"
        )
    if inputs.symbols is not None and inputs.symbols > LARGEST_ALPHABET:
        raise UserError(
            f"expected at most {LARGEST_ALPHABET:,} symbols: got {inputs.symbols:,}; "
            "number the symbols that occur from 0, or store real values as floats"
        )
    _require_variety(dataset)


def _require_variety(dataset: Dataset) -> None:
    """Raise UserError where all tokens are the same, or hardly any two sequences differ."""
    tokens = dataset.train.tokens
    if np.all(tokens == tokens[:1, :1]):
        raise UserError("expected tokens that vary: got the same everywhere; check how x was stored")
    flat = np.ascontiguousarray(tokens.reshape(len(tokens), -1)[:5_000])
    distinct = len(np.unique(flat, axis=0))
    if distinct < min(FEWEST, len(flat) // 2):
        raise UserError(
            f"expected sequences that differ: got {distinct} distinct among {len(flat)}; "
            "remove the duplicates"
        )
