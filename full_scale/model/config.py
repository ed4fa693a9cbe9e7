"""What the encoder is made of: sizes, and the choices that the paper's ablations compare."""

import dataclasses
from typing import Literal

from sims.runs.store import UserError

PositionKind = Literal["sinusoidal", "learned", "random-normal", "rope", "alibi", "none"]
PoolKind = Literal["mean", "cls", "max", "last", "attention"]
HeadKind = Literal["linear", "mlp"]
Copies = Literal["independent", "qk", "qkvo", "mimetic"]
Precision = Literal["float32", "bfloat16"]


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Shape of the encoder; the sizes of its input and output come from the task."""

    layers: int = 1
    """Number of attention blocks."""
    width: int = 32
    """Token width d."""
    heads: int = 4
    """Attention heads; must divide the width."""
    hidden: int = 64
    """Hidden width of each block's MLP (d_ff)."""
    positions: PositionKind = "sinusoidal"
    """Position encoding: added to the tokens, rotation of queries and keys (rope), score bias (alibi)."""
    pool: PoolKind = "mean"
    """Pooling of the positions' features into one vector for the label head."""
    head: HeadKind = "linear"
    """Label head: linear, or two layers with a ReLU between."""
    residual: bool = True
    """Residual connections around attention and MLP; the flag leaves them out."""
    norm: bool = True
    """LayerNorm before attention, before the MLP and after the last block; the flag leaves it out."""
    mlp: bool = True
    """An MLP after each attention; the flag leaves it out."""
    copies: Copies = "independent"
    """Attention projections that start as identical copies; qkvo: as in Amos et al.'s code; mimetic: W_Q^T W_K
    close to the identity and W_O W_V to minus it."""
    padding_mask: bool = True
    """Exclude keys beyond a sequence's length; with the flag only the pool leaves them out (Amos et al.)."""
    causal: bool = False
    """Causal attention: each position attends to itself and earlier ones only."""
    intensities: Literal["levels", "values"] = "levels"
    """Token head of raw intensities: logits of all levels (cross-entropy) or standardised values (L1, L2)."""
    precision: Precision = "float32"
    """Arithmetic of matrix products; parameters, softmax, norms, residual sums and losses stay float32."""
    attention: Literal["auto", "explicit"] = "auto"
    """Attention kernel: the fastest for the device (auto), or explicit scores everywhere."""

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "hidden"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1: got {name}={getattr(self, name)}; try {name}=1")
        if self.width % self.heads:
            fits = max(h for h in range(1, self.heads) if self.width % h == 0)
            raise UserError(
                f"heads must divide width: got width={self.width}, heads={self.heads}; try heads={fits}"
            )
        if self.positions == "rope" and self.width // self.heads % 2:
            raise UserError(
                f"rope needs an even width per head: got width={self.width}, heads={self.heads}; "
                f"try width={2 * self.width}"
            )
        if self.pool == "cls" and self.causal:
            raise UserError(
                "a causal encoder's CLS token, the first, reads nothing but itself; try pool=last"
            )
