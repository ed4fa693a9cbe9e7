"""The sides of the training-step benchmarks: the project's `advance`, and the same model in PyTorch.

Both start from the same parameters and draw the same batches. PyTorch's is the same pre-LN encoder with
scaled_dot_product_attention, one matrix for queries, keys and values, and the fused AdamW.
"""

import contextlib
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

RATE, DECAY, EPSILON, CLASSES = 1e-3, 0.01, 1e-5, 10


@dataclasses.dataclass(frozen=True)
class Size:
    """A model, its data and a batch."""

    length: int
    layers: int
    width: int
    heads: int
    hidden: int
    batch: int
    steps: int
    """Per timed turn: of the project's, one compiled scan."""
    data: int
    """Sequences drawn from."""
    symbols: int
    precision: Literal["float32", "bfloat16"]


def start(size: Size):
    """The project's model, its training data and key, and the phase that trains it."""
    import jax
    import jax.numpy as jnp

    from full_scale.data.dataset import Inputs
    from full_scale.model import ModelConfig, Transformer
    from full_scale.objectives.batch_loss import Data
    from full_scale.training.step import OptimizerConfig, Phase

    numbers = np.random.default_rng(0)
    tokens = numbers.integers(0, size.symbols, (size.data, size.length)).astype(np.uint8)
    labels = numbers.integers(0, CLASSES, size.data).astype(np.int32)
    shape = (size.layers, size.width, size.heads, size.hidden)
    config = ModelConfig(*shape, positions="learned", precision=size.precision)
    model = Transformer(config, Inputs(size.length, CLASSES, size.symbols), key=jax.random.key(0))
    phase = Phase("labels", 1_000_000, OptimizerConfig(RATE, 0.0, DECAY, "constant"))
    return model, phase, Data(jnp.asarray(tokens), None, jnp.asarray(labels)), jax.random.key(1)


def ours(size: Size, folder: Path) -> Callable[[int], float]:
    """`advance`: told a number of steps, their mean loss."""
    import equinox as eqx

    from full_scale.training.step import advance, begin

    model, phase, data, key = start(size)
    state, static = begin(model, phase), eqx.partition(model, eqx.is_array)[1]

    def turn(steps: int) -> float:
        nonlocal state
        state, losses = advance(state, static, phase, data, size.batch, steps, key=key)
        return float(losses.mean())

    return turn


def share(size: Size, steps: int, folder: Path) -> None:
    """Write what the other side starts from: parameters, data, and the rows that `advance` will draw."""
    import equinox as eqx
    import jax

    model, _, data, key = start(size)

    def rows(step):
        batch_key, _ = jax.random.split(jax.random.fold_in(key, step))
        return jax.random.randint(batch_key, (size.batch,), 0, size.data)

    parameters = jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_array))
    named = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in parameters}
    order = np.asarray(jax.vmap(rows)(np.arange(steps)))
    np.savez(folder / "start.npz", tokens=data.tokens, labels=data.labels, rows=order, **named)


def torch_loss(given: dict, tokens, labels, size: Size):
    """Mean cross-entropy of a batch."""
    import torch.nn.functional as F

    def affine(name, x):
        return F.linear(x, given[f"{name}.weight"], given[f"{name}.bias"])

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], given[f"{name}.weight"], given[f"{name}.bias"], EPSILON)

    x = F.embedding(tokens, given[".encoder.table"]) + given[".positions"]
    for layer in range(size.layers):
        block = f".blocks[{layer}]"
        joint = affine(f"{block}.attention.joint", norm(f"{block}.attention_norm", x))
        split = joint.view(*x.shape[:2], 3, size.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*split).transpose(1, 2).reshape(x.shape)
        x = x + affine(f"{block}.attention.output", mixed)
        hidden = F.gelu(affine(f"{block}.mlp.expand", norm(f"{block}.mlp_norm", x)), approximate="tanh")
        x = x + affine(f"{block}.mlp.contract", hidden)
    return F.cross_entropy(affine(".label_head", norm(".norm", x).mean(1)).float(), labels)


def given_to_torch(size: Size, folder: Path, device: str) -> tuple[dict, tuple]:
    """Parameters by name, queries, keys and values in one matrix; and tokens, labels, rows."""
    import torch

    with np.load(folder / "start.npz") as archive:
        given = {name: torch.tensor(archive[name], device=device) for name in archive.files}
    tokens, labels, rows = (given.pop(name).long() for name in ("tokens", "labels", "rows"))
    for layer in range(size.layers):
        for kind in ("weight", "bias"):
            names = [f".blocks[{layer}].attention.{part}.{kind}" for part in ("query", "key", "value")]
            given[f".blocks[{layer}].attention.joint.{kind}"] = torch.cat([given.pop(name) for name in names])
    return given, (tokens, labels, rows)


def pytorch(size: Size, folder: Path, device: str = "cpu") -> Callable[[int], float]:
    """PyTorch, compiled on a GPU, step by step on a CPU: told a number of steps, their mean loss."""
    import torch

    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    half = size.precision == "bfloat16"
    casting = partial(torch.autocast, device, torch.bfloat16) if half else contextlib.nullcontext
    given, (tokens, labels, rows) = given_to_torch(size, folder, device)
    leaves = [leaf.requires_grad_() for leaf in given.values()]
    optimizer = torch.optim.AdamW(leaves, RATE, weight_decay=DECAY, fused=True)
    compiled = torch_loss if device == "cpu" else torch.compile(torch_loss)
    at = 0

    def turn(steps: int) -> float:
        nonlocal at
        total = torch.zeros((), device=device)
        for chosen in rows[at : at + steps]:
            with casting():
                loss = compiled(given, tokens[chosen], labels[chosen], size)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        at += steps
        return float(total) / steps

    return turn
