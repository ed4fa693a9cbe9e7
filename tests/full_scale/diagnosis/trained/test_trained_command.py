"""`sptlab diagnose DATA --trained RUN`: from runs that were trained to the cause of their gain."""

import json

import numpy as np
import pytest

from full_scale.diagnosis.trained.causes import TrainedDiagnosis
from tests.front_door.command_line import complaint


@pytest.mark.heavy
def test_runs_are_explained_beside_their_data_and_refused_beside_others(front_door, tmp_path):
    draw = np.random.default_rng(0)
    for name, shift in (("mine", 0), ("other", 1)):
        np.savez(tmp_path / f"{name}.npz", x=draw.integers(0, 4 + shift, (80, 12)), y=np.arange(80) % 2)
    mine, out = tmp_path / "mine.npz", tmp_path / "report"
    given = ["--preset", "smoke", "--task", "own", "--data", mine, "--seeds", "2", "--jobs", "1", "--quiet"]
    code, _, err = front_door("train", "run", *given, "--out", out)
    assert code == 0, err
    code, said, err = front_door("diagnose", mine, "--trained", out, "--out", out, "--quiet")
    assert code == 0, err
    assert said.startswith("mine: ") and "\nhow sure: the gain is " in said and "\nbecause " in said
    assert "frequencies" in said and "over 2 seeds" in said
    content = json.loads((out / "diagnosis" / "mine-trained.json").read_text())
    assert TrainedDiagnosis.from_json(content["values"]).labels.steps == 100
    refused = complaint(
        front_door("diagnose", tmp_path / "other.npz", "--trained", out, "--out", out, "--quiet")
    )
    assert (
        "expected runs on the sequences of" in refused
        and "train them: sptlab train run --task own" in refused
    )


def test_runs_that_are_not_there_are_refused(front_door, tmp_path):
    line = complaint(front_door("diagnose", "docs-order", "--trained", tmp_path / "nowhere"))
    assert "found nothing; name the --out of their training" in line
