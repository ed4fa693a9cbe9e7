"""C15: what labels see of the scores through other pools, masks and families of scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

import theory
from tests.theory.settings import Setting, compiled, lengths, planted
from theory.claims.c15_pools_masks_scores import claim as c15
from theory.claims.checks.check import measure, relative_gap
from theory.claims.checks.tolerances import EXACT_FLOAT64, STANDARD_ERRORS
from theory.label_blindness.pool_visibility import VISIBILITY

KEY = jax.random.key(0)
NAMES = [row.name for row in VISIBILITY]


def test_every_check_passes(verdict):
    assert verdict("C15").passed, verdict("C15")


def padded(tokens: np.ndarray) -> np.ndarray:
    """Every number of real tokens, the rest zeros."""
    samples, length, _ = tokens.shape
    real = 1 + np.arange(samples) % length
    return tokens * (np.arange(length)[None, :, None] < real[:, None, None])


@pytest.mark.parametrize(("length", "width"), [(2, 2), (3, 3), (6, 2)])
@pytest.mark.parametrize("row", VISIBILITY, ids=NAMES)
def test_samples_show_the_visible_dimension_of_the_table(row, length, width):
    numbers = np.random.default_rng(length)
    tokens = numbers.normal(size=(600, length, width))
    tokens = {
        "free": tokens,
        "centred": tokens - tokens.mean(axis=1, keepdims=True),
        "padded": padded(tokens),
    }[row.tokens]
    shape = row.parameters(length, width)
    generic = 0.3 * numbers.normal(size=shape) + (3 * np.eye(length) if shape == (length, length) else 0)
    pull = compiled(jax.vmap(jax.grad(row.read), (None, 0)))
    for at, visible in ((np.zeros(shape), row.uniform), (generic, row.general)):
        found = np.asarray(pull(jnp.asarray(at), jnp.asarray(tokens))).reshape(len(tokens), -1)
        assert np.linalg.matrix_rank(found, tol=1e-9) == visible(length, width)


def test_the_table_has_one_row_for_each_name_and_says_why():
    assert len(set(NAMES)) == len(NAMES) == 12
    assert all(row.reason.endswith(".") and row.formula for row in VISIBILITY)


def test_a_max_pool_feels_every_direction_one_sidedly_where_gradients_that_share_the_tie_do_not():
    direction = theory.decompose(jnp.asarray(np.random.default_rng(0).normal(size=(4, 4)))).doubly_centred
    tokens = jnp.asarray(np.random.default_rng(1).normal(size=(4, 1)))
    flat, step = jnp.zeros((4, 4)), 1e-6
    read = lambda scores: theory.minimal_model.pools.max_pool(scores, tokens)
    ahead = (read(flat + step * direction) - read(flat)) / step
    assert ahead == pytest.approx(float((direction @ tokens[:, 0]).max() / 4), rel=1e-4)
    assert abs(jnp.vdot(jax.grad(read)(flat), direction)) < EXACT_FLOAT64


@given(lengths())
def test_the_content_gradient_is_one_outer_product_at_every_length(setting: Setting):
    tokens, value_map = setting.normal(setting.length, 3), setting.normal(3, 3)
    head = setting.normal(3)

    @compiled
    def gap(interaction):
        loss = lambda w: head @ theory.pooled(theory.content_scores(w, tokens), tokens, value_map)
        return relative_gap(
            theory.content_score_gradient(tokens, value_map, head), jax.grad(loss)(interaction)
        )

    assert gap(jnp.zeros((3, 3))) <= EXACT_FLOAT64
    assert gap(jnp.eye(3)) > EXACT_FLOAT64


def test_centred_tokens_hide_content_from_labels():
    tokens = jnp.asarray([[1.0, 2.0], [-3.0, 1.0], [2.0, -3.0]])
    assert jnp.abs(theory.content_score_gradient(tokens, jnp.eye(2), jnp.ones(2))).max() == 0.0


@pytest.mark.parametrize("window", [0, 1, 5, 30])
def test_the_mass_of_alibi_is_what_its_softmax_puts_in_the_window(window):
    scores = theory.alibi_scores(20, 0.3)
    distance = np.abs(np.arange(20)[:, None] - np.arange(20)[None])
    expected = (np.asarray(theory.attention_weights(scores)) * (distance <= window)).sum(axis=1)
    np.testing.assert_allclose(theory.alibi_window_mass(20, 0.3, window), expected, rtol=1e-12)


def test_whole_turns_of_a_rotary_pair_leave_the_received_attention_uniform_at_any_size():
    for length in (3, 8):
        scores = theory.rotary_scores(jnp.asarray([2.0, -1.0]), length, 2 * np.pi / length)
        assert np.ptp(np.asarray(theory.received(theory.attention_weights(scores)))) < EXACT_FLOAT64
    open_scores = theory.rotary_scores(jnp.asarray([2.0, -1.0]), 8, 1.0)
    assert np.ptp(np.asarray(theory.received(theory.attention_weights(open_scores)))) > 0.01


@pytest.mark.parametrize(
    ("form", "gap"),
    [
        ("content_score_gradient", lambda key: c15.content_gap(0.0, key)),
        ("alibi_window_mass", lambda key: c15.alibi_gap(c15.alibi_scores, key)),
        ("rotary_scores", lambda key: c15.rotary_gap(key)),
        ("alibi_local_mass", lambda key: c15.alibi_gap(c15.alibi_scores, key)),
    ],
)
def test_a_millionth_of_an_error_is_found(form, gap, monkeypatch):
    monkeypatch.setattr(c15, form, planted(getattr(c15, form)))
    assert measure(gap, KEY) > EXACT_FLOAT64


def test_a_fifth_too_much_is_seen_in_samples(monkeypatch):
    honest = c15.content_score_gradient
    monkeypatch.setattr(c15, "content_score_gradient", lambda *args: 1.2 * honest(*args))
    assert measure(lambda key: c15.sampled_content(key), KEY) > STANDARD_ERRORS


def test_one_dimension_too_many_in_the_table_is_found():
    row = VISIBILITY[0]._replace(general=lambda length, width: length)
    assert measure(lambda key: c15.rank_errors([row], key), KEY) == 1.0
