"""What `sptlab export` writes of stored runs: the best one, at the end of its pretraining or of all phases."""

import dataclasses
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from full_scale.data.dataset import Inputs
from full_scale.export.stored_runs import best, on_one_data_set, stored_runs
from full_scale.model.weights_file import names, read
from full_scale.objectives.phases import Phase
from full_scale.training.trial import TrialConfig, Values
from sims.runs import store
from sims.runs.store import UserError, plain
from tests.front_door.command_line import complaint
from tests.full_scale.training.small_runs import DATA, FAST, MODEL
from tests.readme.test_readme import blocks
from tests.stored_examples import completed

INPUTS = Inputs(16, classes=2, symbols=27)
LABELS, HIDDEN = Phase("labels", 10, FAST), Phase("reconstruction", 10, FAST)
README = (Path(__file__).parents[3] / "full_scale" / "README.md").read_text()


def stored(folder, name, phases, accuracy, **changes):
    """A run as the runner stores it; slot n of every parameter holds numbers n.25."""
    config = TrialConfig(DATA, MODEL, phases, 0, batch=4, every=5, snapshots=2)
    data = {"task": "docs-order", "sha256": "a" * 64} | changes.pop("data", {})
    content = {"data": data, "validation_accuracy": accuracy, "inputs": INPUTS, "class_names": ["no", "yes"]}
    values = completed(
        Values, {key: value for key, value in (content | changes).items() if value is not None}
    )
    slots = np.arange(2 * len(phases) + 1) + 0.25
    shapes = _shapes_of()
    arrays = {
        f"model_{n}": np.broadcast_to(slots.reshape(-1, *[1] * len(shape)), (len(slots), *shape)).astype(np.float32)
        for n, shape in enumerate(shapes)
    }  # fmt: skip
    store.save(
        folder, store.Result(name, values, arrays, {"config": plain(config), "command": "sptlab train run"})
    )


def _shapes_of():
    from full_scale.model.weights_file import tensors_of
    from tests.full_scale.export.exported import drawn

    tensors = tensors_of(drawn(MODEL, INPUTS))
    return [tensors[name].shape for name in names(MODEL, INPUTS)]


@pytest.fixture
def study(tmp_path):
    """Two runs that pretrained, their pretraining alone, and one on labels alone; beside a result of another kind."""
    trials = tmp_path / "checkpoints" / "trials"
    stored(trials, "worse", (HIDDEN, LABELS), 0.7)
    stored(trials, "better", (HIDDEN, LABELS), 0.8)
    stored(trials, "before", (HIDDEN,), 0.95)
    stored(trials, "alone", (LABELS,), 0.9)
    store.save(tmp_path / "results", store.Result("arms", {"n": 1}, {}, {"config": {"phases": []}}))
    return tmp_path


def test_the_run_with_the_best_validation_accuracy_after_labels_is_taken(study):
    runs = on_one_data_set(stored_runs(study))
    assert [run.name for run in runs] == ["alone", "before", "better", "worse"]
    assert best(runs, "pretraining").name == "better" and best(runs, "end").name == "alone"


@pytest.mark.parametrize(("at", "slot"), [("pretraining", 2), ("end", 4)])
def test_the_snapshot_that_was_asked_for_is_written(front_door, study, at, slot):
    run, out = study / "checkpoints" / "trials" / "better.npz", study / "encoder"
    code, said, _ = front_door("export", run, "--out", out, "--at", at)
    weights = read(out)
    assert code == 0 and "better: 10 reconstruction, 10 labels; seed 0; validation 0.800" in said
    assert (weights.config, weights.inputs) == (MODEL, INPUTS)
    assert all((tensor == slot + 0.25).all() for tensor in weights.tensors.values())
    about = json.loads((out / "config.json").read_text())
    assert about["class_names"] == ["no", "yes"] and about["run"] == "better" and about["at"] == at


def test_every_run_is_listed_the_best_first(front_door, study):
    code, said, _ = front_door("export", study, "--list")
    assert code == 0 and [line.split(":")[0] for line in said.splitlines()] == [
        "before",
        "alone",
        "better",
        "worse",
    ]


def test_runs_on_several_data_sets_are_told_apart(front_door, study):
    trials = study / "checkpoints" / "trials"
    stored(trials, "other", (HIDDEN, LABELS), 0.99, data={"sha256": "b" * 64})
    assert "got docs-order aaaaaaaa, docs-order bbbbbbbb; add --data aaaaaaaa" in complaint(
        front_door("export", study)
    )
    runs = stored_runs(study)
    assert best(on_one_data_set(runs, data="b"), "end").name == "other"
    with pytest.raises(
        UserError, match="expected runs on own: got those on docs-order aaaaaaaa, docs-order bbbb"
    ):
        on_one_data_set(runs, task="own")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "name a run, for example `sptlab export report`"),
        (["nowhere"], "expected results in nowhere, found nothing"),
        (["{study}/results"], "expected training runs below .*results, found none"),
        (
            ["{study}/checkpoints/trials/alone.json"],
            "expected a run with pretraining: alone has none; add --at end",
        ),
        (["{study}/old"], "expected a run that keeps what its tokens are: old is of an earlier version"),
        (["{study}/frozen"], "in frozen it was frozen uniform; name another"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(front_door, study, arguments, line):
    stored(study / "old", "old", (HIDDEN, LABELS), 0.7, inputs=None)
    stored(study / "frozen", "frozen", (dataclasses.replace(HIDDEN, frozen_uniform=True),), 0.7)
    said = complaint(front_door("export", *(each.format(study=study) for each in arguments)))
    assert re.search(line, said)


@pytest.mark.heavy
def test_the_readmes_three_commands_train_write_and_begin_anew(front_door, tmp_path, monkeypatch):
    (block,) = [each for each in blocks(README, "sh") if "sptlab export" in each]
    monkeypatch.chdir(tmp_path)
    small = ["--preset", "smoke", "--seeds", "1", "--quiet", "--jobs", "1", "--task", "docs-order"]
    for line in block.splitlines():
        words = shlex.split(line)[1:]
        if words[0] == "train":
            keep = words.index("--start-from") if "--start-from" in words else len(words)
            words = ["train", "run", *small, *words[keep : keep + 2]]
        elif "--task" in words:
            words[words.index("--task") + 1] = "docs-order"
        code, said, err = front_door(*words)
        assert code == 0, err
    assert "started" in said and read(tmp_path / "encoder").about["at"] == "pretraining"
