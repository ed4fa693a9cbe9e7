"""ListOps as Long Range Arena releases it.

`basic_{train,val,test}.tsv`: the header Source<TAB>Target, then an expression and its value per line
(CRLF or LF). Parentheses only mark the binary form and are dropped; "]" may be written "X".
"""

from pathlib import Path

import numpy as np

from full_scale.data.labelled import Labelled
from full_scale.data.readers.files import AGAIN, unusable
from full_scale.data.readers.tables import lines

SYMBOLS = ("[MIN", "[MAX", "[MED", "[SM", "]", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
"""Token t stands for SYMBOLS[t - 1]; 0 is left for padding."""
_CODES = {symbol: index + 1 for index, symbol in enumerate(SYMBOLS)} | {"X": 5}
CLASSES = tuple(str(digit) for digit in range(10))
FILES = {"train": "basic_train.tsv", "validation": "basic_val.tsv", "test": "basic_test.tsv"}
REMEDY = (
    "give the folder with basic_train.tsv, basic_val.tsv and basic_test.tsv (listops-1000 of the LRA release)"
)


def read_listops(path: Path) -> dict[str, Labelled]:
    """{"train", "validation", "test"}: a list of uint8 token arrays (see SYMBOLS) and the values 0..9."""
    folder = Path(path)
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing:
        raise unusable(folder / missing[0], "a readable file", "no such file", REMEDY)
    return {part: read_listops_file(folder / name) for part, name in FILES.items()}


def read_listops_file(path: Path) -> Labelled:
    """The expressions of one file as token arrays."""
    rows = lines(Path(path))
    if (header := next(rows, (1, ""))[1].split("\t")) != ["Source", "Target"]:
        raise unusable(path, "the header Source<TAB>Target", header, REMEDY)
    tokens, labels = [], []
    for number, line in rows:
        source, _, target = line.partition("\t")
        if target not in CLASSES:
            raise unusable(path, f"an expression, a tab and a digit in line {number}", repr(target), AGAIN)
        tokens.append(_tokens(path, number, source))
        labels.append(int(target))
    if not tokens:
        raise unusable(path, "expressions", "only a header", AGAIN)
    return Labelled(tokens, np.array(labels, np.int32), CLASSES)


def _tokens(path: Path, number: int, source: str) -> np.ndarray:
    symbols = source.replace("(", " ").replace(")", " ").split()
    try:
        codes = np.array([_CODES[symbol] for symbol in symbols], np.uint8)
    except KeyError as error:
        raise unusable(path, f"symbols of ListOps in line {number}", str(error), AGAIN) from error
    if not len(codes):
        raise unusable(path, f"an expression in line {number}", "none", AGAIN)
    return codes
