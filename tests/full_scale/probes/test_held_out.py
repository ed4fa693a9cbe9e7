"""Probes taken while training: those of explicit score gradients, without touching the run."""

import dataclasses
import json
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig
from full_scale.objectives.batch_loss import Data
from full_scale.probes.held_out import NAMES, PROBED_SEQUENCES, probe_target, score_probes
from full_scale.probes.per_sequence import score_gradients
from full_scale.tasks.task import load
from full_scale.training import trial
from full_scale.training.models import initial_model
from full_scale.training.trial import RunPaths
from tests.full_scale.training.small_runs import DATA, small_trial
from tests.tolerances import FLOAT32
from theory.probes import lag_direction, unbiased_snr

DEEP = dataclasses.replace(small_trial(steps=5), model=ModelConfig(layers=2, width=8, heads=2, hidden=8))
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def probed() -> tuple:
    """A model, held-out sequences, and what the probes say."""
    with single_precision():
        model, data = initial_model(DEEP, load(DATA)), Data.of(load(DATA).validation)
        return model, data, score_probes(model, DEEP.phases[0], data, KEY)


@pytest.mark.heavy
@pytest.mark.parametrize(("loss", "objective"), [("label", "labels"), ("reconstruction", "reconstruction")])
def test_streamed_probes_are_those_of_explicit_score_gradients(probed, loss: str, objective: str) -> None:
    model, data, found = probed
    with single_precision():
        explicit = score_gradients(
            model,
            objective,
            data.tokens[:PROBED_SEQUENCES],
            data.labels[:PROBED_SEQUENCES],
            np.asarray(lag_direction(16, 1))[None],
            key=KEY,
        )
    share = explicit.key_bias_energy.sum(axis=0) / explicit.energy.sum(axis=0)
    np.testing.assert_allclose(found[f"visible_share_{loss}"], share, rtol=10 * FLOAT32)
    snr = [[unbiased_snr(explicit.along[:, layer, head, 0]) for head in range(2)] for layer in range(2)]
    np.testing.assert_allclose(found[f"snr_{loss}"], snr, atol=10 * FLOAT32)


@pytest.mark.heavy
def test_probes_do_not_touch_training_and_are_told_by_layer_and_head(tmp_path: Path) -> None:
    config, told = DEEP.prefix(1), tmp_path / "run.jsonl"
    with single_precision():
        without = trial.run(config, load(DATA))
        probing = dataclasses.replace(DEEP, probe_every=10)
        first, arrays = trial.run(dataclasses.replace(probing, phases=config.phases), load(DATA))
        _, both = trial.run(probing, load(DATA), paths=RunPaths(metrics=told))
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
    pretraining, labels = (probe_target(phase) for phase in DEEP.phases)
    assert eqx.tree_equal(pretraining, labels)
    assert probe_target(dataclasses.replace(DEEP.phases[0], freeze=("qk",))).freeze == ()
