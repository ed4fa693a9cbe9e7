"""Prose for the order tasks: what CPython ships, the user's own files, or IMDB reviews."""

import dataclasses
import functools
import re
from pathlib import Path
from typing import Literal

from full_scale.tasks.task import Task
from full_scale.tasks.text import Text
from sims.runs.store import UserError
from sims.tasks.prose import Documents, cpython_topics, read_documents, without_repeats

CorpusName = Literal["docs", "imdb"]
_LINE_BREAK = re.compile(r"<br\s*/?>")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Documents reduced to letters and spaces, no paragraph twice, and their source in words."""

    documents: Documents
    source: str


@dataclasses.dataclass(frozen=True)
class CorpusTask(Task):
    """A task on windows of prose."""

    text: tuple[Path, ...] = ()
    """Your own UTF-8 text files; none means the prose that CPython ships."""
    length: int = 64
    """Symbols per window."""
    split_seed: int = 0
    """Draws the split by document and the permutations; kept apart from the training seeds."""

    def __post_init__(self) -> None:
        if self.length < 4:
            raise UserError(f"length must be at least 4: got length={self.length}; try length=64")

    def corpus(self) -> Corpus:
        """The user's files where there are any, else CPython's prose."""
        documents, source = read_documents(self.text) if self.text else cpython_topics()
        return Corpus(without_repeats(documents), source)


@functools.lru_cache(maxsize=1)
def reviews(data: Path | None) -> Corpus:
    """All IMDB reviews, one document each, from the files of the task `text`."""
    parts, source = Text(data).parts()
    texts = [text for labelled in parts.values() for text in labelled.examples]
    documents = {str(number): _LINE_BREAK.sub("\n\n", text) for number, text in enumerate(texts)}
    return Corpus({name: text for name, text in without_repeats(documents).items() if text}, source)
