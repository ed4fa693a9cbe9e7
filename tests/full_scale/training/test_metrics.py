"""Metrics: a line per evaluation, no step twice, and TensorBoard only where it is installed."""

import json
import sys
import types
from pathlib import Path

from full_scale.training import metrics as module
from full_scale.training.metrics import Metrics, lines_up_to


def test_metrics_drop_what_lies_behind_the_checkpoint_and_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    metrics = Metrics(path)
    for step in (0, 5, 10):
        metrics.write(step, {"loss": float("nan") if step == 0 else 1.0})
    with open(path, "a") as sink:
        sink.write('{"step": 5, "lo')
    Metrics(path, done=5).write(10, {"loss": 2.0})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10]
    assert [line["loss"] for line in lines] == [None, 1.0, 2.0]
    assert lines_up_to(tmp_path / "nothing", 5) == []


class Written:
    """Stands for tensorboardX's writer."""

    seen: list = []  # noqa: RUF012

    def __init__(self, folder: str, purge_step: int) -> None:
        self.seen.append((Path(folder).name, purge_step))

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.seen.append((name, value, step))

    def close(self) -> None:
        self.seen.append("closed")


def test_tensorboard_gets_the_numbers_where_it_is_installed(tmp_path: Path, monkeypatch) -> None:
    fake = types.ModuleType(module.TENSORBOARD)
    fake.SummaryWriter = Written
    monkeypatch.setitem(sys.modules, module.TENSORBOARD, fake)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name == module.TENSORBOARD)
    metrics = Metrics(tmp_path / "run.jsonl", done=5)
    metrics.write(10, {"loss": 2.0, "objective": "labels", "snr": [[0.5, float("nan")]]})
    metrics.close()
    assert Written.seen[:3] == [("run", 6), ("loss", 2.0, 10), ("snr/layer_0/head_0", 0.5, 10)]
    assert Written.seen[3][0] == "snr/layer_0/head_1" and Written.seen[4:] == ["closed"]
    assert json.loads((tmp_path / "run.jsonl").read_text())["snr"] == [[0.5, None]]


def test_without_a_place_nothing_is_written(tmp_path: Path) -> None:
    metrics = Metrics(None)
    metrics.write(0, {"loss": 1.0})
    metrics.close()
    assert not list(tmp_path.iterdir())
