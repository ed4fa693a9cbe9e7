"""Task `retrieval`: does one of two papers cite the other? Read byte by byte (Long Range Arena, "Retrieval").

Source: the ACL Anthology Network (Radev et al. 2013) as LRA releases it, in the release's three parts:
147,086 train, 18,090 validation, 17,437 test pairs. Canonical length 4,000 for each of the two texts; 257
byte symbols, or characters (S4: those that occur 10 times).
"""

import dataclasses
from pathlib import Path
from typing import ClassVar

from full_scale.data.dataset import PARTS, Dataset, Inputs, Split
from full_scale.data.labelled import Labelled
from full_scale.data.prepared import Parts
from full_scale.data.readers import facts
from full_scale.data.readers.facts import Fact
from full_scale.data.vocabulary import Vocabulary
from full_scale.tasks.coded_text import CodedText


@dataclasses.dataclass(frozen=True)
class Retrieval(CodedText):
    """Citation between two papers, byte by byte."""

    length: int = 4000
    """Tokens that are read of each text."""
    fewest: int = 10
    """Characters that are rarer than this in the training texts share one symbol."""
    name: ClassVar[str] = "retrieval"
    expects: ClassVar[str] = (
        "the folder with new_aan_pairs.train.tsv, .eval.tsv and .test.tsv (lra_release/lra_release/tsv_data "
        "of the Long Range Arena release)"
    )
    licence: ClassVar[str] = "ACL Anthology Network, cite Radev et al. 2013"
    shape: ClassVar[str] = "length 2 x 4000, 2 classes, 147,086 + 18,090 + 17,437"

    @classmethod
    def read(cls, path: Path) -> Parts:
        """The three tsv files."""
        from full_scale.data.readers.aan import read_aan

        return read_aan(path)

    @classmethod
    def facts(cls, parts: Parts) -> list[Fact]:
        """What is known of the real files."""
        return facts.aan_facts(parts)

    def build(self, parts: Parts, source: str) -> Dataset:
        """Pairs of padded rows of symbols."""
        training = [text for pair in parts["train"].examples for text in pair]
        codes = self.codes(training)
        inputs = Inputs(self.length, classes=2, symbols=codes.symbols, pair=True)
        splits = {part: self.encoded(parts[part], codes) for part in PARTS}
        return Dataset(self.name, **splits, inputs=inputs, source=f"{source}; {self.unit}")

    def encoded(self, labelled: Labelled, codes: Vocabulary) -> Split:
        """Tokens (n, 2, length) and lengths (n, 2)."""
        tokens, lengths = self.coded([text for pair in labelled.examples for text in pair], codes)
        return Split(tokens.reshape(-1, 2, self.length), labelled.labels, lengths.reshape(-1, 2))
