"""Results on disk are whole or absent, the same bytes for the same numbers, one writer at a time."""

import contextlib
import dataclasses
import json
import resource
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sims.runs import store
from sims.runs.provenance import canonical


@dataclasses.dataclass(frozen=True)
class Setting:
    size: int = 3
    source: Path | None = None


def result(number: float) -> store.Result:
    arrays = {"grid": np.full(1000, number)}
    return store.Result("toy", {"number": number}, arrays, {"config_hash": str(number)})


def one_line(error: pytest.ExceptionInfo) -> str:
    message = str(error.value)
    assert message and "\n" not in message
    return message


def test_a_result_comes_back_as_it_was_stored(tmp_path):
    stored = store.Result("toy", {"a": [1, 2.5, None, "x"]}, {"b": np.arange(6.0).reshape(2, 3)}, {"seed": 0})
    store.save(tmp_path, stored)
    loaded = store.load(tmp_path, "toy")
    assert (loaded.name, loaded.values, loaded.record) == (stored.name, stored.values, stored.record)
    np.testing.assert_array_equal(loaded.arrays["b"], stored.arrays["b"])


def test_the_same_numbers_give_the_same_bytes_in_any_order(tmp_path):
    arrays = {"b": np.arange(3.0), "a": np.ones((2, 2))}
    for folder, names in (("one", ("a", "b")), ("two", ("b", "a"))):
        values = {name: 1.0 for name in names}
        store.save(tmp_path / folder, store.Result("toy", values, {name: arrays[name] for name in names}, {}))
    for suffix in (".json", ".npz"):
        first, second = (tmp_path / folder / f"toy{suffix}" for folder in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


def test_numbers_that_are_not_finite_are_stored_as_null(tmp_path):
    store.save(tmp_path, store.Result("toy", {"x": float("nan"), "y": [float("inf")]}, {}, {}))
    content = json.loads((tmp_path / "toy.json").read_text(), parse_constant=pytest.fail)
    assert content["values"] == {"x": None, "y": [None]}


KILLED_AT_EVERY_STEP = """
import os, signal, sys
from pathlib import Path
import numpy as np
from sims.runs import store

def killed_at(step, folder):
    seen = 0
    def counted(call):
        def maybe(*arguments):
            nonlocal seen
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments)
        return maybe
    os.fsync, os.replace = counted(os.fsync), counted(os.replace)
    arrays = {"grid": np.full(1000, 2.0)}
    store.save(folder, store.Result("toy", {"number": 2.0}, arrays, {"config_hash": "2.0"}))

for step in range(1, 6):
    child = os.fork()
    if child == 0:
        killed_at(step, Path(sys.argv[1]) / str(step))
        os._exit(0)
    print(step, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_run_killed_at_any_step_of_writing_leaves_the_old_result_or_the_new_or_none(tmp_path):
    for step in range(1, 6):
        store.save(tmp_path / str(step), result(1.0))
    command = [sys.executable, "-c", KILLED_AT_EVERY_STEP, str(tmp_path)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True)
    assert outcome.stdout.split() == ["1", "-9", "2", "-9", "3", "-9", "4", "-9", "5", "0"], outcome.stderr
    for step in range(1, 6):
        folder = tmp_path / str(step)
        old, new = (store.finished(folder, "toy", {"config_hash": name}) for name in ("1.0", "2.0"))
        assert (bool(old), bool(new)) == (step <= 3, step == 5)
        with store.lock(folder):
            assert not list(folder.glob(".*.partial"))
        kept = store.stage(
            folder, "toy", Setting(), lambda: ({"number": 3.0}, {}), command="c", seed=0, code=()
        )
        assert kept.values == {"number": 3.0}


@contextlib.contextmanager
def file_size_limit(limit: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def tiny_disk(folder: Path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def large() -> store.Result:
    noise = np.random.default_rng(0).normal(size=30_000)
    return store.Result("toy", {"number": 2.0}, {"grid": noise}, {"config_hash": "2.0"})


def assert_refused_and_old_result_kept(folder: Path):
    with pytest.raises(store.StoreError, match="cannot write") as error:
        store.save(folder, large())
    assert "choose another --out" in one_line(error)
    assert store.finished(folder, "toy", {"config_hash": "1.0"})
    assert not list(folder.glob(".*.partial"))


def test_a_full_disk_is_one_line_and_keeps_the_old_result(tmp_path):
    with tiny_disk(tmp_path):
        store.save(tmp_path, result(1.0))
        assert_refused_and_old_result_kept(tmp_path)


def test_a_file_size_limit_is_one_line_and_keeps_the_old_result(tmp_path):
    store.save(tmp_path, result(1.0))
    with file_size_limit(64 * 1024):
        assert_refused_and_old_result_kept(tmp_path)


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, path):
    (tmp_path / "file").write_text("")
    for attempt in (
        lambda: store.lock(tmp_path / path).__enter__(),
        lambda: store.save(tmp_path / path, result(1.0)),
    ):
        with pytest.raises(store.StoreError, match="expected a folder") as error:
            attempt()
        one_line(error)


def test_a_second_run_into_one_folder_is_refused_until_the_first_ends(tmp_path):
    with store.lock(tmp_path):
        with pytest.raises(store.StoreError, match="another run is writing there") as error:
            store.lock(tmp_path).__enter__()
        one_line(error)
    with store.lock(tmp_path):
        pass


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"values": {}}'])
def test_a_damaged_json_is_named(tmp_path, damage):
    store.save(tmp_path, result(1.0))
    (tmp_path / "toy.json").write_bytes(damage)
    with pytest.raises(store.StoreError, match=r"toy\.json.*damaged.*delete it") as error:
        store.load(tmp_path, "toy")
    one_line(error)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: data + b"x"])
def test_a_damaged_npz_is_named(tmp_path, damage):
    store.save(tmp_path, result(1.0))
    path = tmp_path / "toy.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(store.StoreError, match=r"toy\.npz.*damaged") as error:
        store.load(tmp_path, "toy")
    one_line(error)


def test_an_absent_result_or_absent_arrays_are_named(tmp_path):
    with pytest.raises(store.StoreError, match=r"toy\.json.*run the command again"):
        store.load(tmp_path, "toy")
    store.save(tmp_path, result(1.0))
    (tmp_path / "toy.npz").unlink()
    with pytest.raises(store.StoreError, match=r"toy\.npz"):
        store.load(tmp_path, "toy")


def computed(folder: Path, setting: Setting, seed: int = 0) -> bool:
    calls = []
    compute = lambda: calls.append(1) or ({}, {"grid": np.ones(2)})
    store.stage(folder, "toy", setting, compute, command="c", seed=seed, code=())
    return bool(calls)


def test_a_stage_is_computed_once_per_config_and_seed(tmp_path):
    assert computed(tmp_path, Setting())
    assert not computed(tmp_path, Setting())
    assert computed(tmp_path, Setting(size=4))
    assert not computed(tmp_path, Setting(size=4))
    assert computed(tmp_path, Setting(size=4), seed=1)


def test_a_stage_is_computed_again_when_its_arrays_are_damaged(tmp_path):
    assert computed(tmp_path, Setting())
    (tmp_path / "toy.npz").write_bytes(b"")
    assert computed(tmp_path, Setting())


def test_a_file_in_a_config_counts_by_its_content_not_its_place(tmp_path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "text").write_text("same")
    assert computed(tmp_path, Setting(source=tmp_path / "here" / "text"))
    assert not computed(tmp_path, Setting(source=tmp_path / "there" / "text"))
    (tmp_path / "there" / "text").write_text("other")
    assert computed(tmp_path, Setting(source=tmp_path / "there" / "text"))


def test_provenance_is_deterministic_and_names_no_machine(tmp_path):
    (tmp_path / "text").write_text("x")
    setting = Setting(source=tmp_path / "text")
    record = store.provenance(setting, command="sptlab simulate", seed=3)
    assert record == store.provenance(setting, command="sptlab simulate", seed=3)
    assert record["config"]["size"] == 3 and record["seed"] == 3 and "jax" in record["versions"]
    for private in (str(tmp_path), str(Path(store.__file__).parent), socket.gethostname(), str(Path.home())):
        assert private not in canonical(record)
