"""Tasks on texts that are read byte by byte, or character by character."""

import dataclasses

from jaxtyping import Int, Integer
from numpy import ndarray

from full_scale.data.vocabulary import Unit, Vocabulary, padded, vocabulary
from full_scale.tasks.file_task import FileTask
from sims.runs.config_validation import at_least


@dataclasses.dataclass(frozen=True)
class CodedText(FileTask):
    """Texts as rows of symbols."""

    length: int = 4096
    """Tokens that are read of each text."""
    unit: Unit = "bytes"
    """What a token is."""
    fewest: int = 15
    """Characters that are rarer than this in the training texts share one symbol."""
    mark_end: bool = False
    """Append an end mark to each text, as S4 does."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(2, length=self.length)
        at_least(1, fewest=self.fewest)

    def codes(self, training: list[str]) -> Vocabulary:
        """The symbols, from the training texts only."""
        return vocabulary(self.unit, training, self.length, self.fewest)

    def coded(
        self, texts: list[str], codes: Vocabulary
    ) -> tuple[Integer[ndarray, "n length"], Int[ndarray, " n"]]:
        """Padded rows of symbols, and their lengths."""
        return padded([codes.coded(text, self.length, self.mark_end) for text in texts], self.length)
