"""Eight seeds of a toy Transformer: `sims.ensemble` beside three ways of PyTorch.

    python -m benchmarks.ensembles            (needs the extra `pytorch`; about four minutes)

The same pre-LN encoder, parameters, data order and AdamW on all sides, float32: the loss after the first
steps is compared before anything is timed. Every side runs in a process of its own that waits for its
turn, so that a round times all sides within seconds of each other; rounds go A B C, C B A. The unit is
seeds x steps per second.
"""

import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tyro

STORED = Path(__file__).parent / "stored" / "ensembles.json"
RATE, DECAY = 1e-3, 0.01
DATA = 4096
AGREED = 2e-4
"""Relative: float32 losses after `CHECKED` steps of AdamW."""
CHECKED = 24


@dataclasses.dataclass(frozen=True)
class Size:
    """A model and a batch."""

    length: int
    width: int
    heads: int
    batch: int
    steps: int
    """Per timed turn and seed."""


SIZES = {"small": Size(16, 32, 2, 32, 192), "large": Size(64, 64, 2, 64, 24)}
SYMBOLS, CLASSES = 16, 4


def data(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and labels."""
    numbers = np.random.default_rng(0)
    tokens = numbers.integers(0, SYMBOLS, (DATA, size.length))
    return tokens.astype(np.int32), numbers.integers(0, CLASSES, DATA).astype(np.int32)


def parameters(size: Size, seeds: int):
    """The toy Transformer's initial parameters as numpy arrays, seeds in front."""
    import jax

    from sims import toy_transformer as toy

    model = toy.ToyTransformer(size.length, SYMBOLS, size.width, size.heads, 1, CLASSES)
    keys = jax.random.split(jax.random.key(0), seeds)
    stacked = jax.vmap(lambda key: toy.initial(model, key=key))(keys)
    return model, jax.tree.map(lambda leaf: np.array(leaf, np.float32), stacked)


def ours(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """`sims.ensemble`: advance all seeds by a number of steps; their mean losses."""
    import jax
    import jax.numpy as jnp
    import optax

    from sims import ensemble
    from sims import toy_transformer as toy

    model, start = parameters(size, seeds)
    tokens, labels = map(jnp.asarray, data(size))

    def batch(key):
        rows = jax.random.randint(key, (size.batch,), 0, DATA)
        return tokens[rows], labels[rows]

    training = ensemble.Training(
        lambda key: None,
        batch,
        lambda params, both: toy.label_loss(model, params, *both),
        optax.adamw(RATE, weight_decay=DECAY),
    )
    params = jax.tree.map(jnp.asarray, start)
    state = ensemble.State(
        params,
        jax.vmap(training.optimizer.init)(params),
        jax.random.split(jax.random.key(1), seeds),
        jnp.zeros(seeds, int),
    )
    programs: dict[int, Callable] = {}

    def advance(steps: int) -> np.ndarray:
        nonlocal state
        if steps not in programs:
            programs[steps] = ensemble.compiled(training, state, steps, "auto")
        state, losses = programs[steps](state)
        return np.asarray(losses)

    return advance


def rows_of(size: Size, seeds: int, steps: int) -> np.ndarray:
    """The rows that `ours` draws, for the other sides: (seeds, steps, batch)."""
    import jax

    keys = jax.random.split(jax.random.key(1), seeds)
    draw = lambda key, step: jax.random.randint(jax.random.fold_in(key, step), (size.batch,), 0, DATA)
    every = jax.vmap(lambda key: jax.vmap(lambda step: draw(key, step))(np.arange(steps)))
    return np.array(every(keys))


def torch_forward(params, tokens, labels, heads: int):
    """The same model in PyTorch, on a dict of parameters; attention written out, as vmap needs."""
    import torch
    from torch.nn import functional

    norm = lambda part, x: functional.layer_norm(x, x.shape[-1:], part["scale"], part["shift"], 1e-5)
    linear = lambda part, x: x @ part["weights"] + part["bias"]
    stream = params["tokens"][tokens] + params["positions"]
    batch, length, width = stream.shape
    for part in params["blocks"]:
        qkv = linear(part["qkv"], norm(part["attention_norm"], stream))
        split = qkv.reshape(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = split[0] @ split[1].transpose(-1, -2) / (width // heads) ** 0.5
        mixed = (torch.softmax(scores, -1) @ split[2]).permute(0, 2, 1, 3).reshape(batch, length, width)
        stream = stream + linear(part["out"], mixed)
        inner = functional.gelu(linear(part["up"], norm(part["mlp_norm"], stream)), approximate="tanh")
        stream = stream + linear(part["down"], inner)
    logits = linear(params["head"], norm(params["norm"], stream).mean(1))
    return functional.cross_entropy(logits, labels)


def torch_state(size: Size, seeds: int, steps: int):
    """Parameters as tensors, without the reconstruction readout, data, and the rows of every step."""
    import jax
    import torch

    _, start = parameters(size, seeds)
    start.pop("readout")
    tokens, labels = (torch.as_tensor(array).long() for array in data(size))
    tensors = jax.tree.map(torch.as_tensor, start)
    return tensors, tokens, labels, torch.as_tensor(rows_of(size, seeds, steps)).long()


def torch_loop(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """What one writes first: a model and a fused AdamW per seed, one after another."""
    import jax
    import torch

    stacked, tokens, labels, rows = torch_state(size, seeds, 2048)
    runs = []
    for seed in range(seeds):
        params = jax.tree.map(lambda leaf: leaf[seed].clone().requires_grad_(True), stacked)  # noqa: B023
        leaves = jax.tree.leaves(params)
        runs.append((params, torch.optim.AdamW(leaves, RATE, weight_decay=DECAY, fused=True)))
    at = 0

    def advance(steps: int) -> np.ndarray:
        nonlocal at
        means = []
        for seed, (params, optimizer) in enumerate(runs):
            total = 0.0
            for step in range(at, at + steps):
                chosen = rows[seed, step % rows.shape[1]]
                optimizer.zero_grad(set_to_none=True)
                loss = torch_forward(params, tokens[chosen], labels[chosen], size.heads)
                loss.backward()
                optimizer.step()
                total += float(loss.detach())
            means.append(total / steps)
        at += steps
        return np.array(means)

    return advance


def torch_vmap(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """torch.func.vmap of grad over the seeds, one fused AdamW on the stacked parameters."""
    import jax
    import torch

    params, tokens, labels, rows = torch_state(size, seeds, 2048)
    leaves, structure = jax.tree.flatten(params)
    optimizer = torch.optim.AdamW(leaves, RATE, weight_decay=DECAY, fused=True)
    forward = lambda leaves, x, y: torch_forward(jax.tree.unflatten(structure, leaves), x, y, size.heads)
    slope = torch.func.vmap(torch.func.grad_and_value(forward))
    at = 0

    def advance(steps: int) -> np.ndarray:
        nonlocal at
        total = torch.zeros(seeds)
        for step in range(at, at + steps):
            chosen = rows[:, step % rows.shape[1]]
            gradients, losses = slope(leaves, tokens[chosen], labels[chosen])
            for leaf, gradient in zip(leaves, gradients, strict=True):
                leaf.grad = gradient
            optimizer.step()
            total += losses
        at += steps
        return np.asarray(total / steps)

    return advance


SIDES = {
    "sptlab ensemble": (ours, {}),
    "torch loop, passive OpenMP": (torch_loop, {"OMP_WAIT_POLICY": "passive"}),
    "torch loop, spinning OpenMP": (torch_loop, {}),  # its default: "active" would spin through others' turns
    "torch.func.vmap": (torch_vmap, {"OMP_WAIT_POLICY": "passive"}),
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


class Side:
    """A process that runs one side on demand."""

    def __init__(self, name: str, size: str, seeds: int) -> None:
        command = [sys.executable, "-m", "benchmarks.ensembles", "--side", name, "--sizes", size]
        inherited = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
        environment = inherited | SIDES[name][1] | {"JAX_PLATFORMS": "cpu"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([*command, "--seeds", str(seeds)], env=environment, **pipes)

    def advance(self, steps: int) -> tuple[float, np.ndarray]:
        """Seconds and mean losses of the next steps."""
        print(steps, file=self.process.stdin, flush=True)
        seconds, losses = json.loads(self.process.stdout.readline())
        return seconds, np.array(losses)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def compare(name: str, config: Ensembles) -> list[dict[str, object]]:
    """One size: check that all sides train alike, then time them in rounds."""
    size = SIZES[name]
    sides = {side: Side(side, name, config.seeds) for side in SIDES}
    try:
        losses = {side: process.advance(CHECKED)[1] for side, process in sides.items()}
        for side, found in losses.items():
            gap = np.abs(found / losses[OURS] - 1).max()
            if gap > AGREED:
                raise SystemExit(f"{side} trains otherwise: losses differ by {gap:.1e} after {CHECKED} steps")
        for process in sides.values():  # compile and warm up
            process.advance(size.steps)
        speeds: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(config.rounds):
            for side in sides if turn % 2 == 0 else reversed(sides):
                speeds[side].append(config.seeds * size.steps / sides[side].advance(size.steps)[0])
    finally:
        for process in sides.values():
            process.close()
    rows = []
    for side in sides:
        ratios = [mine / theirs for mine, theirs in zip(speeds[OURS], speeds[side], strict=True)]
        low, high = np.quantile(ratios, [0.0, 1.0])
        row = {"size": name, "side": side, "seeds_steps_per_second": statistics.median(speeds[side])}
        row |= {"times_faster": statistics.median(ratios), "least": float(low), "most": float(high)}
        rows.append(row)
        line = "{size:6} {side:28} {seeds_steps_per_second:8.1f} seeds x steps/s"
        line += "   sptlab: {times_faster:6.2f} times [{least:.2f}, {most:.2f}]"
        print(line.format(**row), flush=True)
    return rows


def main(config: Ensembles) -> None:
    """Measure, print, store."""
    if config.side:
        serve(config.side, SIZES[config.sizes[0]], config.seeds)
        return
    rows = [row for name in config.sizes for row in compare(name, config)]
    import jax
    import torch

    record = {"jax": jax.__version__, "torch": torch.__version__, "python": platform.python_version()}
    record |= {"cores": os.cpu_count(), "seeds": config.seeds, "rounds": config.rounds}
    record |= {"load_average": os.getloadavg()[0]}
    config.out.parent.mkdir(parents=True, exist_ok=True)
    config.out.write_text(json.dumps({"provenance": record, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Ensembles))
