"""One step of training on one GPU: the project's and PyTorch's (compile, SDPA, bf16), with MFU and memory.

    python -m benchmarks.gpu_step --rounds 6        (needs PyTorch for the comparison; about eight minutes)
    python -m benchmarks.gpu_step --sizes smoke     (on a CPU, to see that all runs)

Labels from a mean over positions; models are those of the `amos-*` presets, on symbols. PyTorch's side has
the same parameters, data and order of batches, bf16 by autocast, the fused AdamW, and is compiled. Both sides
are processes that wait for their turn; rounds go A B, B A. MFU counts the matrix products of
`full_scale.studies.grids.accounting` over the device's dense bf16 peak. Without PyTorch only our side is measured.
"""

import dataclasses
import importlib.util
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.step_sides import Size, ours, pytorch, share, start
from benchmarks.turns import Side, store, taken

STORED = Path(__file__).parent / "stored" / "gpu_step.json"
AGREED = 3e-2
"""Relative: mean loss of the first turn, in bfloat16 on both sides."""
OURS, TORCH = "sptlab", "torch"


ALIKE = {"symbols": 256, "precision": "bfloat16"}
SIZES = {
    "image": Size(1024, 3, 64, 4, 128, 128, 100, 512, **ALIKE),
    "pathfinder": Size(1024, 4, 128, 8, 128, 128, 100, 512, **ALIKE),
    "listops": Size(2048, 6, 512, 8, 2048, 32, 30, 128, **ALIKE),
    "text": Size(4096, 6, 512, 8, 2048, 16, 30, 64, **ALIKE),
    "smoke": Size(64, 2, 32, 4, 64, 8, 4, 32, **ALIKE),
}


def flops(size: Size) -> float:
    """Operations of a step."""
    from full_scale.studies.grids.accounting import cost
    from full_scale.tasks.order import DocsOrder
    from full_scale.training.trial_config import TrialConfig

    model, phase, _, _ = start(size)
    one = dataclasses.replace(phase, steps=1, batch=size.batch)
    return cost(TrialConfig(DocsOrder(), model.config, (one,), 0, every=1), model.inputs, one).total


def theirs(size: Size, folder: Path) -> Callable[[int], float]:
    """PyTorch on the GPU where there is one."""
    import torch

    return pytorch(size, folder, "cuda" if torch.cuda.is_available() else "cpu")


SIDES = {OURS: ours, TORCH: theirs}


def device_memory(side: str) -> float:
    """Peak MB on the device so far; the process's own where there is no GPU."""
    if side == TORCH:
        import torch

        if torch.cuda.is_available():
            return torch.cuda.max_memory_allocated() / 2**20
    else:
        import jax

        if stats := jax.devices()[0].memory_stats():
            return stats["peak_bytes_in_use"] / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(side: str, size: Size, folder: Path) -> None:
    """One side: told a number of steps per line, answer what they took, per line."""
    turn = SIDES[side](size, folder)
    for line in sys.stdin:
        begun = time.perf_counter()
        loss = turn(int(line))  # reading it waits for the device
        ms = 1e3 * (time.perf_counter() - begun) / int(line)
        print(json.dumps({"loss": loss, "ms": ms, "peak_mb": device_memory(side)}), flush=True)


def process(side: str, size: str, folder: Path) -> Side:
    """One side, waiting for its turn; the sides share the GPU's memory."""
    command = ["benchmarks.gpu_step", "--side", side, size, str(folder)]
    return Side(command, os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"})


def measured(name: str, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Every side's turns, once both have been seen to train alike; a side that failed is left out."""
    size = SIZES[name]
    with tempfile.TemporaryDirectory() as folder:
        share(size, (rounds + 1) * size.steps, Path(folder))
        there = [side for side in SIDES if side == OURS or importlib.util.find_spec("torch")]
        sides = {side: process(side, name, Path(folder)) for side in there}
        try:
            first = {side: each.turn(size.steps) for side, each in sides.items()}  # compiles
            turns: dict[str, list] = {side: [] for side in sides if first[side] is not None}
            losses = {side: first[side]["loss"] for side in turns}
            if any(abs(loss / losses.get(OURS, loss) - 1) > AGREED for loss in losses.values()):
                print(f"{name}: the sides train otherwise: {losses}")
                return {}
            for side in taken(turns, rounds):
                turns[side].append(sides[side].turn(size.steps) | {"first_loss": losses[side]})
        finally:
            for each in sides.values():
                each.close()
    return turns


def compared(name: str, turns: dict[str, list[dict[str, float]]], peak: float | None) -> list[dict]:
    """One row per side; ratios are of times in the same round."""
    rows, work = [], flops(SIZES[name])
    for side, timings in turns.items():
        row = {"size": name, "side": side, **dataclasses.asdict(SIZES[name])}
        row |= {
            key: statistics.median(timing[key] for timing in timings) for key in timings[0] if key != "loss"
        }
        row |= {"fastest_ms": min(t["ms"] for t in timings), "slowest_ms": max(t["ms"] for t in timings)}
        row |= {"flops": work, "mfu": None if peak is None else work / (row["ms"] / 1e3) / peak}
        pairs = zip(timings, turns.get(OURS, []), strict=False)
        ratios = [other["ms"] / own["ms"] for other, own in pairs]
        row["sptlab_times_faster"] = statistics.median(ratios) if ratios else None
        rows.append(row)
        mfu = "   -  " if row["mfu"] is None else f"{row['mfu']:6.1%}"
        faster = f"{row['sptlab_times_faster']:5.2f}" if ratios else "-"
        line = f"{name:11}{side:7} {row['ms']:8.2f} ms [{row['fastest_ms']:.2f}, {row['slowest_ms']:.2f}]"
        print(f"{line}  MFU {mfu}  {row['peak_mb']:7.0f} MB  sptlab {faster} times faster", flush=True)
    if TORCH not in turns:
        print(f"{name}: PyTorch is missing or failed; only our side was measured")
    return rows


def main(sizes: list[str], rounds: int, out: Path) -> None:
    """Measure, print, store after every size."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    from full_scale.studies.ablations_gpu.budget import peak

    device = jax.devices()[0]
    where = f"{device.platform}: {device.device_kind}"
    rows: list[dict] = []
    for name in sizes:
        if turns := measured(name, rounds):
            rows += compared(name, turns, peak())
        store(out, rows, rounds=rounds, device=where, peak_flops=peak())


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=[n for n in SIZES if n != "smoke"])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        serve(given.side[0], SIZES[given.side[1]], Path(given.side[2]))
    else:
        main(given.sizes, given.rounds, given.out)
