"""Parts of a model: which parameter belongs where, what transfer takes and what freezing keeps."""

import functools
from collections import Counter

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

from full_scale.data.dataset import Inputs
from full_scale.model import PARTS, ModelConfig, Transformer, assemble, part_of, trainable
from sims.runs.store import UserError

TOKENS = jnp.arange(6, dtype=jnp.int32) % 4


@functools.cache
def build(seed: int = 0, classes: int = 2, **choices) -> Transformer:
    config = ModelConfig(2, 4, 2, 6, **choices)
    return Transformer(config, Inputs(6, classes, symbols=4), key=jax.random.key(seed))


def parts(model: Transformer) -> dict[str, tuple]:
    return {jax.tree_util.keystr(p): part_of(p) for p, _ in jax.tree_util.tree_leaves_with_path(model)}


def changed(one: Transformer, other: Transformer) -> set[str]:
    """Paths whose parameters differ."""
    pairs = zip(*map(jax.tree_util.tree_leaves_with_path, (one, other)), strict=True)
    return {jax.tree_util.keystr(p) for (p, a), (_, b) in pairs if not jnp.array_equal(a, b)}


def test_every_parameter_belongs_to_one_part_and_every_part_has_some() -> None:
    model = build(positions="learned", pool="cls", head="mlp")
    found = Counter(part for part, _ in parts(model).values())
    assert found == {
        "positions": 1, "embeddings": 2, "qk": 8, "vo": 8, "mlp": 8, "norms": 10, "head": 4, "token_head": 2,
    }  # fmt: skip
    assert set(found) == set(PARTS)
    assert parts(build(pool="attention"))[".pool_query"] == ("head", None)
    assert parts(model)[".blocks[1].attention.output.bias"] == ("vo", 1)
    assert parts(model)[".norm.weight"] == ("norms", None)


def test_a_part_takes_its_own_parameters_only() -> None:
    fresh, pretrained = build(0), build(1)
    taken = changed(assemble(fresh, pretrained, ("qk",)), fresh)
    expected = {f".blocks[{b}].attention.{n}" for b in (0, 1) for n in ("query", "key")}
    assert taken == {f"{name}.{kind}" for name in expected for kind in ("weight", "bias")}
    one = changed(assemble(fresh, pretrained, ("mlp.1",)), fresh)
    assert one == {f".blocks[1].mlp.{n}.{k}" for n in ("expand", "contract") for k in ("weight", "bias")}


def test_all_takes_everything_and_nothing_takes_nothing() -> None:
    fresh, pretrained = build(0, positions="random-normal"), build(1, positions="random-normal")
    assert not changed(assemble(fresh, pretrained, ("all",)), pretrained)
    assert not changed(assemble(fresh, pretrained, ()), fresh)
    assert changed(assemble(fresh, pretrained, ("positions",)), fresh) == {".positions"}
    assert not changed(assemble(build(0), build(1), ("positions",)), build(0))


def test_parts_pass_between_tasks_whose_heads_differ() -> None:
    fresh, pretrained = build(0, classes=3), build(1, classes=2)
    assert assemble(fresh, pretrained, ("qk", "vo", "norms")).label_head.bias.shape == (3,)
    with pytest.raises(UserError, match=r"label_head.*leave head out of what is taken"):
        assemble(fresh, pretrained, ("all",))
    with pytest.raises(UserError, match=r"positions.*got none; leave positions out"):
        assemble(build(0, positions="learned"), build(1), ("positions",))


def test_frozen_parts_get_no_update() -> None:
    model = build(positions="random-normal")
    moving, still = eqx.partition(model, trainable(model, ("qk.0", "embeddings")))
    gradient = jax.grad(lambda m: eqx.combine(m, still).label_logits(TOKENS)[0])(moving)
    optimizer = optax.adamw(1e-2, weight_decay=0.1)
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = optimizer.update(gradient, optimizer.init(moving), moving)
    trained = eqx.combine(optax.apply_updates(moving, updates), still)
    moved = {parts(model)[path] for path in changed(trained, model)}
    assert ("qk", 0) not in moved
    assert moved >= {("qk", 1), ("vo", 0), ("mlp", 1), ("head", None)}
    assert not {("embeddings", None), ("positions", None)} & moved


@pytest.mark.parametrize(
    ("selector", "complaint"),
    [
        ("kq", "got kq; did you mean qk"),
        ("norm", "got norm; did you mean norms"),
        ("mlp.2", r"expected a layer 0\.\.1 after qk, vo, mlp, norms: got mlp\.2; try mlp"),
        ("head.0", r"got head\.0; try head"),
        ("qk.x", r"got qk\.x; try qk"),
    ],
)
def test_an_unknown_selector_is_refused_with_the_nearest_name(selector: str, complaint: str) -> None:
    for call in (lambda: assemble(build(), build(), (selector,)), lambda: trainable(build(), (selector,))):
        with pytest.raises(UserError, match=complaint) as raised:
            call()
        assert "\n" not in str(raised.value)
