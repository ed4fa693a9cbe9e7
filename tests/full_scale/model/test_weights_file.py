"""A model as safetensors and JSON: read as written, and refused where it is not whole."""

import jax
import jax.numpy as jnp
import pytest

from full_scale.model.weights_file import CONFIG, WEIGHTS, names, read
from sims.runs.store import UserError
from tests.full_scale.export.exported import KINDS, model_of, weights_of


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_read_as_it_was_written(kind, tmp_path):
    model = model_of(kind)
    weights_of(model).write(tmp_path)
    again = read(tmp_path).transformer()
    assert jax.tree.structure(again) == jax.tree.structure(model)
    assert all(map(jnp.array_equal, jax.tree.leaves(again), jax.tree.leaves(model)))


def test_tensors_have_the_names_of_their_place_in_the_model():
    model = model_of("learned cls mlp-head")
    expected = {
        "encoder.table",
        "positions",
        "cls",
        "blocks.1.attention.query.weight",
        "label_head.expand.bias",
    }
    assert expected < set(weights_of(model).tensors) == set(names(model.config, model.inputs))


def test_the_same_model_is_the_same_bytes(tmp_path):
    weights = weights_of(model_of("pairs"))
    for folder in ("one", "other"):
        weights.write(tmp_path / folder)
    for file in (WEIGHTS, CONFIG):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_what_is_not_a_whole_model_is_refused_in_one_line(tmp_path):
    weights = weights_of(model_of("pairs"))
    with pytest.raises(
        UserError, match=r"expected config.json and model.safetensors in .*; make it with: sptlab"
    ):
        read(tmp_path)
    weights.write(tmp_path)
    config, tensors = ((tmp_path / file).read_bytes() for file in (CONFIG, WEIGHTS))
    (tmp_path / WEIGHTS).write_bytes(tensors[: len(tensors) // 2])
    with pytest.raises(UserError, match=r"expected a whole model in .*, found a damaged one"):
        read(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(tensors)
    (tmp_path / CONFIG).write_bytes(config.replace(b"encoder 1", b"encoder 2"))
    with pytest.raises(UserError, match=r"of format sptlab encoder 1 in .*: got another"):
        read(tmp_path)
    (tmp_path / CONFIG).write_bytes(config.replace(b'"heads"', b'"hands"'))
    with pytest.raises(UserError, match="expected settings of ModelConfig: got hands"):
        read(tmp_path)
    (tmp_path / CONFIG).write_bytes(config.replace(b'"symbols": 5', b'"symbols": 6'))
    with pytest.raises(UserError, match=r"expected parameter encoder.table of shape \(7, 8\): got \(6, 8\)"):
        read(tmp_path).transformer()
