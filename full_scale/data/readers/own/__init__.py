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

import dataclasses
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from full_scale.data.findings import Finding
from full_scale.data.labelled import Labelled
from full_scale.data.readers.archives import extract, is_hidden
from full_scale.data.readers.files import opened, unusable
from full_scale.data.readers.npz import NpzArrays
from full_scale.data.readers.own import arrow
from full_scale.data.readers.own.arff import read_arff
from full_scale.data.readers.own.arrays import ENDINGS, parts_of_arrays
from full_scale.data.readers.own.columns import DEFAULT, Columns
from full_scale.data.readers.own.delimited import UCR, read_delimited, ucr_pair
from full_scale.data.readers.own.fasta import fasta_sequences, read_fasta
from full_scale.data.readers.own.joined import Raw, joined
from full_scale.data.readers.own.npy_files import NpyArrays
from full_scale.data.readers.own.part_column import by_part
from full_scale.data.readers.own.records import read_records
from full_scale.data.readers.own.sequences import stand_in
from full_scale.data.readers.own.table import Table, ordered, raw_table
from full_scale.data.readers.own.text_folder import FORMATS, PARTS, is_text, read_text_folder
from full_scale.data.readers.ucr import read_ts, read_ucr
from sims.runs.errors import UserError

_TABLES: dict[str, Callable[..., Table]] = {
    ".csv": read_delimited, ".tsv": read_delimited, ".txt": read_delimited, ".data": read_delimited,
    ".jsonl": read_records, ".ndjson": read_records, ".json": read_records, ".arff": read_arff,
    **dict.fromkeys((".parquet", ".arrow", ".feather"), arrow.read_arrow),
}  # fmt: skip
FASTA = (".fasta", ".fa", ".fna", ".ffn", ".faa", ".fas")
_SINGLE = (*_TABLES, *FASTA, ".npz", ".ts")
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz2", ".txz")
_PACKED = (".gz", ".bz2", ".xz")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")


def read_own(path: Path, columns: Columns = DEFAULT) -> dict[str, Labelled]:
    """{"all"}, or the parts that there are, of data in any form that is read."""
    path, ending = Path(path), _ending_of(Path(path))
    if path.is_dir():
        if ending in _SINGLE and ending not in (".txt", ".data"):
            raise unusable(path, "a regular file", "a folder", "rename the folder, or give the file in it")
        return _folder(path, columns)
    opened(path).close()
    _require_joined(path, [path, *_labels_beside(path)])
    if ending == ".npz":
        return parts_of_arrays(path, NpzArrays(path, objects=True), columns)
    if ending == ".npy":
        return parts_of_arrays(path, NpyArrays(path), columns)
    if ending == ".ts":
        return _series(path, columns)
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
    """The ending in small letters, that of the content where gzip, bzip2 or xz is around it."""
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    inside = len(endings) == 2 and endings[1] in _PACKED and endings[0] in (*_TABLES, *FASTA)
    return endings[0] if inside else (endings or [""])[-1]


def _read_own_npz(path: Path) -> dict[str, Labelled]:
    """An npz of arrays."""
    return parts_of_arrays(Path(path), NpzArrays(path, objects=True))


def read_own_csv(path: Path, label: str | None = None, text: str | None = None) -> dict[str, Labelled]:
    """A csv; its columns by name."""
    return _joined(Path(path), {"all": Path(path)}, Columns(label=label, text=text))


def _joined(path: Path, files: dict[str, Path], columns: Columns) -> dict[str, Labelled]:
    """One file per part, read alike."""
    return _shards(path, {part: [file] for part, file in files.items()}, columns)


def _series(path: Path, columns: Columns) -> dict[str, Labelled]:
    """*_TRAIN.ts with *_TEST.ts beside it as the archive divides them; any other .ts is one set."""
    _require_no_names(path, columns)
    part = re.fullmatch(r"(.*)_(TRAIN|TEST)\.ts", path.name, re.IGNORECASE)
    if part:
        pair = [path.with_name(f"{part.group(1)}_{name}.ts") for name in ("TRAIN", "TEST")]
        if all(file.is_file() for file in pair):
            return _looked_over(read_ucr(pair[0], columns.encoding))
    return _looked_over({"all": read_ts(path, columns.encoding)})


def _require_no_names(path: Path, columns: Columns) -> None:
    """Raise UserError where columns are named of a .ts file, which has none."""
    if any((columns.label, columns.text, columns.group)):
        remedy = "a .ts file has one label behind each series: leave them out"
        raise unusable(path, "no --label, --text or --group", "one of them", remedy)


def _looked_over(parts: dict[str, Labelled]) -> dict[str, Labelled]:
    """Series with a note where one value seems to stand for a missing one."""
    first = next(iter(parts))
    some = np.concatenate([series for part in parts.values() for series in part.examples[:1_000]])
    more = stand_in("the file", some[None])
    return parts | {first: dataclasses.replace(parts[first], findings=parts[first].findings + more)}


def _folder(path: Path, columns: Columns) -> dict[str, Labelled]:
    """By what lies in it."""
    if arrow.is_saved(path):
        return _saved(path, columns)
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not is_hidden(file.name)]
    if not files and (path / "data").is_dir():
        inner = sorted((path / "data").iterdir())
        files = [file for file in inner if _ending_of(file) in _SINGLE and not is_hidden(file.name)]
    if any(file.name.upper().endswith("_TRAIN.TS") for file in files):
        _require_no_names(path, columns)
        return _looked_over(read_ucr(path, columns.encoding))
    _require_joined(path, files)
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


def _labels_beside(path: Path) -> list[Path]:
    """y_train.csv of X_train.csv."""
    names = [path.with_name(mark + path.name[1:]) for mark in "yY"] if path.name[:1] in "xX" else []
    return [file for file in names if file.is_file()]


def _require_joined(path: Path, files: list[Path]) -> None:
    """Raise UserError where a table holds the sequences and another one the labels, such as X_train.csv."""
    tables = {file.name.lower(): file for file in files if _ending_of(file) in _TABLES}
    for name, file in tables.items():
        other = next((each for each in tables if name[:1] == "x" and each == "y" + name[1:]), None)
        if other and re.fullmatch(r"x([_.\-].*)?", name):
            remedy = (
                "put the labels into the table of the sequences as a column named label, or store both as npy"
            )
            raise unusable(
                path, "sequences and labels in one table", f"{file.name} and {tables[other].name}", remedy
            )


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
    if (
        kinds == {".npz"}
        and "train" in parts
        and "" not in parts
        and all(len(each) == 1 for each in parts.values())
    ):
        arrays = {part: NpzArrays(each[0], objects=True) for part, each in parts.items()}
        named = {f"{name}_{part}": each[name] for part, each in arrays.items() for name in each}
        return parts_of_arrays(path, named, columns)
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
    saved, left = {}, []
    for name, files in arrow.shards(path).items():
        part = next((part for part, names in ENDINGS.items() if name in names), None)
        if files and (part or name == "all"):
            saved[part or "all"] = files
        elif files:
            left.append(name)
    if not saved or ("all" not in saved and "train" not in saved):
        raise unusable(path, "data-*.arrow files of a part named train", "none", "give the part's folder")
    read = _shards(path, {part: saved[part] for part in (*PARTS, "all") if part in saved}, columns)
    words = f"the parts {', '.join(left)} were not read: neither train, validation nor test"
    more = (Finding("parts-unused", "warn", words, "give that part's folder if it is meant"),) if left else ()
    first = next(iter(read))
    return read | {first: dataclasses.replace(read[first], findings=read[first].findings + more)}


def _shards(path: Path, files: dict[str, list[Path]], columns: Columns) -> dict[str, Labelled]:
    """Several files of one part are one table; parts have the same columns, in whatever order."""
    raws: dict[str, Raw] = {}
    first: Table | None = None
    for part, each in files.items():
        if _ending_of(each[0]) in FASTA:
            if len(each) > 1:
                raise unusable(path, f"one FASTA file of {part}", f"{len(each)}", "put them into one file")
            raws[part] = read_fasta(each[0], columns)
            continue
        tables = [_TABLES[_ending_of(file)](file, columns) for file in each]
        first = first or tables[0]
        alike = [ordered(path, table, first, part) for table in tables]
        if any(table.names != alike[0].names for table in alike):
            raise unusable(path, f"the same columns in every file of {part}", "others", "give one file")
        rows = [row for table in alike for row in table.rows]
        lines = [line for table in alike for line in table.lines]
        whole = alike[0]._replace(rows=rows, lines=lines)
        for name, some in (by_part(each[0], whole, columns) if part == "all" else {part: whole}).items():
            raws[name] = raw_table(each[0], some, columns)
    return joined(path, "the sequences", raws, columns.fill)


def _archive(path: Path, columns: Columns) -> dict[str, Labelled]:
    """Texts by class as they lie in it, anything else from a folder that is removed again."""
    names: list[str] = []
    inside, packed = (["", ""] + [ending.lower() for ending in path.suffixes])[-2:]
    if packed in _PACKED and inside in (*_SINGLE, ".npy", ".zip"):
        received, remedy = f"{inside} in {packed}", "unpack it first"
        raise unusable(path, "a file that is read as it is", received, remedy)
    try:
        return read_text_folder(path, columns, names)
    except UserError:
        if not any(_ending_of(Path(name)) in (*_SINGLE, ".npy") for name in names if not is_text(name)):
            raise
    wanted = lambda name: _ending_of(Path(name)) in (*_SINGLE, ".npy", ".json") and not is_text(name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / path.name.partition(".")[0]
        files = extract(path, folder, wanted)
        files = [file for file in files if _ending_of(file) != ".txt"] or files
        top = Path(*files[0].relative_to(folder).parts[:-1])
        try:
            return read_own(folder / top if len(files) > 1 else files[0], columns)
        except UserError as error:
            raise UserError(str(error).replace(str(folder), str(path))) from error


__all__ = ["FASTA", "FORMATS", "PARTS", "read_own", "read_own_csv", "read_text_folder"]
