"""Files that lie or attack: nothing is executed, nothing leaves the folder, memory stays bounded."""

import contextlib
import gzip
import io
import os
import pickle
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.readers import archives, cifar, npz
from full_scale.data.readers.files import content, source_identity, unfolded
from full_scale.data.readers.pickled import plain_pickle
from sims.runs.store import UserError
from tests.full_scale.data import reader_files
from tests.full_scale.data.reader_files import saved, tarred, zipped

MIB = 1 << 20
BATCH = reader_files.python2_batch(np.zeros((1, 3072), np.uint8), [1])
CIFAR = {source.name: source for source in reader_files.cifar_sources()}


class Attack:
    """Unpickling it creates a file."""

    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self) -> tuple:
        return (os.mkdir, (str(self.victim),))


def commands(victim: str) -> dict[str, bytes]:
    """Pickles that would run something, by the way they ask for it."""
    attack = Attack(Path(victim))
    ways = {f"protocol {protocol}": pickle.dumps({b"data": attack}, protocol) for protocol in range(2, 6)}
    asked = f"(S'{victim}'\n".encode()
    return ways | {
        "global": b"\x80\x02cos\nmkdir\n" + asked + b"tR.",
        "instance": asked[:1] + asked[1:] + b"ios\nmkdir\n.",
        "object": b"(cos\nmkdir\n" + asked[1:] + b"o.",
        "new object": b"\x80\x02cos\nmkdir\n" + asked + b"t\x81.",
        "persistent": b"Pos.mkdir\n.",
        "extension": b"\x80\x02\x82\x01.",
        "builtin": b'cbuiltins\neval\n(S\'__import__("os").mkdir("x")\'\ntR.',
        "below numpy": b"cnumpy\nrunstring\n" + asked + b"tR.",
        "dtype of a name": b"cnumpy\ndtype\n(cos\nmkdir\ntR.",
    }


@pytest.mark.parametrize("way", commands("x"))
def test_nothing_in_a_pickle_is_executed(way: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    files = CIFAR["cifar python 3"].files | {"cifar/data_batch_1": commands(str(victim))[way]}
    path = reader_files.Source("attack", files, "cifar", cifar.read_cifar).written(tmp_path)
    with pytest.raises(UserError, match=r"data_batch_1: expected the python version's dict .* got .*; "):
        cifar.read_cifar(path)
    assert not victim.exists()


def test_the_attack_would_have_worked(tmp_path: Path) -> None:
    pickle.loads(commands(str(tmp_path / "victim"))["protocol 2"])
    assert (tmp_path / "victim").exists()


def test_a_pickle_that_goes_on_is_left() -> None:
    with pytest.raises(ValueError, match="a pickle of more than 100 steps"):
        plain_pickle(b"\x80\x02" + b"]" * 100 + b".", most=100)


def test_a_refused_name_is_shown() -> None:
    with pytest.raises(ValueError, match=r"asks for 'posix mkdir': not plain data, nothing was executed"):
        plain_pickle(commands("x")["protocol 4"])


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x80\x02\x8e" + b"\xff" * 7 + b"\x7f.",
        b"\x80\x02}r\xff\xff\xff\x7f.",
        b"\x80\x02](" + b"K\x01" * 9 + b"e" + b"\x85q\x00h\x00h\x00\x86" * 60 + b".",
        b"\x80\x02}(" + b"]" * 5000 + b"\x85" * 5000 + b".",
        BATCH.replace(b"M\x00\x0c", b"J\xff\xff\xff\x7f"),
    ],
    ids=["length", "memo", "doubling", "deep", "shape"],
)
def test_a_pickle_that_claims_memory_gets_none(bomb: bytes) -> None:
    tracemalloc.start()
    with contextlib.suppress(ValueError):
        plain_pickle(bomb)
    assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    tracemalloc.stop()


def header_of(shape: str, kind: str = "<f8") -> bytes:
    """A `.npy` file of no values whose header claims a shape."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize("shape", ["(1250000000,)", "(99999999999, 99999999)", "(2, 3)"])
def test_a_header_that_claims_more_than_is_there_allocates_nothing(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(zipped({"x.npy": header_of(shape)}))
    tracemalloc.start()
    with pytest.raises(UserError, match=r"a\.npz: expected an array .* got 0 bytes where shape .* needs"):
        npz.NpzArrays(path)["x"]
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.array(["ä", "long"]),
        np.array([b"a", b"bc"]),
        np.array(3.5),
        np.zeros((0, 4), np.uint8),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_are_read_as_numpy_reads_them(array: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, array)
    found = npz.npy_array(path)
    np.testing.assert_array_equal(found, np.load(path))
    assert found.dtype.isnative and found.shape == array.shape


def test_an_npz_is_read_one_array_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(zipped({"good.npy": saved(np.save, np.arange(3)), "bad.npy": b"nothing"}))
    arrays = npz.NpzArrays(path)
    assert list(arrays) == ["good", "bad"] and arrays["good"].tolist() == [0, 1, 2]
    with pytest.raises(UserError, match=r"a\.npz: expected a \.npy array, got first bytes b'nothin'; "):
        arrays["bad"]


def test_content_out_of_proportion_is_not_unfolded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(80 * MIB), 9))
    with pytest.raises(
        UserError, match=r"bomb\.gz: expected a whole gzip file, got more than [0-9,]+ bytes; "
    ):
        unfolded(path)


def test_a_zip_bomb_is_refused_by_what_it_claims(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    path.write_bytes(zipped({"x.npy": header_of(f"({80 * MIB},)", "|u1") + bytes(80 * MIB)}))
    with pytest.raises(UserError, match=r"expected at most [0-9,]+ bytes in x\.npy, got 83,886,208; "):
        npz.NpzArrays(path)["x"]


def link(name: str, target: str, kind: bytes) -> bytes:
    """A tar archive with one link or device."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return stream.getvalue()


ESCAPES = {
    "tar absolute": tarred({"/tmp/x": b"x"}),
    "tar climbing": tarred({"a/../../x": b"x"}),
    "tar backslash": tarred({"..\\x": b"x"}),
    "tar drive": tarred({"C:x": b"x"}),
    "tar symbolic link": link("a", "/etc/passwd", tarfile.SYMTYPE),
    "tar hard link": link("a", "/etc/passwd", tarfile.LNKTYPE),
    "tar device": link("a", "", tarfile.CHRTYPE),
    "tar pipe": link("a", "", tarfile.FIFOTYPE),
    "zip absolute": zipped({"/tmp/x": b"x"}),
    "zip climbing": zipped({"a/../../x": b"x"}),
    "zip backslash": zipped({"a\\..\\..\\x": b"x"}),
}


@pytest.mark.parametrize("way", ESCAPES)
def test_an_archive_never_writes_outside_the_target(way: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(ESCAPES[way])
    with pytest.raises(UserError, match=r"archive: expected .*, got .*; do not use this archive"):
        archives.extract(path, tmp_path / "target" / "deep")
    assert list((tmp_path / "target").rglob("*")) == [tmp_path / "target" / "deep"]
    assert sorted(os.listdir(tmp_path)) == ["archive", "target"]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match="expected regular files, got 'a', a link or a device"):
        archives.extract(path, tmp_path / "target")


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_a_sound_archive_is_extracted_whole_and_never_over_files(pack, tmp_path: Path) -> None:
    files = {"a/b.txt": b"one", "c.txt": b"two"}
    (tmp_path / "archive").write_bytes(pack(files))
    found = archives.extract(tmp_path / "archive", tmp_path / "target")
    assert {path.relative_to(tmp_path / "target").as_posix(): path.read_bytes() for path in found} == files
    with pytest.raises(
        UserError, match=r"b\.txt: expected no file yet, got one that exists; choose an empty"
    ):
        archives.extract(tmp_path / "archive", tmp_path / "target")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_that_ends_early_is_told(mode: str, tmp_path: Path) -> None:
    whole = tarred({"a.txt": b"x" * 600, "b.txt": b"y"}, mode)
    path = tmp_path / "a.tar"
    for end in (700, 1536) if mode == "w" else (len(whole) // 3, len(whole) - 9):
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"a\.tar: expected "):
            list(archives.members(path, lambda name: True))


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe: expected a regular file, got a folder, a pipe or a device; "):
        content(tmp_path / "pipe")


def test_a_source_is_the_same_wherever_it_lies(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "data" / "sub").mkdir(parents=True)
        (tmp_path / place / "data" / "sub" / "a").write_bytes(b"x")
    one = source_identity(tmp_path / "one" / "data")
    assert one == source_identity(tmp_path / "two" / "data")
    (tmp_path / "two" / "data" / "sub" / "a").rename(tmp_path / "two" / "data" / "a")
    assert one["sha256"] != source_identity(tmp_path / "two" / "data")["sha256"]
