"""Small data sets of one's own, and their files."""

from pathlib import Path

import numpy as np

from tests.full_scale.data.reader_files import saved

COUNT, LENGTH = 60, 12
DRAW = np.random.default_rng(3)
SYMBOLS, VALUES = (
    DRAW.integers(0, 5, (COUNT, LENGTH)),
    DRAW.standard_normal((COUNT, LENGTH)).astype(np.float32),
)
LABELS = np.arange(COUNT) % 2
WORDS = [f"text number {at} of {'ab'[at % 2]}" for at in range(COUNT)]


def written(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def npz(path: Path, **arrays) -> Path:
    return written(path, saved(np.savez, **arrays))


def codes(dataset) -> set[str]:
    return {finding.code for finding in dataset.findings}


def total(dataset) -> int:
    return sum(len(part) for part in (dataset.train, dataset.validation, dataset.test))


def table(mark: str = ",", names=("text", "label")) -> str:
    rows = [names, *zip(WORDS, np.array(["no", "yes"])[LABELS], strict=True)]
    return "\n".join(mark.join(row) for row in rows)
