"""What a config asks of its numbers, one by one and in sequences, in every study that trains."""

import pytest

from full_scale.studies import ablations, ablations_gpu, grids, paper
from full_scale.studies.pilot_validation.arms import TrainingConfig
from sims.runs.config_validation import at_least, between, positive
from sims.runs.errors import UserError

WITH_DEPTHS = (grids.GridConfig, ablations.Config, ablations_gpu.Config, paper.Config)


def test_the_first_number_out_of_bounds_is_named():
    at_least(1, depths=(1, 2), seeds=1)
    positive(0.01, rates=(0.1, 1e-9), minutes=0.5)
    with pytest.raises(UserError, match="depths must be at least 1: got 0; try 1"):
        at_least(1, depths=(2, 0, -1))
    for wrong in (0.0, -0.1, float("nan")):
        with pytest.raises(UserError, match=r"rates must be positive: got .*; try 0.01"):
            positive(0.01, rates=(0.1, wrong))
    with pytest.raises(UserError, match=r"share must lie between 0 and 1: got 1\.0"):
        between(0, 1, share=1.0)


@pytest.mark.parametrize("config", WITH_DEPTHS, ids=lambda config: config.__module__)
def test_no_layers_and_no_rate_are_refused_before_anything_runs(config):
    with pytest.raises(UserError, match="depths must be at least 1: got 0"):
        config(depths=(0,))
    with pytest.raises(UserError, match=r"rates must be positive: got -0\.1"):
        config(rates=(-0.1,))


def test_the_pilots_training_refuses_such_a_rate():
    with pytest.raises(UserError, match="rates must be positive: got 0"):
        TrainingConfig(rates=(0.0,))
