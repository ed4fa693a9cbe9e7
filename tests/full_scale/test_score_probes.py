"""Probes taken while training: those of explicit score gradients, without touching the run."""

import dataclasses
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.laws import profile_cosine, toeplitz_profile
from full_scale.model import ModelConfig
from full_scale.precision import single_precision
from full_scale.probes import lag_direction, score_gradients
from full_scale.tasks import load
from full_scale.training import trial
from full_scale.training.models import initial_model
from full_scale.training.objectives import Data
from full_scale.training.score_probes import NAMES, PROBED, asked, score_probes
from full_scale.training.score_slopes import lag_sums, profile_cosines
from full_scale.training.trial import Places
from sims.intervals import unbiased_snr
from tests.full_scale.small_runs import DATA, small_trial
from tests.tolerances import FLOAT32

DEEP = dataclasses.replace(small_trial(steps=5), model=ModelConfig(layers=2, width=8, heads=2, hidden=8))
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def probed() -> tuple:
    """A model, held-out sequences, and what the probes say."""
    with single_precision():
        model, data = initial_model(DEEP, load(DATA)), Data.of(load(DATA).validation)
        return model, data, score_probes(model, DEEP.phases[0], data, KEY)


@pytest.mark.parametrize(("loss", "objective"), [("label", "labels"), ("reconstruction", "reconstruction")])
def test_streamed_probes_are_those_of_explicit_score_gradients(probed, loss: str, objective: str) -> None:
    model, data, found = probed
    with single_precision():
        explicit = score_gradients(
            model, objective, data.tokens[:PROBED], data.labels[:PROBED], lag_direction(16, 1)[None], key=KEY
        )
    share = explicit.key_bias_energy.sum(axis=0) / explicit.energy.sum(axis=0)
    np.testing.assert_allclose(found[f"visible_share_{loss}"], share, rtol=10 * FLOAT32)
    snr = [[unbiased_snr(explicit.along[:, layer, head, 0]) for head in range(2)] for layer in range(2)]
    np.testing.assert_allclose(found[f"snr_{loss}"], snr, atol=10 * FLOAT32)


def test_sums_by_lag_give_the_cosine_of_profiles() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 7, 7))
    expected = profile_cosine(toeplitz_profile(one), toeplitz_profile(other))
    with single_precision():
        pair = (lag_sums(jnp.asarray(each, jnp.float32))[None] for each in (one, other))
        found = profile_cosines(*pair)[0]
    assert float(found) == pytest.approx(expected, abs=10 * FLOAT32)


def test_probes_do_not_touch_training_and_are_told_by_layer_and_head(tmp_path: Path) -> None:
    config, told = DEEP.prefix(1), tmp_path / "run.jsonl"
    with single_precision():
        without = trial.run(config, load(DATA))
        probing = dataclasses.replace(DEEP, probe_every=10)
        first, arrays = trial.run(dataclasses.replace(probing, phases=config.phases), load(DATA))
        _, both = trial.run(probing, load(DATA), places=Places(metrics=told))
    assert first == without[0]
    for name, array in without[1].items():
        assert array.tobytes() == arrays[name].tobytes(), name
    for name in NAMES:
        taken = np.isfinite(both[name]).any(axis=(1, 2))
        assert not taken[1], name
        assert name == "snr_ratio" or taken[[0, 2]].all(), name
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    np.testing.assert_array_equal(lines[2]["snr_label"], both["snr_label"][2])
    assert "snr_label" not in lines[1] and np.shape(lines[1]["proximity_index"]) == (2, 2)


def test_a_run_s_phases_are_probed_by_one_program() -> None:
    pretraining, labels = (asked(phase) for phase in DEEP.phases)
    assert eqx.tree_equal(pretraining, labels)
    assert asked(dataclasses.replace(DEEP.phases[0], freeze=("qk",))).freeze == ()
