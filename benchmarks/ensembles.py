"""Eight seeds of a toy Transformer: `sims.toy_models.ensemble` beside three ways of PyTorch.

    python -m benchmarks.ensembles            (needs the extra `pytorch`; about four minutes)

Every side trains the same models: the loss after the first steps is compared before anything is timed. Every
side runs in a process of its own that waits for its turn, so that a round times all sides within seconds of
each other; rounds go A B C, C B A. The unit is seeds x steps per second.
"""

import dataclasses
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import tyro

from benchmarks import torch_trainings, toy_trainings
from benchmarks.toy_trainings import SIZES, Size
from benchmarks.turns import Side, store, taken, without_omp_policy

STORED = Path(__file__).parent / "stored" / "ensembles.json"
AGREED = 2e-4
"""Relative: float32 losses after `CHECKED` steps of AdamW."""
CHECKED = 24


SIDES = {
    # one device per core, so that each core trains seeds of its own; the default is one device of all cores
    "sptlab ensemble": (toy_trainings.ours, {"JAX_NUM_CPU_DEVICES": str(os.cpu_count() or 1)}),
    "torch loop, passive OpenMP": (torch_trainings.loop, {"OMP_WAIT_POLICY": "passive"}),
    "torch loop, spinning OpenMP": (
        torch_trainings.loop,
        {},
    ),  # its default: "active" would spin through others' turns
    "torch.func.vmap": (torch_trainings.stacked, {"OMP_WAIT_POLICY": "passive"}),
}
OURS = "sptlab ensemble"


@dataclasses.dataclass(frozen=True)
class Ensembles:
    """Seeds x steps per second of every side; ratios within rounds, printed and stored."""

    sizes: tuple[str, ...] = tuple(SIZES)
    """small: L 16, width 32, batch 32. large: L 64, width 64, batch 64."""
    seeds: int = 8
    """Models trained at once."""
    rounds: int = 6
    """Interleaved rounds."""
    out: Path = STORED
    """Where the table goes."""
    side: str = ""
    """Used by itself for one side's process; leave empty."""


def serve(side: str, size: Size, seeds: int) -> None:
    """One side: told a number of steps per line, answer seconds and losses per line."""
    advance = SIDES[side][0](size, seeds)
    for line in sys.stdin:
        started = time.perf_counter()
        losses = advance(int(line))
        print(json.dumps([time.perf_counter() - started, [float(loss) for loss in losses]]), flush=True)


def process(side: str, size: str, seeds: int) -> Side:
    """One side, waiting for its turn."""
    command = ["benchmarks.ensembles", "--side", side, "--sizes", size, "--seeds", str(seeds)]
    return Side(command, without_omp_policy() | SIDES[side][1])


def compare(name: str, config: Ensembles) -> list[dict[str, object]]:
    """One size: check that all sides train alike, time them in rounds, print and return a row per side."""
    sides = {side: process(side, name, config.seeds) for side in SIDES}
    try:
        require_alike({side: np.array(each.turn(CHECKED)[1]) for side, each in sides.items()})
        speeds = timed(sides, SIZES[name].steps, config)
    finally:
        for each in sides.values():
            each.close()
    rows = [{"size": name} | row(side, speeds) for side in sides]
    for entry in rows:
        line = "{size:6} {side:28} {seeds_steps_per_second:8.1f} seeds x steps/s"
        line += "   sptlab: {times_faster:6.2f} times [{least:.2f}, {most:.2f}]"
        print(line.format(**entry), flush=True)
    return rows


def require_alike(losses: dict[str, np.ndarray]) -> None:
    """End the benchmark where a side trains something else."""
    for side, observed in losses.items():
        gap = np.abs(observed / losses[OURS] - 1).max()
        if gap > AGREED:
            raise SystemExit(f"{side} trains otherwise: losses differ by {gap:.1e} after {CHECKED} steps")


def timed(sides: dict[str, Side], steps: int, config: Ensembles) -> dict[str, list[float]]:
    """Seeds x steps per second of each side in each round, after a first turn that compiles and warms up."""
    for each in sides.values():
        each.turn(steps)
    speeds: dict[str, list[float]] = {side: [] for side in sides}
    for side in taken(sides, config.rounds):
        speeds[side].append(config.seeds * steps / sides[side].turn(steps)[0])
    return speeds


def row(side: str, speeds: dict[str, list[float]]) -> dict[str, object]:
    """A side's median speed, and how much faster ours is: median and extremes over the rounds."""
    ratios = [mine / theirs for mine, theirs in zip(speeds[OURS], speeds[side], strict=True)]
    return {
        "side": side,
        "seeds_steps_per_second": statistics.median(speeds[side]),
        "times_faster": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }


def main(config: Ensembles) -> None:
    """Measure, print, store."""
    if config.side:
        serve(config.side, SIZES[config.sizes[0]], config.seeds)
        return
    rows = [row for name in config.sizes for row in compare(name, config)]
    store(config.out, rows, seeds=config.seeds, rounds=config.rounds)


if __name__ == "__main__":
    main(tyro.cli(Ensembles))
