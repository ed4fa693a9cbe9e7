"""Presets of Amos, Berant & Gupta 2024 (arXiv 2310.02980) and of its code (IdoAmos/not-from-scratch, "NFS").

Sizes, warm-up, epochs, weight decay, heads, losses: NFS, configs/experiment/lra/transformer-lra-*.yaml.
Learning rates where NFS has 0.05 (LRA's number, which LRA divides by sqrt(step)), mask ratios and pooling
where the two differ: the paper, table 4 and section 2. What differs here: fine-tuning starts from the last
pretrained model, not from the best on validation; epochs are counted in draws with replacement; sequences
of a batch count the same, whatever their length; Path-X attends to everything, not in windows of 4,096.
"""

from full_scale.model import ModelConfig
from full_scale.objectives.masking import Masking
from full_scale.objectives.optimizers import OptimizerConfig
from full_scale.studies.presets.preset import Preset, Stage


def amos(rate: float, warmup: int, epochs: int, *, batch: int = 32, decay: float = 0.0) -> Stage:
    """A phase of NFS: AdamW (0.9, 0.999), a constant rate after linear warm-up, no clipping."""
    optimizer = OptimizerConfig(rate, 0.0, decay, "constant", (0.9, 0.999), None)
    return Stage(optimizer, batch, epochs, warmup_steps=warmup)


def encoder(layers: int, width: int, heads: int, hidden: int, **choices) -> ModelConfig:
    """An encoder of NFS: no padding mask in attention, sinusoidal positions; Q, K, V, O as identical copies.

    `mhfa` makes the projections with deepcopy and nothing draws them again: they start equal.
    """
    return ModelConfig(layers, width, heads, hidden, copies="qkvo", padding_mask=False, **choices)


AMOS: dict[str, Preset] = {
    "amos-listops": Preset(
        "listops",
        encoder(6, 512, 8, 2048),
        pretraining=amos(1e-3, 2000, 100),  # paper, table 4
        labels=amos(1e-4, 2000, 100),  # paper, table 4
        masking=Masking(0.10),
        settings={"mark_end": True},
        description="ListOps: 6 layers of width 512",
    ),
    "amos-text": Preset(
        "text",
        encoder(6, 512, 8, 2048, head="mlp"),
        pretraining=amos(5e-4, 5000, 32, decay=0.1),  # rate: paper, table 4
        labels=amos(1e-4, 2000, 65, decay=0.1),  # rate: paper, table 4
        masking=Masking(0.15),
        settings={"unit": "characters", "mark_end": True},
        description="IMDB reviews, 4,096 characters: 6 layers of width 512",
    ),
    "amos-retrieval": Preset(
        "retrieval",
        encoder(4, 128, 4, 512, head="mlp"),
        pretraining=amos(5e-3, 2000, 32),  # rate: paper, table 4
        labels=amos(5e-4, 5000, 32),  # rate: paper, table 4
        masking=Masking(0.15),
        settings={"unit": "characters", "mark_end": True},
        description="AAN citations, 2 x 4,000 characters: 4 layers of width 128",
    ),
    "amos-image": Preset(
        "image",
        encoder(3, 64, 4, 128, head="mlp", pool="max", intensities="values"),  # pool: paper; NFS: mean
        pretraining=amos(1e-3, 2500, 50),
        labels=amos(1e-3, 2000, 200, batch=50),
        masking=Masking(0.5, "l1"),
        description="CIFAR-10 in grey, 1,024 pixels: 3 layers of width 64",
    ),
    "amos-pathfinder": Preset(
        "pathfinder",
        encoder(4, 128, 8, 128),
        pretraining=amos(1e-3, 2500, 50),  # rate: paper, table 4; NFS: 5e-4
        labels=amos(5e-4, 5000, 200),
        masking=Masking(0.5, "ce"),
        description="Pathfinder, 1,024 pixels: 4 layers of width 128",
    ),
    "amos-pathx": Preset(
        "pathfinder",
        encoder(4, 128, 4, 128, pool="max"),
        pretraining=amos(5e-4, 5000, 200),
        labels=amos(5e-4, 5000, 200),
        masking=Masking(0.5, "ce"),
        settings={"window": 128},
        description="Path-X, 16,384 pixels: 4 layers of width 128",
    ),
}
