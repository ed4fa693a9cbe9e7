"""Per-sample score gradients and their spectrum: the probe beside what a PyTorch user would write.

    python -m benchmarks.score_gradients            (needs the extra `pytorch`; about five minutes)

Same tokens, head and labels on all sides, float64, one layer of free scores at S = 0. Every entry is a
process of its own, so that its peak memory is its own; rounds are interleaved A B C, C B A.
"""

import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.turns import store, taken

WIDTH, CLASSES = 16, 4
LIMITS = {"torch dense Jacobian + SVD": 128}  # J alone is L^4 numbers: 34 GB at 256
STORED = Path(__file__).parent / "stored" / "score_gradients.json"


def setting(length: int, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tokens, labels, value map and head."""
    numbers = np.random.default_rng(0)
    return (
        numbers.normal(size=(samples, length, WIDTH)),
        numbers.integers(0, CLASSES, samples),
        numbers.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5,
        numbers.normal(size=(CLASSES, WIDTH)),
    )


def probe(length: int, samples: int) -> Callable[[], int]:
    """`theory.probe` of an arbitrary loss, which it differentiates: spectrum, energies, signal."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    import theory

    tokens, labels, value_map, head = map(jnp.asarray, setting(length, samples))

    def loss(bias, params, batch):
        one = lambda x, y: theory.label_loss(bias, x, *params, y)
        return jax.vmap(one)(*batch).mean()

    flat = jnp.zeros((length, length))
    return lambda: int(theory.probe(loss, (value_map, head), (tokens, labels), bias=flat).spectrum.rank)


def closed_form(length: int, samples: int) -> Callable[[], int]:
    """`theory.label_gram`, where the model is the minimal one: no gradient is formed."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    import theory

    tokens, labels, value_map, head = map(jnp.asarray, setting(length, samples))
    errors = jax.nn.softmax(tokens.mean(axis=1) @ value_map.T @ head.T) - jax.nn.one_hot(labels, CLASSES)
    gram, flat = jax.jit(theory.label_gram), jnp.zeros((length, length))
    return lambda: int(theory.probes.spectrum(np.asarray(gram(flat, tokens, value_map, errors @ head))).rank)


def torch_loss(length: int, samples: int) -> tuple:
    """The same model in PyTorch: (loss of one sample, flat scores, tokens, labels)."""
    import torch

    tokens, labels, value_map, head = map(torch.as_tensor, setting(length, samples))

    def loss(scores, x, y):
        logits = (torch.softmax(scores, -1) @ x @ value_map.T).mean(0) @ head.T
        return torch.nn.functional.cross_entropy(logits, y)

    return loss, torch.zeros(length, length, dtype=torch.float64), tokens, labels


def torch_rank(gradients) -> int:
    """Rank from the singular values, PyTorch's own default tolerance."""
    import torch

    values = torch.linalg.svdvals(gradients)
    return int((values > values[0] * max(gradients.shape) * torch.finfo(values.dtype).eps).sum())


def torch_vmap(length: int, samples: int) -> Callable[[], int]:
    """torch.func: vmap of grad over the samples, then an SVD of the n x L^2 matrix."""
    import torch

    loss, flat, tokens, labels = torch_loss(length, samples)
    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return lambda: torch_rank(gradients(flat, tokens, labels).reshape(samples, -1))


def torch_jacobian(length: int, samples: int) -> Callable[[], int]:
    """The dense Jacobian of A in S, L^2 x L^2, multiplied with each sample's gradient in A."""
    import torch

    loss, flat, tokens, labels = torch_loss(length, samples)
    through = lambda weights, x, y: loss(torch.log(weights), x, y)

    def run() -> int:
        jacobian = torch.func.jacrev(lambda s: torch.softmax(s, -1))(flat).reshape(length**2, -1)
        weights = torch.softmax(flat, -1)
        gradients = torch.func.vmap(torch.func.grad(through), in_dims=(None, 0, 0))(weights, tokens, labels)
        return torch_rank(gradients.reshape(samples, -1) @ jacobian)

    return run


SIDES = {
    "sptlab probe": probe,
    "sptlab closed form": closed_form,
    "torch vmap(grad) + SVD": torch_vmap,
    "torch dense Jacobian + SVD": torch_jacobian,
}
REFERENCE = "torch vmap(grad) + SVD"


@dataclasses.dataclass(frozen=True)
class ScoreGradients:
    """Time and peak memory of every side at every length; the table is printed and stored."""

    lengths: tuple[int, ...] = (64, 128, 256, 1024)
    """L."""
    samples: int = 256
    """n."""
    rounds: int = 2
    """Interleaved rounds; each starts every side anew and times its second and third call."""
    out: Path = STORED
    """Where the table goes."""
    side: str = ""
    """Used by itself for one measurement; leave empty."""


def measure(side: str, length: int, samples: int) -> dict[str, float]:
    """One process's measurement: first call, the median of two more, peak memory."""
    run = SIDES[side](length, samples)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        rank = run()
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"first": seconds[0], "seconds": statistics.median(seconds[1:]), "gigabytes": peak, "rank": rank}


def in_process(side: str, length: int, config: ScoreGradients) -> dict[str, float]:
    """`measure` in a process of its own; PyTorch with passive OpenMP, as on shared cores."""
    command = [sys.executable, "-m", "benchmarks.score_gradients", "--side", side]
    command += ["--lengths", str(length), "--samples", str(config.samples)]
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
    completed = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(completed.stdout)


def table(config: ScoreGradients) -> list[dict[str, Any]]:
    """One row per length and side, with the ratio of times to the reference in the same rounds."""
    rows: list[dict[str, Any]] = []
    for length in config.lengths:
        sides = [side for side in SIDES if length <= LIMITS.get(side, length)]
        timings: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for side in taken(sides, config.rounds):
            timings[side].append(in_process(side, length, config))
        for side in sides:
            ratios = [
                theirs["seconds"] / ours["seconds"]
                for theirs, ours in zip(timings[REFERENCE], timings[side], strict=True)
            ]
            row = {name: statistics.median(run[name] for run in timings[side]) for name in timings[side][0]}
            rows.append({"length": length, "side": side, **row, "times_faster": statistics.median(ratios)})
            print("{length:5} {side:28} {seconds:8.3f} s {gigabytes:6.2f} GB  rank {rank:4.0f}  "
                  "{times_faster:7.2f}x".format(**rows[-1]), flush=True)  # fmt: skip
    return rows


def main(config: ScoreGradients) -> None:
    """Measure, print, store."""
    if config.side:
        print(json.dumps(measure(config.side, config.lengths[0], config.samples)))
        return
    rows = table(config)
    store(config.out, rows, samples=config.samples, rounds=config.rounds)


if __name__ == "__main__":
    main(tyro.cli(ScoreGradients))
