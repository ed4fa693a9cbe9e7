"""The probe of PyTorch models: a minimal model beside its JAX twin; encoders from their configs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import theory

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'sptlab[pytorch]'")

from theory.probes.pytorch import (  # noqa: E402 (only where torch is)
    attention_layers,
    encoder_bias,
    score_bias,
    torch_principal_angles,
    torch_probe,
)

LENGTH, WIDTH, SAMPLES = 6, 3, 12


@pytest.fixture
def tokens():
    return torch.tensor(np.random.default_rng(0).normal(size=(SAMPLES, LENGTH, WIDTH)))


def pooled_loss(bias, model, batch):
    """Minimal model: softmax(bias) X, mean pool, squared linear head."""
    return ((torch.softmax(bias, -1) @ batch).mean(1) @ torch.ones(WIDTH, dtype=batch.dtype)).pow(2).mean()


def test_a_pytorch_model_and_its_jax_twin_are_seen_alike(tokens):
    twin = lambda bias, _, batch: jnp.mean(
        jnp.sum(jax.vmap(lambda x: jax.nn.softmax(bias) @ x)(batch).mean(1), 1) ** 2
    )
    scores = np.random.default_rng(1).normal(size=(LENGTH, LENGTH))
    lag = {"lag 1": theory.circulant(jnp.eye(LENGTH)[1])}
    seen = torch_probe(pooled_loss, None, tokens, bias=torch.tensor(scores), directions=lag)
    expected = theory.probe(twin, None, jnp.asarray(tokens.numpy()), bias=jnp.asarray(scores), directions=lag)
    assert np.abs(seen.gram - expected.gram).max() < 1e-12 * np.abs(expected.gram).max()
    assert seen.along["lag 1"].snr == pytest.approx(expected.along["lag 1"].snr, rel=1e-9)
    assert seen.spectrum.rank == expected.spectrum.rank == LENGTH - 1  # [C1]


@pytest.fixture(scope="module")
def bert():
    transformers = pytest.importorskip(
        "transformers", reason="needs the extra: pip install 'sptlab[pytorch]'"
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=11, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    return transformers.BertModel(config, add_pooling_layer=False).double().eval()


@pytest.fixture(scope="module")
def sentences():
    letters = torch.tensor(np.random.default_rng(0).integers(0, 11, size=(10, LENGTH)))
    mask = torch.ones_like(letters)
    mask[:4, -1] = 0
    return {"input_ids": letters, "attention_mask": mask}


def mean_pooled(bias, model, batch):
    """A label loss: mean over positions of the last layer, then a fixed random head."""
    with score_bias(model, bias):
        hidden = model(**batch).last_hidden_state
    head = torch.linspace(-1, 1, hidden.shape[-1], dtype=hidden.dtype)
    return (hidden.mean(dim=1) @ head).sigmoid().log().neg().mean()


def token_wise(bias, model, batch):
    """A reconstruction loss: every position predicts its own letter."""
    with score_bias(model, bias):
        hidden = model(**batch).last_hidden_state
    logits = hidden @ model.embeddings.word_embeddings.weight.T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch["input_ids"].flatten())


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_the_mask_of_a_bert_carries_the_bias(bert, sentences, implementation):
    bert.set_attn_implementation(implementation)
    bias = encoder_bias(bert, LENGTH)
    assert bias.shape == (2, 2, LENGTH, LENGTH)
    seen = torch_probe(mean_pooled, bert, sentences, bias=bias)
    assert seen.mean_gradient.shape == (2, 2, LENGTH, LENGTH)
    assert np.abs(seen.mean_gradient[..., -1]).max() > 0  # seen by the sentences without padding
    assert seen.sample_energy.gauge.max() < 1e-20 * seen.sample_energy.key_bias.max()

    require_slope(seen, bert, sentences, bias)


def require_slope(seen, model, batch, bias, step=1e-5):
    """The probe's mean gradient along a random direction is the loss's central difference."""
    direction, losses = np.random.default_rng(2).normal(size=bias.shape), []
    for sign in (1, -1):
        with torch.no_grad():
            losses.append(float(mean_pooled(bias + sign * step * torch.tensor(direction), model, batch)))
    slope = (losses[0] - losses[1]) / (2 * step)
    assert slope == pytest.approx((seen.mean_gradient * direction).sum(), rel=1e-6)


def distilbert(transformers):
    """Other names for everything: dim, n_heads, q_lin; and no token types."""
    config = transformers.DistilBertConfig(vocab_size=11, dim=8, n_layers=3, n_heads=2, hidden_dim=16)
    ids = torch.tensor(np.random.default_rng(0).integers(0, 11, size=(10, LENGTH)))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return transformers.DistilBertModel(config), batch, (3, 2, LENGTH, LENGTH)


def vit(transformers):
    """Images: four patches and a class token, pre-LN, called without any mask."""
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 16}
    config = transformers.ViTConfig(**sizes, image_size=8, patch_size=4, num_channels=1)
    batch = {"pixel_values": torch.tensor(np.random.default_rng(0).normal(size=(10, 1, 8, 8)))}
    return transformers.ViTModel(config, add_pooling_layer=False), batch, (2, 4, 5, 5)


@pytest.mark.parametrize("architecture", [distilbert, vit])
def test_other_encoders_carry_the_bias_too(architecture):
    transformers = pytest.importorskip(
        "transformers", reason="needs the extra: pip install 'sptlab[pytorch]'"
    )
    torch.manual_seed(0)
    model, batch, shape = architecture(transformers)
    model = model.double().eval()
    model.set_attn_implementation("sdpa")  # "eager" of a ViT rounds its softmax to float32
    bias = encoder_bias(model, shape[-1])
    assert bias.shape == shape
    seen = torch_probe(mean_pooled, model, batch, bias=bias)
    assert all(np.abs(part).max() > 0 for layer in seen.mean_gradient for part in layer)
    require_slope(seen, model, batch, bias)


def test_padding_keeps_its_keys_out_of_sight(bert, sentences):
    bert.set_attn_implementation("eager")
    short = {name: leaf[:4] for name, leaf in sentences.items()}
    seen = torch_probe(mean_pooled, bert, short, bias=encoder_bias(bert, LENGTH))
    assert np.abs(seen.mean_gradient[..., -1]).max() == 0.0


def test_two_losses_of_a_bert_see_spaces_at_angles(bert, sentences):
    bert.set_attn_implementation("eager")
    bias = encoder_bias(bert, LENGTH)
    between = torch_principal_angles((mean_pooled, bert, sentences), (token_wise, bert, sentences), bias=bias)
    within = torch_principal_angles((mean_pooled, bert, sentences), (mean_pooled, bert, sentences), bias=bias)
    assert len(between) == len(within) == 4
    assert max(one.max() for one in within) < 1e-5 < min(one.max() for one in between)


def test_the_bias_is_gone_after_the_context(bert, sentences):
    with torch.no_grad():
        before = mean_pooled(encoder_bias(bert, LENGTH), bert, sentences)
        mean_pooled(encoder_bias(bert, LENGTH) + torch.randn(LENGTH, LENGTH), bert, sentences)
        hidden = bert(**sentences).last_hidden_state
    head = torch.linspace(-1, 1, 8, dtype=hidden.dtype)
    assert float((hidden.mean(dim=1) @ head).sigmoid().log().neg().mean()) == float(before)


def test_what_cannot_be_probed_is_refused(bert, sentences, tokens):
    bias = encoder_bias(bert, LENGTH)
    bert.train()
    with pytest.raises(ValueError, match=r"got training mode.*call model.eval\(\)"):
        torch_probe(mean_pooled, bert, sentences, bias=bias)
    bert.eval()
    with pytest.raises(ValueError, match="must depend on its bias"):
        torch_probe(lambda b, m, batch: batch.mean(), None, tokens, bias=torch.zeros(4, 4))
    with pytest.raises(ValueError, match=r"float64 .*got float16"):
        torch_probe(pooled_loss, None, tokens, bias=torch.zeros(4, 4, dtype=torch.float16))
    with pytest.raises(ValueError, match="got 1 for 2"), score_bias(bert, bias[:1]):
        pass
    with pytest.raises(ValueError, match="no attention layer of Linear"):
        attention_layers(torch.nn.Linear(2, 2))
