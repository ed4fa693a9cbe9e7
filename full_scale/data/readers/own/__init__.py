"""The user's own data, by the form of the path.

- npz, or X.npy with y.npy beside it: x (n, length) of whole numbers or floats, or (n, length, channel) of
  floats, or (n,) of texts; y (n,) of classes; lengths (n,) if they differ; group (n,) of subjects or
  recordings. Or in parts: x_train, y_train, lengths_train, and so on for _validation and _test.
- csv (also with ";", tabs or "|"), jsonl, json, parquet, arrow, feather, ARFF: a column of labels, and a
  column of texts or lists, or one column of numbers per position.
- FASTA with the label in the headers; .ts of the UCR and UEA archives; the UCR archive's *_TRAIN.tsv.
- a folder: <class>/*.txt, or the same below train, validation and test; what `save_to_disk` writes; or one of
  the files above, one per part (train.csv, test.csv), or a FASTA file for every class.
- a zip or tar archive of any of these.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import extract, is_hidden, members
from full_scale.data.readers.files import decoded, opened, unusable
from full_scale.data.readers.labelled import label_codes
from full_scale.data.readers.npz import NpzArrays
from full_scale.data.readers.own import arrow
from full_scale.data.readers.own.arff import read_arff
from full_scale.data.readers.own.arrays import ENDINGS, parts_of_arrays
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.readers.own.delimited import UCR, read_delimited, ucr_pair
from full_scale.data.readers.own.fasta import fasta_sequences, read_fasta
from full_scale.data.readers.own.joined import Raw, joined
from full_scale.data.readers.own.npy_files import NpyArrays
from full_scale.data.readers.own.records import read_records
from full_scale.data.readers.own.table import Table, raw_table
from full_scale.data.readers.ucr import read_ts, read_ucr
from sims.runs.errors import UserError

PARTS = ("train", "validation", "test")
FORMATS = (
    "npz, npy (X.npy with y.npy), csv, tsv, jsonl, json, parquet, arrow, feather, fasta, arff, ts, "
    "a zip or tar of one, or a folder of CLASS/*.txt"
)
_TABLES: dict[str, Callable[..., Table]] = {
    ".csv": read_delimited, ".tsv": read_delimited, ".txt": read_delimited, ".data": read_delimited,
    ".jsonl": read_records, ".ndjson": read_records, ".json": read_records, ".arff": read_arff,
    **{ending: lambda path, columns: arrow.read_arrow(path) for ending in (".parquet", ".arrow", ".feather")},
}  # fmt: skip
FASTA = (".fasta", ".fa", ".fna", ".ffn", ".faa", ".fas")
_SINGLE = (*_TABLES, *FASTA, ".npz", ".ts")
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz2", ".txz")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")
_UNLABELLED = ("unsup", "unsupervised", "unlabeled", "unlabelled")


def read_own(path: Path, columns: Columns = DEFAULT) -> dict[str, Labelled]:
    """{"all"}, or the parts that there are, of data in any form that is read."""
    path, ending = Path(path), _ending_of(Path(path))
    if path.is_dir():
        if ending in _SINGLE and ending not in (".txt", ".data"):
            raise unusable(path, "a regular file", "a folder", "rename the folder, or give the file in it")
        return _folder(path, columns)
    opened(path).close()
    if ending == ".npz":
        return parts_of_arrays(path, NpzArrays(path, objects=True), columns)
    if ending == ".npy":
        return parts_of_arrays(path, NpyArrays(path), columns)
    if ending == ".ts":
        return _series(path)
    if UCR.fullmatch(path.name):
        return _joined(path, ucr_pair(path), columns)
    if ending in (*_TABLES, *FASTA):
        return _joined(path, {"all": path}, columns)
    if ending in _ARCHIVES:
        return _archive(path, columns)
    remedy = f"these are read: {FORMATS}"
    if ending in _PICKLES:
        remedy = f"a pickle runs code when it is opened: store x and y by numpy.savez; {remedy}"
    raise unusable(path, "a format that is read", ending or "no ending", remedy)


def _ending_of(path: Path) -> str:
    """The ending in small letters, that of the content where gzip is around it."""
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    inside = len(endings) == 2 and endings[1] == ".gz" and endings[0] in (*_TABLES, *FASTA)
    return endings[0] if inside else (endings or [""])[-1]


def _read_own_npz(path: Path) -> dict[str, Labelled]:
    """An npz of arrays."""
    return parts_of_arrays(Path(path), NpzArrays(path, objects=True))


def read_own_csv(path: Path, label: str | None = None, text: str | None = None) -> dict[str, Labelled]:
    """A csv; its columns by name."""
    return _joined(Path(path), {"all": Path(path)}, Columns(label=label, text=text))


def _joined(path: Path, files: dict[str, Path], columns: Columns) -> dict[str, Labelled]:
    """One file per part, read alike."""
    raws = {part: _raw(file, columns) for part, file in files.items()}
    return joined(path, "the sequences", raws, columns.fill)


def _raw(file: Path, columns: Columns) -> Raw:
    ending = _ending_of(file)
    if ending in FASTA:
        return read_fasta(file, columns)
    return raw_table(file, _TABLES[ending](file, columns), columns)


def _series(path: Path) -> dict[str, Labelled]:
    """*_TRAIN.ts with *_TEST.ts beside it as the archive divides them; any other .ts is one set."""
    part = re.fullmatch(r"(.*)_(TRAIN|TEST)\.ts", path.name, re.IGNORECASE)
    if part:
        pair = [path.with_name(f"{part.group(1)}_{name}.ts") for name in ("TRAIN", "TEST")]
        if all(file.is_file() for file in pair):
            return read_ucr(pair[0])
    return {"all": read_ts(path)}


def _folder(path: Path, columns: Columns) -> dict[str, Labelled]:
    """By what lies in it."""
    if arrow.is_saved(path):
        return _saved(path, columns)
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not is_hidden(file.name)]
    if not files and (path / "data").is_dir():
        inner = sorted((path / "data").iterdir())
        files = [file for file in inner if _ending_of(file) in _SINGLE and not is_hidden(file.name)]
    if any(file.name.upper().endswith("_TRAIN.TS") for file in files):
        return read_ucr(path)
    if any(UCR.fullmatch(file.name) for file in files):
        return _joined(path, ucr_pair(path), columns)
    if any(_ending_of(file) == ".npy" for file in files):
        return parts_of_arrays(path, NpyArrays(path), columns)
    usable = [file for file in files if _ending_of(file) in _SINGLE and _ending_of(file) != ".txt"]
    if not usable or any(
        not is_hidden(each.name) and each.is_dir() and any(each.glob("*.txt")) for each in path.iterdir()
    ):
        return read_text_folder(path, columns)
    return _files(path, usable, columns)


def _files(path: Path, files: list[Path], columns: Columns) -> dict[str, Labelled]:
    """One file, or one or more per part, told by their names: train.csv, test-00000-of-00002.parquet."""
    if len(files) == 1:
        return read_own(files[0], columns)
    parts: dict[str, list[Path]] = {}
    for file in files:
        words = re.split(r"[^a-z]+", file.name.lower())
        part = next((part for part, names in ENDINGS.items() if set(words) & set(names)), None)
        parts.setdefault(part or "", []).append(file)
    kinds = {_ending_of(file) for each in parts.values() for file in each}
    if set(parts) == {""} and kinds <= {*FASTA}:
        return joined(path, "the sequences", {"all": _by_file_name(files, columns)}, columns.fill)
    if "train" not in parts or "" in parts or len(kinds) != 1 or not kinds <= {*_TABLES, *FASTA}:
        listed = ", ".join(file.name for file in files[:6])
        raise unusable(path, "one file, or train, validation and test of one kind", listed, "give one file")
    return _shards(path, {part: parts[part] for part in PARTS if part in parts}, columns)


def _by_file_name(files: list[Path], columns: Columns) -> Raw:
    """A FASTA file for every class, named after it."""
    texts, names = [], []
    for file in files:
        read = fasta_sequences(file, columns)[1]
        texts += read
        names += [file.stem.partition(".")[0]] * len(read)
    return Raw(texts, names)


def _saved(path: Path, columns: Columns) -> dict[str, Labelled]:
    """What `save_to_disk` wrote."""
    saved = {}
    for name, files in arrow.shards(path).items():
        part = next((part for part, names in ENDINGS.items() if name in names), None)
        if files and (part or name == "all"):
            saved[part or "all"] = files
    if not saved or ("all" not in saved and "train" not in saved):
        raise unusable(path, "data-*.arrow files of a part named train", "none", "give the part's folder")
    return _shards(path, {part: saved[part] for part in (*PARTS, "all") if part in saved}, columns)


def _shards(path: Path, files: dict[str, list[Path]], columns: Columns) -> dict[str, Labelled]:
    """Several files of one part are one table."""
    raws = {}
    for part, each in files.items():
        if _ending_of(each[0]) in FASTA:
            raws[part] = read_fasta(each[0], columns)
            continue
        tables = [_TABLES[_ending_of(file)](file, columns) for file in each]
        if any(table.names != tables[0].names for table in tables):
            raise unusable(path, f"the same columns in every file of {part}", "others", "give one file")
        rows = [row for table in tables for row in table.rows]
        lines = [line for table in tables for line in table.lines]
        raws[part] = raw_table(each[0], tables[0]._replace(rows=rows, lines=lines), columns)
    return joined(path, "the sequences", raws, columns.fill)


def _archive(path: Path, columns: Columns) -> dict[str, Labelled]:
    """Texts by class as they lie in it, anything else from a folder that is removed again."""
    names: list[str] = []
    try:
        return read_text_folder(path, columns, names)
    except UserError:
        if not any(_ending_of(Path(name)) in (*_SINGLE, ".npy") for name in names if not _is_text(name)):
            raise
    wanted = lambda name: _ending_of(Path(name)) in (*_SINGLE, ".npy", ".json") and not _is_text(name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / path.name.partition(".")[0]
        files = extract(path, folder, wanted)
        top = Path(*files[0].relative_to(folder).parts[:-1])
        try:
            return read_own(folder / top if len(files) > 1 else files[0], columns)
        except UserError as error:
            raise UserError(str(error).replace(str(folder), str(path))) from error


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
        return _is_text(name)

    for name, data in members(path, wanted):
        if PurePosixPath(name).parts[-2] not in _UNLABELLED:
            texts[name] = decoded(path / name, data, encoding=columns.encoding)
    if not texts:
        raise unusable(path, "texts as <class>/*.txt", _endings(every), _folder_remedy(every))
    return _texts_by_part(path, texts, _left_out(every))


def _endings(names: list[str]) -> str:
    """The endings of the files that are there, with their numbers."""
    counts = Counter(Path(name).suffix or Path(name).name for name in names if not is_hidden(name))
    return ", ".join(f"{count} {ending}" for ending, count in counts.most_common(5)) or "none"


def _folder_remedy(names: list[str]) -> str:
    if any(name.count("/") for name in names if not is_hidden(name)):
        return "give texts the ending .txt, in a folder for every class"
    return f"make a folder of .txt files for every class; these are read: {FORMATS}"


def _left_out(names: list[str]) -> tuple[Finding, ...]:
    hidden = sum(is_hidden(name) for name in names)
    others = sum(not is_hidden(name) and not _is_text(name) for name in names)
    unlabelled = sum(_is_text(name) and PurePosixPath(name).parts[-2] in _UNLABELLED for name in names)
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
    codes, classes = label_codes(path, [parents[-1] for parents in parents_by_name.values()])
    code = dict(zip(parents_by_name, codes, strict=True))
    parts = {}
    for part in PARTS if split else ("all",):
        names = [name for name, parents in parents_by_name.items() if not split or known[parents[-2]] == part]
        if names:
            labels = np.array([code[name] for name in names], np.int32)
            parts[part] = Labelled([texts[name] for name in names], labels, classes, findings=findings)
            findings = ()
    return parts


def _is_text(name: str) -> bool:
    return re.fullmatch(r"(\./)?[^/]+(/[^/]+){1,3}\.txt", name) is not None


__all__ = ["FASTA", "FORMATS", "PARTS", "read_own", "read_own_csv", "read_text_folder"]
