"""English prose as symbols: read, reduced to 26 letters and a space, each paragraph kept once.

The topics that CPython ships repeat each other's paragraphs (about a fifth of the text), so that a
split by topic alone would show test text in training: a paragraph is kept where it appears first.
"""

import platform
import pydoc_data.topics
import re
from pathlib import Path

import numpy as np
from jaxtyping import Int

from sims.runs.store import UserError

_ALPHABET = "abcdefghijklmnopqrstuvwxyz "
SYMBOLS = len(_ALPHABET)

Documents = dict[str, str]


def cpython_topics() -> tuple[Documents, str]:
    """The language reference inside `pydoc_data.topics`, a document per topic, and its source in words."""
    return dict(pydoc_data.topics.topics), f"pydoc_data.topics of CPython {platform.python_version()}"


def read_documents(paths: tuple[Path, ...]) -> tuple[Documents, str]:
    """One document per UTF-8 text file.

    Raises
    ------
    UserError
        If a file is missing, empty, unreadable or not UTF-8; the message names the file and the remedy.
    """
    documents: Documents = {}
    for path in paths:
        try:
            text = path.read_bytes().decode("utf-8")
        except OSError as error:
            raise UserError(
                f"expected a readable text file: got {path} ({error.strerror}); check the path"
            ) from error
        except UnicodeDecodeError as error:
            raise UserError(
                f"expected UTF-8 text: {path} has an invalid byte at offset {error.start}; "
                f"convert it with `iconv -f latin1 -t utf-8`"
            ) from error
        if not text.strip():
            raise UserError(f"expected text: {path} is empty; give a file with at least some pages of prose")
        documents[str(len(documents)) + ":" + path.name] = text
    return documents, f"{len(paths)} text files given by the user"


def reduce(text: str) -> str:
    """Lower case, every run of characters outside a-z replaced by one space."""
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


def without_repeats(documents: Documents) -> Documents:
    """Each document reduced to `_ALPHABET`, without the paragraphs that an earlier one already had."""
    known: set[str] = set()
    unique = {}
    for name, text in documents.items():
        paragraphs = [reduce(paragraph) for paragraph in re.split(r"\n\s*\n", text)]
        fresh = [p for p in dict.fromkeys(paragraphs) if p and p not in known]
        known.update(fresh)
        unique[name] = " ".join(fresh)
    return unique


def windows(text: str, length: int) -> Int[np.ndarray, "n length"]:
    """Consecutive windows of `length` symbols of a reduced text; the rest at its end is dropped."""
    codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int32) - ord("a")
    codes = np.where(codes < 0, SYMBOLS - 1, codes)
    return codes[: len(codes) // length * length].reshape(-1, length).astype(np.int32)
