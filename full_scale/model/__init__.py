"""The Transformer encoder, its choices, and its parts."""

from full_scale.model.attention_layer import Attention, Scope
from full_scale.model.blocks import Block
from full_scale.model.config import ModelConfig
from full_scale.model.parts import PARTS, assemble, part_of, trainable
from full_scale.model.transformer import Transformer

__all__ = [
    "PARTS",
    "Attention",
    "Block",
    "ModelConfig",
    "Scope",
    "Transformer",
    "assemble",
    "part_of",
    "trainable",
]
