"""The data of a diagnosis: a task by name, the user's file or folder, or arrays; checked before any fit."""

import difflib
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from full_scale.dataset import PARTS, Dataset
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.tasks import TASKS, Own, Task, Ucr, load
from full_scale.tasks.splits import capped
from sims.store import UserError

FEWEST = 20
LARGEST_ALPHABET = 65_536
KINDS = (".npz", ".csv", ".ts")


def task_of(data: str) -> Task:
    """The task that a name or a path stands for. Raises UserError when it is neither."""
    path = Path(data)
    if data in TASKS and not path.suffix:
        return TASKS[data]()
    if not path.exists():
        near = difflib.get_close_matches(data, TASKS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"give a path or one of {', '.join(TASKS)}"
        raise UserError(f"expected a file, a folder or a task: got {data}, which is none; {hint}")
    if path.suffix == ".ts" or (path.is_dir() and any(path.glob("*_TRAIN.ts"))):
        return Ucr(data=path)
    if path.is_dir() or path.suffix in KINDS:
        return Own(data=path)
    raise UserError(
        f"expected {', '.join(KINDS)} or a folder of texts by class: got {path.name}; "
        "store it as an npz of x and y"
    )


def name_of(data: str) -> str:
    """A name for the results: the task's, or the file's without its ending."""
    stem = Path(data).stem if data not in TASKS else data
    return "".join(mark if mark.isalnum() or mark in "-_" else "-" for mark in stem) or "data"


def training_command(data: str) -> str:
    """The command that trains both arms on the same data."""
    task = task_of(data)
    path = "" if data in TASKS else f" --data {Path(data).name}"
    return f"sptlab train run --task {task.name}{path} --grid arms"


def dataset_of(data: str, config: DiagnosisConfig) -> Dataset:
    """Load, check, and keep at most as many sequences as the config says."""
    try:
        dataset = load(task_of(data))
    except (MemoryError, OSError) as error:
        raise UserError(
            f"cannot read {data}: {getattr(error, 'strerror', None) or error}; check the file"
        ) from error
    checked(dataset)
    return capped(dataset, config.train_most, config.held_out_most, 0)


def dataset_of_arrays(
    x: Shaped[np.ndarray, "n ..."],
    y: Shaped[np.ndarray, " n"],
    lengths: Shaped[np.ndarray, " n"] | None = None,
) -> Dataset:
    """Arrays as the task `own` reads them from an npz: x (n, length) or (n, length, channel), y (n,)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, x=x, y=y, **({} if lengths is None else {"lengths": lengths}))
        return Own(data=path).load()


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
            f"expected sequences of at least 4 tokens: got {inputs.length}; there is nothing to attend to"
        )
    labels = np.concatenate([getattr(dataset, part).labels for part in PARTS])
    classes = np.bincount(labels)
    found = int((classes > 0).sum())
    if found < 2:
        raise UserError(f"expected at least two classes: got {found}; check the labels")
    if (np.bincount(dataset.train.labels) >= 2).sum() < 2 or 2 * found > total:
        raise UserError(
            f"expected at least two training sequences of two classes or more: got {found} classes in "
            f"{total} sequences; are the labels classes, and not names or numbers of sequences?"
        )
    if inputs.symbols is not None and inputs.symbols > LARGEST_ALPHABET:
        raise UserError(
            f"expected at most {LARGEST_ALPHABET:,} symbols: got {inputs.symbols:,}; "
            "number the symbols that occur from 0, or store real values as floats"
        )
    require_variety(dataset)


def require_variety(dataset: Dataset) -> None:
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
