"""The encoder in PyTorch: the same outputs as the model that was written, or a refusal by name."""

import dataclasses
import json
import typing

import jax
import numpy as np
import pytest

from full_scale.model import ModelConfig
from full_scale.model.weights_file import Weights
from tests.full_scale.export.exported import KINDS, batch_of, model_of, weights_of

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'sptlab[pytorch]'")

from full_scale.export.pytorch import KNOWN, SIZES, load  # noqa: E402 (only where torch is)

SAME = 1e-5  # of outputs that are of order 1


def agree(actual, expected):
    """The same to SAME, in units of the largest output where that is above 1."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(
        actual.detach().numpy(), expected, rtol=0, atol=SAME * max(1, abs(expected).max())
    )


def pair_of(kind, folder, **choices):
    """The model here and in PyTorch."""
    model = model_of(kind, **choices)
    weights_of(model).write(folder)
    return model, load(folder)


@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_judged_as_here(kind, padded, tmp_path):
    model, twin = pair_of(kind, tmp_path)
    tokens, lengths, _ = batch_of(model.inputs)
    given = (tokens, lengths) if padded else (tokens,)
    expected = jax.vmap(model.label_logits)(*given)
    agree(twin(*map(torch.tensor, given)), expected)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pairs"])
def test_hidden_tokens_are_filled_in_as_here(kind, tmp_path):
    model, twin = pair_of(kind, tmp_path)
    tokens, lengths, masked = batch_of(model.inputs)
    expected = jax.vmap(model.token_logits)(tokens, masked, lengths)
    agree(twin.token_logits(*map(torch.tensor, (tokens, masked, lengths))), expected)
    features = jax.vmap(model.features)(tokens, masked, lengths)
    agree(twin.features(*map(torch.tensor, (tokens, masked, lengths))), features)


def test_the_next_token_is_foretold_as_here(tmp_path):
    model, twin = pair_of("sinusoidal mean", tmp_path)
    tokens, lengths, _ = batch_of(model.inputs)
    expected = jax.vmap(lambda row, n: model.token_logits(row, None, n, causal=True))(tokens, lengths)
    agree(twin.token_logits(torch.tensor(tokens), None, torch.tensor(lengths), causal=True), expected)


def test_single_hidden_channels_are_filled_in_as_here(tmp_path):
    model, twin = pair_of("random-normal max causal", tmp_path)
    tokens, lengths, _ = batch_of(model.inputs)
    masked = np.random.default_rng(2).random(tokens.shape) < 0.4
    expected = jax.vmap(model.token_logits)(tokens, masked, lengths)
    agree(twin.token_logits(*map(torch.tensor, (tokens, masked, lengths))), expected)


def test_every_setting_of_the_model_is_computed_or_refused():
    kinds = {field.name: set(typing.get_args(field.type)) for field in dataclasses.fields(ModelConfig)}
    kinds = {name: values or {True, False} for name, values in kinds.items() if name not in SIZES}
    computed = {name: set(values) for name, values in KNOWN.items()}
    assert computed == kinds | {"precision": {"float32"}}
    tried = [{**dataclasses.asdict(ModelConfig()), **choices} for _, choices in KINDS.values()]
    for name in ("positions", "pool", "head", "intensities", "residual", "norm", "mlp", "causal"):
        assert {each[name] for each in tried} == kinds[name], name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": "t5"}, "expected positions among sinusoidal, .*: got t5; use the model in sptlab"),
        ({"gate": True}, "expected gate among no such setting: got True"),
        ({"precision": "bfloat16"}, r"expected precision float32: got bfloat16, .*precision=\"float32\""),
    ],
)
def test_what_is_not_computed_is_refused_by_name(changes, message, tmp_path):
    pair_of("sinusoidal mean", tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["model"] |= changes
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_a_bfloat16_model_is_computed_in_float32_where_asked_for(tmp_path):
    weights = weights_of(model_of("sinusoidal mean"))
    config = dataclasses.replace(weights.config, precision="bfloat16")
    Weights(config, weights.inputs, weights.tensors).write(tmp_path)
    tokens, _, _ = batch_of(weights.inputs)
    expected = jax.vmap(weights.transformer().label_logits)(tokens)
    agree(load(tmp_path, precision="float32")(torch.tensor(tokens)), expected)


def test_a_moved_parameter_shows(tmp_path):
    model, _ = pair_of("sinusoidal mean", tmp_path)
    weights = weights_of(model)
    tokens, lengths, _ = batch_of(model.inputs)
    expected = np.asarray(jax.vmap(model.label_logits)(tokens, lengths))
    draw = np.random.default_rng(0)
    for name, tensor in weights.tensors.items():
        if name.startswith("token_head") or name.endswith("key.bias"):
            continue  # no label logit depends on these
        moved = tensor + 0.3 * draw.standard_normal(tensor.shape).astype(np.float32)
        dataclasses.replace(weights, tensors=weights.tensors | {name: moved}).write(tmp_path)
        other = load(tmp_path)(torch.tensor(tokens), torch.tensor(lengths)).detach().numpy()
        assert abs(other - expected).max() > 10 * SAME, name
