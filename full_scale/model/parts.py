"""The parts of a model that can be taken from pretraining, made fresh, or kept from training.

A selector is a part ("qk"), a part of one layer ("qk.2", layers counted from 0) or "all".
"""

import difflib
from typing import Literal, get_args

import equinox as eqx
import jax
from jax.tree_util import KeyPath
from jaxtyping import PyTree

from full_scale.model.transformer import Transformer
from sims.runs.store import UserError

Part = Literal["positions", "qk", "vo", "mlp", "norms", "embeddings", "head", "token_head"]
PARTS: tuple[Part, ...] = get_args(Part)
ALL = "all"
_LAYERED = ("qk", "vo", "mlp", "norms")
_MODULE_PARTS: dict[str, Part] = {
    "positions": "positions",
    "encoder": "embeddings",
    "cls": "embeddings",
    "norm": "norms",
    "attention_norm": "norms",
    "mlp_norm": "norms",
    "query": "qk",
    "key": "qk",
    "value": "vo",
    "output": "vo",
    "mlp": "mlp",
    "pool_query": "head",
    "label_head": "head",
    "token_head": "token_head",
}


def part_of(path: KeyPath) -> tuple[Part, int | None]:
    """(part, layer) of the parameter at this path of a `Transformer`; None outside the blocks."""
    steps = jax.tree_util.keystr(path, simple=True, separator=".").split(".")
    if steps[0] != "blocks":
        return _MODULE_PARTS[steps[0]], None
    module = steps[3] if steps[2] == "attention" else steps[2]
    return _MODULE_PARTS[module], int(steps[1])


def assemble(fresh: Transformer, pretrained: Transformer, taken: tuple[str, ...]) -> Transformer:
    """`fresh` with the parameters that `taken` selects from `pretrained`.

    Raises
    ------
    UserError
        At an unknown selector, or when a taken parameter differs in shape between the two.
    """
    chosen = selected(taken, len(fresh.blocks))
    keystr = jax.tree_util.keystr
    source = {keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(pretrained)}

    def one(path: KeyPath, leaf: PyTree) -> PyTree:
        if not covers(chosen, path):
            return leaf
        source_leaf = source.get(keystr(path))
        if source_leaf is None or source_leaf.shape != leaf.shape:
            shape = "none" if source_leaf is None else source_leaf.shape
            raise UserError(
                f"expected {keystr(path)} of shape {leaf.shape} in the pretrained model: got "
                f"{shape}; leave {part_of(path)[0]} out of what is taken"
            )
        return source_leaf

    return jax.tree_util.tree_map_with_path(one, fresh)


def trainable(model: Transformer, frozen: tuple[str, ...] = ()) -> PyTree:
    """True for each parameter that training moves; random-normal positions are never moved."""
    chosen = selected(frozen, len(model.blocks))
    fixed = {("positions", None)} if model.config.positions == "random-normal" else set()
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: eqx.is_array(leaf) and not covers(chosen | fixed, path), model
    )


def covers(chosen: set[tuple[str, int | None]], path: KeyPath) -> bool:
    """Whether the parameter's part, or its part in its layer, is chosen."""
    part, layer = part_of(path)
    return (part, None) in chosen or (part, layer) in chosen


def selected(selectors: tuple[str, ...], layers: int) -> set[tuple[str, int | None]]:
    """(part, layer) of every selector; layer None stands for the whole part."""
    chosen: set[tuple[str, int | None]] = set()
    for selector in selectors:
        part, dot, layer = selector.partition(".")
        if selector == ALL:
            chosen |= {(part, None) for part in PARTS}
        elif part not in PARTS:
            near = difflib.get_close_matches(part, (*PARTS, ALL), n=1, cutoff=0)[0]
            known = ", ".join((*PARTS, ALL))
            raise UserError(f"expected parts among {known}: got {selector}; did you mean {near}?")
        elif not dot:
            chosen.add((part, None))
        elif part not in _LAYERED or layer not in map(str, range(layers)):
            raise UserError(
                f"expected a layer 0..{layers - 1} after {', '.join(_LAYERED)}: got {selector}; try {part}"
            )
        else:
            chosen.add((part, int(layer)))
    return chosen
