"""Order tasks on real text: is this window of letters in its real order, or permuted inside the window?

Every window appears twice, once in its real order (label 1) and once permuted (label 0), so each bag of
letters carries each label once: whatever reads only the bag is right exactly half of the time.

Canonical length 64. Text is reduced to 26 letters and the space, 27 symbols. Whole documents go to the parts,
80/10/10 by letters; fewer than ten documents are each cut 80/10/10 instead.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.tasks.corpora import Corpus, CorpusName, CorpusTask, reviews
from sims.runs.config_validation import at_least
from sims.runs.store import UserError
from sims.tasks.prose import SYMBOLS, Documents, windows

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
_FEWEST_WINDOWS = 20  # in the smaller parts: 40 sequences, a standard error of 8 points
_FEWEST_DOCUMENTS = 10  # below this, each document is cut into the three parts instead


def _by_document(documents: Documents, generator: np.random.Generator) -> dict[str, list[str]]:
    """Whole documents to parts, in a random order, each to the part that lacks most of its share."""
    texts = list(documents.values())
    total = sum(map(len, texts))
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    room = {part: SHARES[part] * total for part in PARTS}
    for index in generator.permutation(len(texts)):
        part = max(room, key=lambda name: room[name])
        parts[part].append(texts[index])
        room[part] -= len(texts[index])
    return parts


def _by_position(documents: Documents) -> dict[str, list[str]]:
    """Each document cut into train, validation and test, in this order."""
    ends = np.cumsum([0.0, *(SHARES[part] for part in PARTS)])
    return {
        part: [text[int(ends[i] * len(text)) : int(ends[i + 1] * len(text))] for text in documents.values()]
        for i, part in enumerate(PARTS)
    }


def pair(real: Int[np.ndarray, "n length"], radius: int, generator: np.random.Generator) -> Split:
    """Each window in real order (label 1), then each permuted within blocks of `radius` (label 0)."""
    permuted = generator.permuted(real.reshape(-1, radius), axis=1).reshape(real.shape)
    labels = np.repeat(np.array([1, 0], np.int32), len(real))
    return Split(np.concatenate([real, permuted]), labels)


def _chosen_windows(
    texts: list[str], length: int, most: int | None, generator: np.random.Generator
) -> Int[np.ndarray, "n length"]:
    """Windows of the texts, at most `most` of them, drawn at random and kept in order."""
    real = np.concatenate([windows(text, length) for text in texts])
    if most is None or len(real) <= most:
        return real
    return real[np.sort(generator.choice(len(real), most, replace=False))]


def order(
    name: str, corpus: Corpus, *, length: int, split_seed: int, radius: int, most: int | None = None
) -> Dataset:
    """Windows of `length` letters, and each permuted within blocks of `radius`, split by document.

    Raises
    ------
    UserError
        If the text is too short for the three parts.
    """
    generator = np.random.default_rng(split_seed)
    enough = len(corpus.documents) >= _FEWEST_DOCUMENTS
    texts = _by_document(corpus.documents, generator) if enough else _by_position(corpus.documents)
    splits = {}
    for part in PARTS:
        limit = None if most is None else max(_FEWEST_WINDOWS, round(most * SHARES[part] / SHARES["train"]))
        real = _chosen_windows(texts[part], length, limit, generator)
        if len(real) < _FEWEST_WINDOWS:
            needed = int(_FEWEST_WINDOWS * length / min(SHARES.values()))
            received = sum(map(len, corpus.documents.values()))
            raise UserError(
                f"expected at least {needed} letters of distinct text for windows of {length}: "
                f"got {received}, {len(real)} windows for {part}; give more --text or a smaller --length"
            )
        splits[part] = pair(real, radius, generator)
    how = "split by document" if enough else "each document cut 80/10/10"
    inputs = Inputs(length, classes=2, symbols=SYMBOLS)
    return Dataset(name, **splits, inputs=inputs, source=f"{corpus.source}; {how}")


@dataclasses.dataclass(frozen=True)
class DocsOrder(CorpusTask):
    """Order on the prose that CPython ships (PSF licence), or on your own files: needs no download."""

    name: ClassVar[str] = "docs-order"
    shape: ClassVar[str] = "length 64, 2 classes, about 7,300 + 1,200 + 800"
    licence: ClassVar[str] = "prose of CPython's reference, PSF; or your text"

    def load(self) -> Dataset:
        """Windows in their real order and permuted."""
        return order(
            self.name, self.corpus(), length=self.length, split_seed=self.split_seed, radius=self.length
        )


@dataclasses.dataclass(frozen=True)
class Order(CorpusTask):
    """Order on prose of any source, permuted anywhere in the window."""

    source: CorpusName = "docs"
    """docs: the prose that CPython ships; imdb: film reviews (see the task `text`). Given --text, unused."""
    data: Path | None = None
    """Files of the reviews, by default data/text.npz (`sptlab data prepare text`); or a .txt of your own."""
    most: int | None = 10_000
    """At most this many training windows, each shown in both orders; other parts in proportion."""
    name: ClassVar[str] = "order"
    shape: ClassVar[str] = "length 64, 2 classes, up to 20,000 + 2,500 + 2,500"
    licence: ClassVar[str] = "prose of CPython's reference, PSF; your text; or IMDB reviews"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most is not None:
            at_least(_FEWEST_WINDOWS, most=self.most)

    @property
    def moved_within(self) -> int:
        """Letters per block that is permuted."""
        return self.length

    def corpus(self) -> Corpus:
        """The user's files, CPython's prose or the reviews."""
        if self.data is not None and self.data.suffix == ".txt":
            return dataclasses.replace(self, text=(*self.text, self.data), data=None).corpus()
        reads_reviews = not self.text and (self.source == "imdb" or self.data is not None)
        return reviews(self.data) if reads_reviews else super().corpus()

    def load(self) -> Dataset:
        """Windows in their real order and permuted."""
        where = dict(length=self.length, split_seed=self.split_seed, radius=self.moved_within, most=self.most)
        return order(self.name, self.corpus(), **where)
