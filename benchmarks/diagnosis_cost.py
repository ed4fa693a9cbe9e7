"""What `sptlab diagnose` costs beside training both arms once, in CPU seconds of the user and the system.

    python -m benchmarks.diagnosis_cost --text mails.npz     (about an hour; the file's x are symbols of 512 bytes)

Each side is a process of its own with nothing compiled before, which loads JAX, reads the data from a file and
computes with few steps: what it costs whatever the steps. Then it trains twice more, with nothing left to compile: the
difference is the cost of a step, and both give the cost at the user's steps. The pilot is kept from stopping early; a
stop after its first look saves a third of its steps. Training is both arms at one rate and seed, and no more: `sptlab
train run` also probes and judges along the way.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from benchmarks import turns

STORED = Path(__file__).parent / "stored" / "diagnosis_cost.json"
ROOT = Path(__file__).resolve().parents[1]
SIZES = ((256, 32), (64, 32), (512, 32), (16, 32))
"""(tokens, width) of the generated sets."""
TEXT_SIZES = ((256, 32),)
STEPS = {64: {"train": (30, 330), "diagnose": (20, 220)}, 256: {"train": (30, 90), "diagnose": (20, 60)},
         512: {"train": (30, 60), "diagnose": (20, 40)}}  # fmt: skip
"""Few and more steps of a run, by length and side; of lengths that are not here as of 64."""
AT = 1_000, 1_500
BATCH, SEQUENCES, SYMBOLS = 50, 6_000, 16
RUNS, FIRST_RUNS = 6, 4
_PER_CALL = 10


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured, or one side of it."""

    text: Path | None = None
    """An npz of symbols x (n, 512 or more) and labels y; None: generated sets only."""
    stored: Path = STORED
    """File of the result; sizes that it holds already are kept."""
    side: Literal["", "train", "diagnose"] = ""
    """Only compute this side, of `data`, at `width` and `steps`."""
    data: Path = Path()
    """File of a side."""
    width: int = 32
    """Of a side's model."""
    length: int = 64
    """Of a side's sequences."""


def compute(config: Config) -> None:
    """One side: prints its CPU seconds, until it has computed with few steps, and of either training after that."""
    import jax

    from full_scale.devices.precision import single_precision
    from full_scale.diagnosis.config import DiagnosisConfig, PilotConfig
    from full_scale.diagnosis.diagnose import diagnose
    from full_scale.diagnosis.pilot import sequential
    from full_scale.model import ModelConfig
    from full_scale.tasks.own import Own
    from sims.runs.compilation_cache import prepare_jax

    prepare_jax()
    sequential._is_open = lambda gain, thresholds: True
    dataset, model = Own(data=config.data).load(), ModelConfig(width=config.width)
    few, more = STEPS.get(config.length, STEPS[64])[config.side]
    settings = lambda steps: DiagnosisConfig(pilot=PilotConfig(seeds=2, steps=steps, user_batch=BATCH))
    training = config.side == "train"

    def again(steps: int) -> None:
        if training:
            train(dataset, model, steps)
        else:
            sequential.piloted(dataset, model, settings(steps), 0)

    with single_precision():
        if training:
            again(few)
        else:
            diagnose(dataset, model, settings(few), key=jax.random.key(0))
        spent = [time.process_time()]
        for steps in (few, more):
            again(steps)
            spent.append(time.process_time())
    print(json.dumps([spent[0], *np.diff(spent)]))


def train(dataset: Any, model: Any, steps: int) -> None:
    """Labels alone; then hidden tokens for two thirds of the steps and labels for the rest; held-out rows answered."""
    import equinox as eqx
    import jax

    from full_scale.data.splits import held_out
    from full_scale.diagnosis.pilot.runs import Pools, answered, through
    from full_scale.model import Transformer
    from full_scale.objectives.batch_loss import Data
    from full_scale.objectives.phases import Phase

    data = Data.of(dataset.train)
    last = steps // 3
    for phases in ((Phase("labels", steps),), (Phase("reconstruction", steps - last), Phase("labels", last))):
        start = eqx.filter_jit(Transformer)(model, dataset.inputs, key=jax.random.key(0))
        trained = through(start, phases, Pools(data, data), BATCH, _PER_CALL, jax.random.key(1))
        jax.block_until_ready(answered(trained, Data.of(held_out(dataset))))


def seconds(side: str, data: Path, length: int, width: int) -> list[float]:
    """What a side in a process of its own says of its CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.diagnosis_cost", "--side", side, "--data", str(data),
                   "--width", str(width), "--length", str(length)]  # fmt: skip
        environment = os.environ | {"XDG_CACHE_HOME": folder}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])


def row(name: str, data: Path, length: int, width: int) -> dict[str, Any]:
    """Both sides' cost whatever the steps, that of a step, and the share at the user's steps."""
    at = STEPS.get(length, STEPS[64])
    both = {side: seconds(side, data, length, width) for side in at}
    step = {side: (each[2] - each[1]) / (at[side][1] - at[side][0]) for side, each in both.items()}
    fixed = {side: each[0] - at[side][0] * step[side] for side, each in both.items()}
    return {
        "data": name, "length": length, "width": width, "batch": BATCH, "steps": at, "cpu_seconds": both,
        "fixed": {side: round(float(each), 2) for side, each in fixed.items()},
        "per_step": {side: round(float(each), 5) for side, each in step.items()},
        "share": shares(fixed, step, length, width),
        "processor": turns.processor_name(), "load_average": os.getloadavg()[0],
    }  # fmt: skip


def shares(fixed: dict[str, float], step: dict[str, float], length: int, width: int) -> dict[str, float]:
    """CPU seconds of the diagnosis over those of training, at every number of steps of AT, by runs of the pilot.

    `step` of the diagnosis is that of `RUNS` runs.
    """
    from full_scale.diagnosis.config import PilotConfig
    from full_scale.diagnosis.pilot.runs import Plan
    from full_scale.diagnosis.pilot.sequential import runs_of
    from full_scale.model import ModelConfig

    found = {}
    for steps in AT:
        config = PilotConfig(user_steps=steps)
        plan = Plan.of(config, ModelConfig(width=width), length)
        for runs in sorted({FIRST_RUNS, runs_of(config, plan, length)}):
            spent = fixed["diagnose"] + plan.steps * step["diagnose"] * runs / RUNS
            found[f"{steps} steps, {runs} runs"] = round(
                float(spent / (fixed["train"] + steps * step["train"])), 3
            )
    return found


def _write(path: Path, length: int, text: Path | None) -> None:
    """Sequences of symbols: drawn at random with labels that nothing tells, or cut from the user's."""
    drawn = np.random.default_rng(0)
    x, y = drawn.integers(0, SYMBOLS, (SEQUENCES, length), np.uint8), drawn.integers(0, 2, SEQUENCES)
    if text is not None:
        given = np.load(text)
        x, y = given["x"][:SEQUENCES, :length], given["y"][:SEQUENCES]
        if "lengths" in given:
            np.savez(path, x=x, y=y, lengths=given["lengths"][:SEQUENCES].clip(max=length))
            return
    np.savez(path, x=x, y=y)


def main(config: Config) -> None:
    """Measure what is not stored, print and store."""
    if config.side:
        return compute(config)
    rows = json.loads(config.stored.read_text())["rows"] if config.stored.exists() else []
    rows = {(each["data"], each["length"], each["width"]): each for each in rows}
    wanted: list[tuple[str, Path | None, int, int]] = [("generated", None, *size) for size in SIZES]
    wanted[2:2] = [(config.text.stem, config.text, *size) for size in TEXT_SIZES] if config.text else []
    for name, text, length, width in wanted:
        if (name, length, width) in rows:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "data.npz"
            _write(file, length, text)
            made = rows[name, length, width] = row(name, file, length, width)
        print(f"{name:10} {length:4} tokens, width {width}: {made['share']}", flush=True)
        turns.store(config.stored, list(rows.values()))


if __name__ == "__main__":
    main(tyro.cli(Config))
