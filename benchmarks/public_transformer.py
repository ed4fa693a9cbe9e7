"""A public small Transformer on the images that `sptlab study paper` trains labels alone on, equally tuned.

    python -m benchmarks.public_transformer --cifar cifar10_gray_u8.npz        (extra `pytorch`; ten minutes or so)

`ViTForImageClassification` of transformers (Dosovitskiy et al. 2021: class token, learned positions, GELU, LayerNorm
first) with one pixel as a patch, at the layers, width, heads and MLP of the study's size, on the same images, parts,
steps and batch; its rate, too, is chosen by validation accuracy on one more seed. As its users train it: AdamW, weight
decay 0.05, gradients cut to norm 1, linear warm-up and cosine decay. In a second variant half of the images of a batch
are mirrored. Test accuracies with 95% intervals over seeds.
"""

import dataclasses
import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tyro

from benchmarks import turns
from full_scale.data.dataset import Split
from full_scale.studies.paper.sizes import TIERS
from full_scale.tasks.image import Image
from sims.statistics.intervals import mean_interval

STORED = Path(__file__).parent / "stored" / "public_transformer.json"
_DECAY, _WARMUP, _AT_ONCE = 0.05, 0.1, 250


@dataclasses.dataclass(frozen=True)
class Config:
    """What is trained."""

    cifar: Path
    """CIFAR-10 in any form that `sptlab data list` names."""
    tier: int = 2
    """Of `sptlab study paper`: 1 is 8x8, 2 16x16, 3 32x32."""
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    """Learning rates to choose from."""
    seeds: int = 3
    """Runs of each variant."""
    steps: int | None = None
    """Optimiser steps of a run; default: the tier's."""
    stored: Path = STORED
    """File of the result."""


def vit(side: int, model, classes: int):  # torch is an extra
    """The public encoder at the study's sizes."""
    from transformers import ViTConfig, ViTForImageClassification

    shape = dict(hidden_size=model.width, num_hidden_layers=model.layers, num_attention_heads=model.heads)
    return ViTForImageClassification(
        ViTConfig(
            image_size=side, patch_size=1, num_channels=1, intermediate_size=model.hidden, num_labels=classes,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **shape,
        )
    )  # fmt: skip


def accuracies(net, split: tuple, classes: int) -> float:
    """Share of images whose largest logit is the label's."""
    import torch

    images, labels = split
    with torch.no_grad():
        parts = [net(pixel_values=part).logits.argmax(-1) for part in images.split(_AT_ONCE)]
    return float((torch.cat(parts) == labels).float().mean())


def trained(config: Config, data: dict, size, rate: float, seed: int, mirrored: bool) -> tuple[float, float]:
    """(validation, test) accuracy after the last step."""
    import torch

    steps = config.steps or size.steps
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = vit(size.settings["side"], size.model, 10)
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=_DECAY, fused=True)
    warm = max(1, round(_WARMUP * steps))
    shape = lambda t: min((t + 1) / warm, 0.5 * (1 + math.cos(math.pi * max(0, t - warm) / (steps - warm))))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, shape)
    images, labels = data["train"]
    for _ in range(steps):
        rows = torch.randint(len(labels), (size.batch,), generator=generator)
        batch = images[rows]
        if mirrored:
            half = torch.rand(size.batch, generator=generator) < 0.5
            batch = torch.where(half[:, None, None, None], batch.flip(-1), batch)
        optimizer.zero_grad(set_to_none=True)
        net(pixel_values=batch, labels=labels[rows]).loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    net.eval()
    return accuracies(net, data["validation"], 10), accuracies(net, data["test"], 10)


def main(config: Config) -> None:
    """Choose a rate, train the seeds, print and store beside other sizes and steps."""
    if missing := [name for name in ("torch", "transformers") if not find_spec(name)]:
        need = f"expected {' and '.join(missing)}, not installed here: pip install -e '.[pytorch]'"
        print(need, file=sys.stderr)
        sys.exit(2)
    import torch

    earlier = json.loads(config.stored.read_text())["rows"] if config.stored.exists() else []

    size = next(size for size in TIERS[config.tier] if size.task == "image")
    task = size.data({"image": config.cifar}, Path())
    assert isinstance(task, Image)
    dataset, side = task.load(), task.side
    inputs = dataset.inputs

    def tensors(split: Split) -> tuple:
        values = (split.tokens.astype(np.float32) - inputs.mean) / inputs.deviation
        images = torch.as_tensor(values).reshape(-1, 1, side, side)
        return images, torch.as_tensor(split.labels).long()

    data = {part: tensors(getattr(dataset, part)) for part in ("train", "validation", "test")}
    rows = [row for row in earlier if (row["side"], row["steps"]) != (side, config.steps or size.steps)]
    for mirrored in (False, True):
        tuned = {rate: trained(config, data, size, rate, 1000, mirrored)[0] for rate in config.rates}
        rate = max(tuned, key=lambda each: tuned[each])
        runs = [trained(config, data, size, rate, seed, mirrored) for seed in range(config.seeds)]
        test = mean_interval(np.array([run[1] for run in runs]))
        rows.append(
            {
                "side": side, "mirrored": mirrored, "rate": rate, "tuning": tuned, "steps": config.steps or size.steps,
                "per_seed": [run[1] for run in runs], "test_accuracy": dataclasses.asdict(test),
                "parameters": sum(p.numel() for p in vit(side, size.model, 10).parameters()),
            }
        )  # fmt: skip
        print(f"{side}x{side}, mirrored {mirrored}: rate {rate}, test accuracy {test.text()}", flush=True)
        turns.store(config.stored, rows)


if __name__ == "__main__":
    main(tyro.cli(Config))
