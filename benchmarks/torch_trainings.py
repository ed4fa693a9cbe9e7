"""The model of `benchmarks.toy_trainings` in PyTorch: a loop over seeds, and `torch.func.vmap` over them."""

from collections.abc import Callable

import numpy as np

from benchmarks.toy_trainings import DECAY, RATE, Size, data, parameters, rows_of


def label_loss(params, tokens, labels, heads: int):
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


def state_of(size: Size, seeds: int, steps: int):
    """Parameters as tensors, without the reconstruction readout, data, and the rows of every step."""
    import jax
    import torch

    _, start = parameters(size, seeds)
    start.pop("readout")
    tokens, labels = (torch.as_tensor(array).long() for array in data(size))
    tensors = jax.tree.map(torch.as_tensor, start)
    return tensors, tokens, labels, torch.as_tensor(rows_of(size, seeds, steps)).long()


def loop(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """What one writes first: a model and a fused AdamW per seed, one after another."""
    import jax
    import torch

    every, tokens, labels, rows = state_of(size, seeds, 2048)
    runs = []
    for seed in range(seeds):
        params = jax.tree.map(lambda leaf: leaf[seed].clone().requires_grad_(True), every)  # noqa: B023
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
                loss = label_loss(params, tokens[chosen], labels[chosen], size.heads)
                loss.backward()
                optimizer.step()
                total += float(loss.detach())
            means.append(total / steps)
        at += steps
        return np.array(means)

    return advance


def stacked(size: Size, seeds: int) -> Callable[[int], np.ndarray]:
    """torch.func.vmap of grad over the seeds, one fused AdamW on the stacked parameters."""
    import jax
    import torch

    params, tokens, labels, rows = state_of(size, seeds, 2048)
    leaves, structure = jax.tree.flatten(params)
    optimizer = torch.optim.AdamW(leaves, RATE, weight_decay=DECAY, fused=True)
    forward = lambda leaves, x, y: label_loss(jax.tree.unflatten(structure, leaves), x, y, size.heads)
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
