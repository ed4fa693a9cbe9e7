"""A folder or archive of texts: <class>/*.txt, or the same below train, validation and test."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import is_hidden, members
from full_scale.data.readers.files import decoded, unusable
from full_scale.data.readers.labelled import label_codes
from full_scale.data.readers.own.arrays import ENDINGS
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.readers.own.label_notices import spelling

PARTS = ("train", "validation", "test")
FORMATS = (
    "npz, npy (X.npy with y.npy), csv, tsv, jsonl, json, parquet, arrow, feather, fasta, arff, ts, "
    "a zip or tar of one, or a folder of CLASS/*.txt"
)
_UNLABELLED = ("unsup", "unsupervised", "unlabeled", "unlabelled")


def read_text_folder(
    path: Path, columns: Columns = DEFAULT, names: list[str] | None = None
) -> dict[str, Labelled]:
    """{"all"} of <class>/*.txt, or the parts of {train,validation,test}/<class>/*.txt, by name.

    `names` is filled with all that lies there, hidden or not.
    """
    path, every = Path(path), [] if names is None else names
    texts = {}

    def wanted(name: str) -> bool:
        every.append(name)
        return is_text(name)

    for name, data in members(path, wanted):
        if PurePosixPath(name).parts[-2] not in _UNLABELLED:
            texts[name] = decoded(path / name, data, encoding=columns.encoding)
            if not texts[name].strip():
                raise unusable(path / name, "a text", "blanks alone", "remove the file")
    if not texts:
        raise unusable(path, "texts as <class>/*.txt", _endings(every), _folder_remedy(every))
    return _texts_by_part(path, texts, _left_out(every))


def _endings(names: list[str]) -> str:
    """The endings of the files that are there, with their numbers."""
    counts = Counter(Path(name).suffix or Path(name).name for name in names if not is_hidden(name))
    return ", ".join(f"{count} {ending}" for ending, count in counts.most_common(5)) or "none"


def _folder_remedy(names: list[str]) -> str:
    if any(re.search(r"\.(zip|tar|tgz|gz|bz2|xz|7z|rar)$", name, re.IGNORECASE) for name in names):
        return "unpack the archive inside"
    if any(re.search(r"\.(parquet|csv|tsv|jsonl|arrow|npz)$", name, re.IGNORECASE) for name in names):
        return "give one table, or one per part (train, validation, test), in one folder"
    if any(name.count("/") for name in names if not is_hidden(name)):
        return "give texts the ending .txt, in a folder for every class"
    return f"make a folder of .txt files for every class; these are read: {FORMATS}"


def _left_out(names: list[str]) -> tuple[Finding, ...]:
    hidden = sum(is_hidden(name) for name in names)
    others = sum(not is_hidden(name) and not is_text(name) for name in names)
    unlabelled = sum(is_text(name) and PurePosixPath(name).parts[-2] in _UNLABELLED for name in names)
    findings = []
    for count, what in ((hidden, "hidden files"), (others, "files that are no texts by class"),
                        (unlabelled, "texts without a label (unsup)")):  # fmt: skip
        if count:
            findings.append(Finding("files-left-out", "pass", f"{count} {what} were left out"))
    return tuple(findings)


def _texts_by_part(path: Path, texts: dict[str, str], findings: tuple[Finding, ...]) -> dict[str, Labelled]:
    parents_by_name = {name: PurePosixPath(name).parts[:-1] for name in sorted(texts)}
    known = {end: part for part, ends in ENDINGS.items() for end in ends if end not in ("tr", "te")}
    split = all(len(parents) > 1 and parents[-2] in known for parents in parents_by_name.values())
    _require_classes_or_parts(path, {parents[-1] for parents in parents_by_name.values()}, set(known))
    codes, classes = label_codes(path, [parents[-1] for parents in parents_by_name.values()])
    findings += spelling(list(classes))
    code = dict(zip(parents_by_name, codes, strict=True))
    parts = {}
    for part in PARTS if split else ("all",):
        names = [name for name, parents in parents_by_name.items() if not split or known[parents[-2]] == part]
        if names:
            labels = np.array([code[name] for name in names], np.int32)
            parts[part] = Labelled([texts[name] for name in names], labels, classes, findings=findings)
            findings = ()
    return parts


def _require_classes_or_parts(path: Path, classes: set[str], known: set[str]) -> None:
    """Raise UserError where texts lie in a folder called test, say, beside folders of classes: test is no class."""
    parts = sorted(classes & known)
    if parts and classes - known:
        received = f"{', '.join(parts)} beside {', '.join(sorted(classes - known)[:6])}"
        remedy = "move it out of the folder, or put the classes into folders below train and test"
        raise unusable(path, "folders named after classes, or after parts", received, remedy)


def is_text(name: str) -> bool:
    return re.fullmatch(r"(\./)?[^/]+(/[^/]+){1,7}\.txt", name, re.IGNORECASE) is not None
