"""Sets of Pathfinder: any part alone has the same bytes, and what was cut is finished to them."""

import numpy as np
import pytest

from full_scale.data.generators import pathfinder, shards
from full_scale.data.generators.pathfinder import PathfinderSettings, generate, load, pairs, prepare
from sims.runs.store import UserError

SMALL = PathfinderSettings(contour_length=6)


def test_any_part_of_a_set_has_the_same_bytes(monkeypatch):
    whole = generate(SMALL, seed=3, start=0, count=40)
    monkeypatch.setattr(pairs, "SHEET_BYTES", 1 << 17)
    parts = [generate(SMALL, seed=3, start=start, count=count) for start, count in ((0, 7), (7, 1), (8, 32))]
    for number in (0, 1):
        np.testing.assert_array_equal(whole[number], np.concatenate([part[number] for part in parts]))
    for name, array in whole[2].items():
        np.testing.assert_array_equal(array, np.concatenate([part[2][name] for part in parts]))
    assert (generate(SMALL, seed=4, start=0, count=8)[0] != whole[0][:8]).any()


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_set_that_was_cut_is_finished_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 8)
    prepare(tmp_path / "whole", SMALL, count=28, seed=1, processes=1)
    whole = contents(tmp_path / "whole")

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "cut", SMALL, count=28, seed=1, processes=1, report=stop)
    with pytest.raises(UserError, match="3 shards are not made"):
        load(tmp_path / "cut")
    (tmp_path / "cut" / "pathfinder-00000.npz").write_bytes(b"damaged")
    lines: list[str] = []
    prepare(tmp_path / "cut", SMALL, count=28, seed=1, processes=1, report=lines.append)
    assert contents(tmp_path / "cut") == whole and len(lines) == 4
    images, labels, _ = load(tmp_path / "cut")
    np.testing.assert_array_equal(images, generate(SMALL, seed=1, start=0, count=28)[0])
    assert images.dtype == labels.dtype == np.uint8
    prepare(tmp_path / "cut", SMALL, count=28, seed=1, report=stop)  # nothing is left to do


def test_processes_make_the_same_shards(tmp_path):
    plan = shards.Plan("pathfinder", SMALL, 1, 8, 4)
    for processes in (1, 2):
        shards.prepare(tmp_path / str(processes), plan, pathfinder._shard, processes=processes)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_folder_of_another_set_or_a_changed_shard_is_refused(tmp_path):
    prepare(tmp_path, SMALL, count=2, seed=1, processes=1)
    with pytest.raises(UserError, match="found other settings"):
        prepare(tmp_path, SMALL, count=2, seed=2, processes=1)
    path = tmp_path / "pathfinder-00000.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="found it missing or changed"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="describe a pathfinder set"):
        load(tmp_path)
    with pytest.raises(UserError, match="sptlab data prepare pathfinder"):
        load(tmp_path / "none")
