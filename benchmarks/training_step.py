"""One step of training a Transformer on this machine's cores: the project's and PyTorch's.

    python -m benchmarks.training_step            (needs the extra `pytorch`; about five minutes)

The project's side is `full_scale.training.train.advance` as `sptlab train` calls it. PyTorch's is the same
pre-LN encoder with scaled_dot_product_attention, one matrix for queries, keys and values, and the fused
AdamW, with OpenMP threads that wait passively and with its default, which spins. Parameters, data, order of
batches and float32 are the same: the losses of the first steps are compared before anything is timed. Every
side is a process of its own that waits for its turn; rounds go A B C, C B A. Ratios are of times in the
same round; their intervals are the 95 % sign-test intervals of the median.
"""

import dataclasses
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import tyro

from benchmarks.step_sides import Size, ours, pytorch, share
from benchmarks.turns import Side, store, taken, without_omp_policy

STORED = Path(__file__).parent / "stored" / "training_step.json"
AGREED = 2e-4
"""Relative: mean float32 loss of the first turn."""
LEAST = 6
"""Rounds that a 95 % interval of a median needs."""


ALIKE = {"data": 4096, "symbols": 16, "precision": "float32"}
SIZES = {
    "L64": Size(64, 1, 64, 4, 256, 64, 32, **ALIKE),
    "L256": Size(256, 2, 64, 4, 256, 32, 8, **ALIKE),
    "L1024": Size(1024, 2, 128, 4, 512, 8, 8, **ALIKE),
}


SIDES = {
    "sptlab": (ours, {}),
    "torch, passive OpenMP": (pytorch, {"OMP_WAIT_POLICY": "passive"}),
    "torch, spinning OpenMP": (pytorch, {}),  # its default: "active" would spin through others' turns
}
OURS, BETTER = "sptlab", "torch, the better in each round"


@dataclasses.dataclass(frozen=True)
class TrainingStep:
    """Milliseconds per step and peak memory of every side; ratios within rounds, printed and stored."""

    sizes: tuple[str, ...] = tuple(SIZES)
    """L64: width 64, 1 layer, batch 64. L256: 64, 2, 32. L1024: 128, 2, 8."""
    rounds: int = 12
    """Interleaved rounds; at least `LEAST`."""
    out: Path = STORED
    """Where the table goes."""
    side: str = ""
    """Used by itself for one side's process; leave empty."""
    folder: Path = Path()
    """Used by itself, too."""


def busy() -> float:
    """Seconds that all cores together have worked since the machine started (0 where it is not told)."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _, _, interrupt, soft, *_ = map(int, stat.read_text().split("\n")[0].split()[1:])
    return (user + nice + system + interrupt + soft) / os.sysconf("SC_CLK_TCK")


def serve(side: str, size: Size, folder: Path) -> None:
    """One side: told a number of steps per line, answer what they took, per line."""
    turn = SIDES[side][0](size, folder)
    for line in sys.stdin:
        steps, before, begun, own = int(line), busy(), time.perf_counter(), time.process_time()
        loss = turn(steps)
        seconds, own = time.perf_counter() - begun, time.process_time() - own
        told = {"loss": loss, "ms": 1e3 * seconds / steps, "cpu_ms": 1e3 * own / steps}
        told["foreign_cores"] = (busy() - before - own) / seconds
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(told), flush=True)


def process(side: str, size: str, folder: Path) -> Side:
    """One side, waiting for its turn."""
    command = ["benchmarks.training_step", "--side", side, "--sizes", size, "--folder", str(folder)]
    return Side(command, without_omp_policy() | SIDES[side][1])


def measured(name: str, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Every side's turns, once all have been seen to train alike."""
    size = SIZES[name]
    with tempfile.TemporaryDirectory() as folder:
        share(size, (rounds + 1) * size.steps, Path(folder))
        sides = {side: process(side, name, Path(folder)) for side in SIDES}
        try:
            first = {side: each.turn(size.steps)["loss"] for side, each in sides.items()}  # compiles
            for side, loss in first.items():
                if abs(loss / first[OURS] - 1) > AGREED:
                    raise SystemExit(f"{side} trains otherwise: loss {loss}, {OURS} {first[OURS]}")
            turns: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for side in taken(sides, rounds):
                turns[side].append(sides[side].turn(size.steps))
        finally:
            for each in sides.values():
                each.close()
    return turns


def compared(name: str, turns: dict[str, list[dict[str, float]]]) -> list[dict[str, object]]:
    """One row per side, and one for the better PyTorch of each round."""
    from scipy.stats import quantile_test

    theirs = [found for side, found in turns.items() if side != OURS]
    turns = turns | {BETTER: [min(pair, key=lambda told: told["ms"]) for pair in zip(*theirs, strict=True)]}
    rows = []
    for side, found in turns.items():
        row: dict[str, object] = {"size": name, "side": side}
        row |= {key: statistics.median(told[key] for told in found) for key in found[0] if key != "loss"}
        ratios = [other["ms"] / own["ms"] for other, own in zip(found, turns[OURS], strict=True)]
        low, high = quantile_test(ratios).confidence_interval(0.95)
        row |= {"times_faster": statistics.median(ratios), "low": float(low), "high": float(high)}
        most = max(told["peak_mb"] for told in turns[OURS])
        row["times_the_memory"] = most / statistics.median(told["peak_mb"] for told in found)
        rows.append(row)
        line = (
            "{size:5} {side:32} {ms:7.1f} ms (cpu {cpu_ms:7.1f}) {peak_mb:5.0f} MB others {foreign_cores:.2f}"
        )
        line += "   sptlab: {times_faster:5.2f} times [{low:.2f}, {high:.2f}], memory {times_the_memory:.2f}"
        print(line.format(**row), flush=True)
    return rows


def main(config: TrainingStep) -> None:
    """Measure, print, store."""
    if config.side:
        serve(config.side, SIZES[config.sizes[0]], config.folder)
        return
    if config.rounds < LEAST:
        raise SystemExit(f"rounds must be at least {LEAST}, for the intervals: got {config.rounds}")
    rows = [row for name in config.sizes for row in compared(name, measured(name, config.rounds))]
    store(config.out, rows, rounds=config.rounds)


if __name__ == "__main__":
    main(tyro.cli(TrainingStep))
