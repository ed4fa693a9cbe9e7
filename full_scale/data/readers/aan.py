"""Pairs of papers of Long Range Arena's retrieval task (AAN).

`new_aan_pairs.{train,eval,test}.tsv`: no header, no quoting, five columns divided by tabs: label
("0.0" or "1.0": does one cite the other), the two identifiers, the two texts.
"""

from pathlib import Path

import numpy as np

from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import AGAIN, unusable
from full_scale.data.readers.tables import lines

CLASSES = ("unrelated", "cited")
FILES = {"train": "train", "validation": "eval", "test": "test"}
LABELS = {"0.0": 0, "1.0": 1, "0": 0, "1": 1}
REMEDY = "give the folder with new_aan_pairs.{train,eval,test}.tsv (tsv_data of the LRA release)"


def read_aan(path: Path, characters: int = 4000, most: int | None = None) -> dict[str, Labelled]:
    """{"train", "validation", "test"}: pairs of texts cut to `characters`; `most` rows a part."""
    return {part: _read_aan_part(Path(path), part, characters, most) for part in FILES}


def _read_aan_part(path: Path, part: str, characters: int = 4000, most: int | None = None) -> Labelled:
    """One part's pairs of texts: the whole data set has a gigabyte."""
    file = _file(Path(path), part)
    pairs, labels = [], []
    for number, line in lines(file):
        fields = line.split("\t")
        if len(fields) != 5 or fields[0] not in LABELS or not (fields[3] and fields[4]):
            expected = f"label 0.0 or 1.0, two ids and two texts in line {number}"
            received = f"{len(fields)} fields, the first {fields[0][:20]!r}"
            raise unusable(file, expected, received, AGAIN)
        labels.append(LABELS[fields[0]])
        pairs.append((fields[3][:characters], fields[4][:characters]))
        if most is not None and len(pairs) == most:
            break
    if not pairs:
        raise unusable(file, "pairs of papers", "an empty file", AGAIN)
    return Labelled(pairs, np.array(labels, np.int32), CLASSES)


def _file(folder: Path, part: str) -> Path:
    name = f"new_aan_pairs.{FILES[part]}.tsv"
    for file in (folder / name, folder / "tsv_data" / name):
        if file.is_file():
            return file
    raise unusable(folder / name, "a readable file", "no such file", REMEDY)
