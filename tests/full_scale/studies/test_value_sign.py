"""The study of the first value: its tasks, its measure, and what the stored one found."""

import jax
import jax.numpy as jnp
import pytest

from full_scale.comparison import compare
from full_scale.comparison.predictions import PREDICTIONS
from full_scale.data.dataset import Inputs
from full_scale.devices.precision import single_precision
from full_scale.model import ModelConfig, Transformer
from full_scale.stored import STORED
from full_scale.studies.value_sign import Config, Values, result_text, value_at_uniform
from full_scale.tasks.drawn import ShuffleRuns
from sims import tasks as laws
from sims.runs import store
from sims.runs.store import UserError
from theory.claims.checks.tolerances import FLOAT32

KEY = jax.random.key(0)


def test_tasks_share_their_neighbours_correlation_and_differ_in_the_sum() -> None:
    config = Config()
    processes = [config.task(share).law.process.autocovariance for share in config.balanced]
    assert [float(law[1]) for law in processes] == pytest.approx([0.5] * 4)
    assert [float(law[1:].sum()) for law in processes] == pytest.approx([2, 0.5, -0.4, -1])


def test_equal_counts_only_is_the_task_of_the_cpu_study() -> None:
    sizes = dict(train_size=200, held_out_size=50)
    dial = ShuffleRuns(law=laws.ShuffleRuns(64, 16, 1.0), **sizes).load()
    assert dial.sha256() == ShuffleRuns(**sizes).load().sha256()
    assert Config().task(1.0) == ShuffleRuns()


def test_every_run_keeps_a_copy_of_the_model_at_each_look() -> None:
    trials = Config().trials(0.5, key=KEY)
    assert len({trial.seed for trial in trials}) == 5
    assert {trial.snapshots for trial in trials} == {20}
    assert [phase.steps for phase in trials[0].phases] == [1000, 500]


def test_the_value_of_a_model_that_is_one_number_is_that_number(monkeypatch) -> None:
    value = -1.5

    def logits(self, tokens, masked, frozen_uniform):
        assert frozen_uniform
        seen = jnp.where(masked, 0, 2 * tokens - 1).astype(jnp.float32)
        mean = jnp.full(len(tokens), value / len(tokens), jnp.float32) * seen.sum()
        return jnp.stack([-mean, mean], axis=1)

    monkeypatch.setattr(Transformer, "token_logits", logits)
    with single_precision():
        model = Transformer(ModelConfig(1, 4, 1, 4), Inputs(16, classes=2, symbols=2), key=KEY)
        tokens = jax.random.bernoulli(KEY, 0.5, (8, 16)).astype(jnp.int32)
        found = value_at_uniform(model, tokens, jax.random.split(KEY, 8))
    assert float(found) == pytest.approx(value, rel=10 * FLOAT32)


def test_in_the_stored_study_the_sum_decides_where_attention_went_in_every_run() -> None:
    values = Values.from_json(store.load(STORED, "value_sign").values)
    for row in values.rows:
        near = row.pretrained_proximity_index.per_seed
        assert all((index - 1) * row.sum_excess > 0 for index in near)
    assert len(result_text(values).splitlines()) == 1 + len(values.rows)


def test_tasks_of_equal_counts_are_predicted_to_leave_their_neighbours() -> None:
    predicted = next(one for one in PREDICTIONS if one.name == "proximity_index")
    assert predicted.on("shuffle-runs").high == 1.0 and predicted.on("docs-order").low == 1.5
    found = compare.run({"cpu_study": store.load(STORED, "cpu_study")})[0].by_task
    rows = [row for row in found if (row.name, row.task) == ("proximity_index", "shuffle-runs")]
    assert [row.verdict for row in rows] == ["holds"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(length=60), "length must be a multiple of 8: got 60; try 56"),
        (dict(steps=100), "steps must be at least 150: got 100; try 150"),
    ],
)
def test_an_impossible_study_is_refused_in_one_line(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**settings)
