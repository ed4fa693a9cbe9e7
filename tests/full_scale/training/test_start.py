"""A run that begins with another's model: what is taken is that model's, what does not fit is said."""

import dataclasses

import jax.numpy as jnp
import pytest

from full_scale.training.start import Start
from sims.runs.provenance import config_hash
from sims.runs.store import UserError
from tests.full_scale.export.exported import model_of, of_other_inputs, weights_of


def written(kind, folder):
    """A model and the start that it offers."""
    model = model_of(kind)
    weights_of(model).write(folder)
    return model, Start.of(folder)


def test_all_but_the_heads_is_taken(tmp_path):
    model, start = written("learned cls mlp-head", tmp_path)
    fresh = of_other_inputs(model, classes=4)
    begun = start.begun(fresh)
    taken = (lambda m: m.encoder.table, lambda m: m.cls, lambda m: m.positions, lambda m: m.norm.weight,
             lambda m: m.blocks[1].attention.key.weight)  # fmt: skip
    assert all(jnp.array_equal(of(begun), of(model)) for of in taken)
    for of in (lambda m: m.label_head.expand.weight, lambda m: m.token_head.weight):
        assert jnp.array_equal(of(begun), of(fresh))
    assert start.config == model.config


def test_only_the_named_parts_are_taken(tmp_path):
    model, start = written("learned cls mlp-head", tmp_path)
    fresh = of_other_inputs(model, symbols=9)
    begun = dataclasses.replace(start, parts=("qk.1",)).begun(fresh)
    key = lambda m, layer: m.blocks[layer].attention.key.weight
    assert jnp.array_equal(key(begun, 1), key(model, 1)) and jnp.array_equal(key(begun, 0), key(fresh, 0))


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            "sinusoidal mean", {"symbols": 9},
            "expected tokens of 5 symbols, as the model in .* reads: got tokens of 9 symbols; .* draw "
            "embeddings anew: --start-parts positions qk vo mlp norms$",
        ),
        ("rope last levels", {"levels": None, "channels": 2}, "of 1 channel, .*: got values of 2 channels;"),
        ("pairs", {"symbols": None}, "expected tokens of 5 symbols, .*: got values of 1 channel;"),
        (
            "learned cls mlp-head", {"length": 12},
            r"expected at most 10 tokens \(positions learned\), .*: got 12 tokens; .*--start-parts qk vo mlp "
            "norms embeddings$",
        ),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_refused_in_one_line(kind, changes, message, tmp_path):
    model, start = written(kind, tmp_path)
    with pytest.raises(UserError, match=message) as refused:
        start.begun(of_other_inputs(model, **changes))
    assert "\n" not in str(refused.value)


def test_shorter_sequences_take_the_first_learned_positions_and_others_any(tmp_path):
    model, start = written("learned cls mlp-head", tmp_path / "learned")
    begun = start.begun(of_other_inputs(model, length=6))
    assert jnp.array_equal(begun.positions, model.positions[:7])
    model, start = written("sinusoidal mean", tmp_path / "sinusoidal")
    start.begun(of_other_inputs(model, length=30))


def test_what_the_file_holds_decides_the_run_and_not_where_it_lies(tmp_path):
    _, one = written("sinusoidal mean", tmp_path / "one")
    _, same = written("sinusoidal mean", tmp_path / "same")
    _, other = written("none, bare", tmp_path / "other")
    assert config_hash(one, 0) == config_hash(same, 0) != config_hash(other, 0)
