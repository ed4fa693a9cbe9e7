"""One step of training a Transformer on this machine's cores: the project's and PyTorch's.

    python -m benchmarks.training_step            (needs the extra `pytorch`; about five minutes)

The project's side is `full_scale.training.step.advance` as `sptlab train` calls it. PyTorch's is the same
pre-LN encoder with scaled_dot_product_attention, one matrix for queries, keys and values, and the fused
AdamW, with OpenMP threads that wait passively and with its default, which spins. Parameters, data, order of
batches and float32 are the same: the losses of the first steps are compared before anything is timed. Every
side is a process of its own that waits for its turn; rounds go A B C, C B A. Ratios are of times in the
same round; their intervals are the 95 % sign-test intervals of the median. CPU seconds of all threads are
compared the same way: on a machine that others use, they say more than the time on the clock.
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

STORED = Path(__file__).parent / "stored"
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


SPINNING = "torch, spinning OpenMP"
SIDES = {
    "sptlab": (ours, {}),
    "torch, passive OpenMP": (pytorch, {"OMP_WAIT_POLICY": "passive"}),
    SPINNING: (pytorch, {}),  # its default: "active" would spin through others' turns
}
OURS, BETTER = "sptlab", "torch, the better in each round"


@dataclasses.dataclass(frozen=True)
class TrainingStep:
    """Milliseconds per step and peak memory of every side; ratios within rounds, printed and stored."""

    sizes: tuple[str, ...] = tuple(SIZES)
    """L64: width 64, 1 layer, batch 64. L256: 64, 2, 32. L1024: 128, 2, 8."""
    rounds: int = 12
    """Interleaved rounds; at least `LEAST`."""
    spinning: bool = True
    """Also PyTorch whose threads spin; where others use the machine it is the slower, and takes minutes a turn."""
    steps: int | None = None
    """Steps per turn; fewer where the machine is slow or busy. None: 32, 8 and 8."""
    out: Path | None = None
    """Where the table goes. None: to the stored one of this kind of processor."""
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
        timing = {"loss": loss, "ms": 1e3 * seconds / steps, "cpu_ms": 1e3 * own / steps}
        timing["foreign_cores"] = (busy() - before - own) / seconds
        timing["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(timing), flush=True)


def process(side: str, size: str, folder: Path) -> Side:
    """One side, waiting for its turn."""
    command = ["benchmarks.training_step", "--side", side, "--sizes", size, "--folder", str(folder)]
    return Side(command, without_omp_policy() | SIDES[side][1])


def measured(name: str, config: TrainingStep) -> dict[str, list[dict[str, float]]]:
    """Every side's turns, once all have been seen to train alike."""
    size = dataclasses.replace(SIZES[name], steps=config.steps or SIZES[name].steps)
    with tempfile.TemporaryDirectory() as folder:
        share(size, (config.rounds + 1) * size.steps, Path(folder))
        names = [side for side in SIDES if config.spinning or side != SPINNING]
        sides = {side: process(side, name, Path(folder)) for side in names}
        try:
            first = {side: each.turn(size.steps)["loss"] for side, each in sides.items()}  # compiles
            for side, loss in first.items():
                if abs(loss / first[OURS] - 1) > AGREED:
                    raise SystemExit(f"{side} trains otherwise: loss {loss}, {OURS} {first[OURS]}")
            turns: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for side in taken(sides, config.rounds):
                turns[side].append(sides[side].turn(size.steps))
        finally:
            for each in sides.values():
                each.close()
    return turns


def ratio(
    theirs: list[dict[str, float]], own: list[dict[str, float]], key: str
) -> tuple[float, float, float]:
    """Median over rounds of their time over ours, and its interval."""
    from scipy.stats import quantile_test

    ratios = [other[key] / mine[key] for other, mine in zip(theirs, own, strict=True)]
    low, high = quantile_test(ratios).confidence_interval(0.95)
    return statistics.median(ratios), float(low), float(high)


def row(side: str, timings: list[dict[str, float]], own: list[dict[str, float]]) -> dict[str, object]:
    """A side's medians, and how much faster and smaller ours is."""
    found: dict[str, object] = {"side": side}
    found |= {
        key: statistics.median(timing[key] for timing in timings) for key in timings[0] if key != "loss"
    }
    found |= zip(("times_faster", "low", "high"), ratio(timings, own, "ms"), strict=True)
    found |= zip(("times_less_cpu", "cpu_low", "cpu_high"), ratio(timings, own, "cpu_ms"), strict=True)
    most = max(timing["peak_mb"] for timing in own)
    return found | {"times_the_memory": most / statistics.median(timing["peak_mb"] for timing in timings)}


def compared(name: str, steps: int, turns: dict[str, list[dict[str, float]]]) -> list[dict[str, object]]:
    """One row per side, and one for the better PyTorch of each round."""
    theirs = [timings for side, timings in turns.items() if side != OURS]
    better = [min(pair, key=lambda timing: timing["ms"]) for pair in zip(*theirs, strict=True)]
    rows = [
        {"size": name} | row(side, timings, turns[OURS])
        for side, timings in (turns | {BETTER: better}).items()
    ]
    line = "{size:5} {side:32} {ms:7.1f} ms (cpu {cpu_ms:7.1f}) {peak_mb:5.0f} MB others {foreign_cores:.2f}"
    line += "   sptlab: {times_faster:5.2f} times [{low:.2f}, {high:.2f}], memory {times_the_memory:.2f}"
    line += ", cpu {times_less_cpu:5.2f} [{cpu_low:.2f}, {cpu_high:.2f}]"
    for each in rows:
        print(line.format(**each), flush=True)
    return rows


def stored() -> Path:
    """The table of this kind of processor."""
    from full_scale.model.attention_avx2 import is_avx2  # here: PyTorch's sides are to hold no JAX

    return STORED / ("training_step_avx2.json" if is_avx2() else "training_step.json")


def main(config: TrainingStep) -> None:
    """Measure, print, store."""
    if config.side:
        serve(config.side, SIZES[config.sizes[0]], config.folder)
        return
    if config.rounds < LEAST:
        raise SystemExit(f"rounds must be at least {LEAST}, for the intervals: got {config.rounds}")
    rows: list[dict[str, object]] = []
    for name in config.sizes:
        rows += compared(name, config.steps or SIZES[name].steps, measured(name, config))
        store(config.out or stored(), rows, rounds=config.rounds)


if __name__ == "__main__":
    main(tyro.cli(TrainingStep))
