"""Probes along training: on by default at an interval that costs little, and compared by layer and head."""

import jax
import numpy as np
import pytest

import sptlab
from full_scale.comparison import compare
from full_scale.probes.held_out import NAMES, PROBED_SEQUENCES, RARELY
from full_scale.studies import ablations, ablations_gpu, grids
from full_scale.studies.grids import GridConfig, head_probes
from full_scale.studies.grids.variants import LABEL_ONLY, SPT
from sims.runs.store import Result, UserError
from sims.statistics.intervals import mean_interval
from tests.stored_examples import completed

KEY = jax.random.key(0)


def run_of(seed: int) -> dict[str, np.ndarray]:
    """Arrays of a run of one layer of two heads, probed at every other of four evaluations."""
    numbers = np.random.default_rng(seed)
    found = {name: numbers.normal(size=(4, 1, 2)) for name in ("proximity_index", *NAMES)}
    for name in NAMES:
        found[name][1::2] = np.nan
    found["snr_ratio"][0, 0, 1] = np.nan
    return {"steps": np.arange(4) * 50, **found}


RUNS = [run_of(seed) for seed in range(3)]
PROBES = {"spt": [head_probes.probed(run) for run in RUNS], "alone": [{}]}


def test_probes_are_on_where_users_train_and_off_in_the_stored_study() -> None:
    plan = GridConfig("cpu", seeds=1).plan(key=KEY)
    trial = plan.trial(SPT, 0)
    assert trial.probe_every > 0 and trial.probe_every % trial.every == 0
    assert trial.prefix(1).probe_every == trial.probe_every
    assert ablations_gpu.Config.smoke().units("smoke", key=KEY).tuning()[0].trial.probe_every > 0
    assert GridConfig("cpu", seeds=1, probe_every=0).plan(key=KEY).trial(LABEL_ONLY, 0).probe_every == 0
    assert ablations.plan(ablations.Config(), "digits", key=KEY).trial(SPT, 0).probe_every == 0


@pytest.mark.parametrize("preset", ["smoke", "cpu", "amos-image", "amos-listops"])
def test_the_default_interval_trains_many_sequences_for_each_that_it_probes(preset: str) -> None:
    plan = GridConfig(preset, seeds=1, steps=3000).plan(key=KEY)
    trial = plan.trial(SPT, 0)
    smallest = min(phase.batch or trial.batch for phase in trial.phases)
    assert trial.probe_every * smallest >= RARELY * PROBED_SEQUENCES
    assert (
        trial.probe_every - trial.every
    ) * smallest < RARELY * PROBED_SEQUENCES  # and no more rarely than that


def test_the_command_line_chooses_the_interval() -> None:
    parse = lambda *more: sptlab.parse(["train", "run", "--preset", "smoke", *more]).config
    assert parse().probe_every == "auto"
    assert parse("--probe-every", "50").plan(key=KEY).trial(SPT, 0).probe_every == 50
    with pytest.raises(UserError, match="probe_every must be at least 0: got -1; try 0"):
        parse("--probe-every", "-1")
    with pytest.raises(UserError, match="probe_every must be a multiple of 25: got 7; try 25"):
        parse("--probe-every", "7").plan(key=KEY).trial(SPT, 0)


def test_only_what_was_probed_is_kept() -> None:
    found = head_probes.curves(PROBES)
    assert found["probed_spt_steps"].tolist() == [0, 100]
    assert found["probed_spt_snr_label"].shape == (3, 2, 1, 2)
    assert not any(name.startswith("probed_alone") for name in found)


def test_every_head_has_its_interval_over_the_seeds_that_measured_it() -> None:
    found = head_probes.summary(PROBES)["spt"]
    assert found.steps == (0, 100)
    values = np.array([run["visible_share_label"][2, 0, 1] for run in RUNS], np.float32)
    assert found.last["visible_share_label"][0][1] == mean_interval(values)
    assert found.first["snr_ratio"][0][1].estimate is None


def test_compare_shows_each_head_along_training_without_a_verdict() -> None:
    probes = head_probes.summary(PROBES)
    grid = completed(grids.Values, {"shares": {}, "data": {"task": "order"}, "probes": probes})
    rows = compare.run({"arms_cpu_order": Result("arms_cpu_order", grid, {}, {})})[0].by_head
    assert len(rows) == 2 * 2 * len(head_probes.PROBED_QUANTITIES)
    (one,) = (r for r in rows if r.name == "snr_label, training" and r.head == 1 and "100" in r.setting)
    assert one.setting == "spt, step 100" and one.verdict == ""
    assert one.transformer == probes["spt"].last["snr_label"][0][1]
