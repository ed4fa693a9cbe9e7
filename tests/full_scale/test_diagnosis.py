"""The diagnosis's parts, each against an independent way to the same number."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from full_scale.dataset import Inputs, Split
from full_scale.diagnosis import agreement, contrast, directions, validation, validation_tasks
from full_scale.diagnosis.config import DiagnosisConfig, Thresholds
from full_scale.diagnosis.diagnose import Diagnosis, fit_config
from full_scale.diagnosis.frozen import frozen
from full_scale.diagnosis.pulls import Pulls, pulls, snr
from full_scale.diagnosis.verdict import judged, needed
from full_scale.model import ModelConfig, Transformer
from full_scale.model.positions import sinusoidal
from full_scale.precision import single_precision
from full_scale.tasks.file_task import FileTask
from full_scale.training.losses import label_loss
from full_scale.training.objectives import Data
from sims.intervals import Interval
from sims.store import Result

LENGTH = 12
SMALL = ModelConfig(layers=2, width=8, heads=2, hidden=8)
INPUTS = Inputs(LENGTH, classes=3, symbols=5, grid=(3, 4))


@pytest.fixture(scope="module")
def probed():
    """A small model, padded sequences, their label gradients factored and by jax.grad of the bias."""
    with single_precision():
        model = Transformer(SMALL, INPUTS, key=jax.random.key(0))
        tokens = jax.random.randint(jax.random.key(1), (6, LENGTH), 0, 5)
        lengths, labels = (
            jnp.array([12, 12, 5, 9, 12, 7], jnp.int32),
            jnp.array([0, 1, 2, 0, 1, 2], jnp.int32),
        )
        data = Data(tokens, lengths, labels)
        zero = jnp.zeros(model.bias_shape(LENGTH), jnp.float32)
        loss = lambda bias, one, length, label: label_loss(
            model, one, label, length=length, bias=bias, frozen_uniform=True
        )
        gradients = jax.jit(jax.vmap(jax.grad(loss), (None, 0, 0, 0)))(zero, tokens, lengths, labels)
        yield model, data, pulls(model, True, data, key=jax.random.key(2)), np.asarray(gradients, np.float64)


def near(found, expected):
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(np.asarray(found) / scale, np.asarray(expected) / scale, atol=2e-5)


def test_factored_score_gradients_are_those_of_an_additive_bias_also_with_padding(probed):
    _, _, found, gradients = probed
    assert isinstance(found, Pulls)
    near(found.mean(), gradients.mean(axis=0))
    near(found.columns(), gradients.sum(axis=-2))
    near(found.energy(), (gradients**2).sum(axis=(-2, -1)))
    near(found.key_bias_energy(), (gradients.sum(axis=-2) ** 2).sum(axis=-1) / LENGTH)


def test_offsets_read_the_gradient_along_doubly_centred_lags_and_steps_of_the_image(probed):
    _, _, found, gradients = probed
    with single_precision():
        looked = directions.offsets(INPUTS, LENGTH)
        along = looked.along(found)
    apart = np.subtract.outer(np.arange(LENGTH), np.arange(LENGTH))
    row, column = (np.subtract.outer(index, index) for index in np.divmod(np.arange(LENGTH), 4))
    steps = np.abs(row) + np.abs(column)
    within = {
        "lag 2": np.abs(apart) == 2,
        "1 down": (np.abs(row) == 1) & (column == 0),
        "four neighbours": steps == 1,
    }
    for name, chosen in within.items():
        direction = directions.unit(directions.centred(chosen.astype(float)))
        near(along[:, looked.names.index(name)], np.einsum("nlhij,ij->nlh", gradients, direction))


def test_attention_frozen_at_a_kernel_is_attention_with_its_logarithm_as_bias(probed):
    model, data, _, _ = probed
    with single_precision():
        bias = jax.random.normal(jax.random.key(3), model.bias_shape(LENGTH), jnp.float32)
        for row in (0, 2):
            expected = model.label_logits(data.tokens[row], data.lengths[row], bias, frozen_uniform=True)
            found = frozen(model, jnp.exp(bias)).label_logits(data.tokens[row], data.lengths[row])
            np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def model_with(positions, width=8):
    with single_precision():
        config = ModelConfig(width=width, heads=2, hidden=8, positions=positions)
        return Transformer(config, dataclasses.replace(INPUTS, length=32, grid=None), key=jax.random.key(0))


def test_positions_express_their_own_products_and_lose_a_random_order_of_proximity():
    model = model_with("sinusoidal")
    table = np.asarray(sinusoidal(32, 8), np.float64)
    table = table - table.mean(axis=0)
    own = (table @ np.random.default_rng(0).standard_normal((8, 8)) @ table.T)[None, None]
    lost = directions.expressible(own, model)[0] - own  # in dimensions that hardly exist
    assert np.linalg.norm(lost) < 2 * directions.CONDITIONED * np.linalg.norm(own)
    band = directions.centred((np.abs(np.subtract.outer(np.arange(32), np.arange(32))) == 1).astype(float))
    order = np.random.default_rng(1).permutation(32)
    kept = [
        np.linalg.norm(directions.expressible(m[None, None], model)[0]) / np.linalg.norm(m)
        for m in (band, band[order][:, order])
    ]
    assert kept[0] > 1.5 * kept[1]


def test_rotations_express_what_depends_on_the_offset_alone():
    ring = np.subtract.outer(np.arange(32), np.arange(32)) ** 3 / 1e3
    noise = np.random.default_rng(0).standard_normal((32, 32))
    found = directions.expressible(np.stack([ring, noise])[None].astype(float), model_with("rope"))[0][0]
    near(found[0], ring)
    assert np.linalg.norm(found[1]) < 0.5 * np.linalg.norm(noise)


@pytest.mark.parametrize("keys", [3.0, 10.0])
def test_a_kernel_reads_as_many_keys_as_asked(keys):
    direction = np.random.default_rng(0).standard_normal((1, 2, 32, 32))
    kernel = directions.kernel(direction, keys).astype(float)
    weights = kernel / kernel.sum(axis=-1, keepdims=True)
    entropy = -(weights * np.log(weights + 1e-30)).sum(axis=-1)
    assert np.exp(entropy).mean() == pytest.approx(keys, rel=0.02)


def test_the_dominant_offset_of_an_image_is_found_in_rows_and_columns():
    index = np.arange(48)
    row, column = (np.subtract.outer(each, each) for each in np.divmod(index, 8))
    step = ((row == -2) & (column == 1)) | ((row == 2) & (column == -1))
    found = directions.dominant_offset(step.astype(float), Inputs(48, classes=2, grid=(6, 8)))
    assert found["offset"] == [2, -1]
    assert found["lag"] == 15


def test_snr_is_that_of_the_samples_without_bias():
    generator = np.random.default_rng(0)
    samples = generator.standard_normal((200_000, 2)) + np.array([0.3, 0.0])
    assert snr(samples) == pytest.approx(0.3**2 / 2, rel=0.03)
    assert np.mean([snr(generator.standard_normal((20, 2))) for _ in range(2_000)]) == pytest.approx(
        0, abs=0.01
    )


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_kappa_is_the_classes_difference_over_their_sum(share):
    generator = np.random.default_rng(1)
    labels = np.arange(6_000) % 2
    steps = generator.standard_normal((6_000, LENGTH + 1))
    gain = np.where(labels == 1, 1 + share, 1 - share)[:, None] / 2
    values = steps[:, 1:] + gain * steps[:, :-1]  # covariance of neighbours: the gain
    vectors = contrast.token_vectors(Split(values, labels), Inputs(LENGTH, classes=2), 6_000)
    assert contrast.kappa(vectors, labels) == pytest.approx(share, abs=0.07)


def test_longer_sequences_and_larger_models_get_fewer_steps_of_smaller_batches():
    short = fit_config(DiagnosisConfig(), ModelConfig(), 64)
    long = fit_config(DiagnosisConfig(), ModelConfig(layers=3, width=64, hidden=128), 1024)
    assert (short.steps, short.batch) == (800, 50)
    assert long.steps < short.steps
    assert long.batch < short.batch
    assert long.optimizer.learning_rate < short.optimizer.learning_rate


def fits(uniform, pattern, random, label=0.0, top=0.1, own=0.1, spread=0.01):
    jitter = spread * np.array([-1, 1, 0.5, -0.5])
    return [
        {
            "accuracy_uniform_held_out": uniform + 0.1 * j,
            "accuracy_pattern_held_out": pattern + j,
            "accuracy_random_held_out": random + 0.1 * j,
            "score_label": {"expressible": label + 0.1 * j},
            "snr_label": {"top": 0.0, "expressible": 0.0},
            "snr_reconstruction": {"top": top, "expressible": own},
        }
        for j in jitter
    ]


FLOORS = {"constant": 0.5, "bag_of_tokens": 0.5, "linear": 0.52, "pairs": 1.0}
CASES = {
    "blind labels, useful pattern": (fits(0.5, 0.95, 0.55), FLOORS, "pretrain first"),
    "blind labels, any sharp pattern helps": (fits(0.5, 0.93, 0.95), FLOORS, "pretrain first"),
    "labels could learn any pattern": (fits(0.7, 0.8, 0.8), FLOORS, "no need"),
    "labels reach it at uniform attention": (fits(0.95, 0.95, 0.94), FLOORS, "no need"),
    "labels see the pattern": (fits(0.7, 0.95, 0.7, label=0.3), FLOORS, "no need"),
    "a linear map reaches more": (fits(0.5, 0.9, 0.6), FLOORS | {"linear": 0.95}, "no need"),
    "nothing helps": (fits(0.5, 0.5, 0.5, top=0.0, own=0.0), FLOORS, "neither sees anything"),
    "initialisations disagree": (fits(0.6, 0.7, 0.6, spread=0.3), FLOORS, "undecided"),
}


@pytest.mark.parametrize(("found", "floors", "kind"), CASES.values(), ids=CASES)
def test_the_verdict_follows_from_what_labels_reach_with_and_without_the_pattern(found, floors, kind):
    verdict = judged(found, 5_000, floors, Thresholds(), "sptlab train run")
    assert verdict.kind == kind
    assert verdict.gain.low <= verdict.gain.estimate <= verdict.gain.high
    assert len(verdict.reasons) == 2


def test_a_pattern_that_positions_cannot_express_is_named():
    reason = judged(fits(0.5, 0.5, 0.5, top=0.3, own=0.01), 5_000, FLOORS, Thresholds(), "").reasons[-1]
    assert "change the positions" in reason


def test_sequences_needed_are_nine_over_the_snr_and_unknown_where_it_may_be_zero():
    found = needed(Interval(0.09, 0.0, 0.36), Thresholds())
    assert (found.estimate, found.low, found.high) == (pytest.approx(100), pytest.approx(25), None)


def study_row(name, predicted, measured, half, accuracy=0.9):
    interval = lambda gain: Interval(gain, gain - 0.01, gain + 0.01).as_json()
    return {
        "task": name, "half": half, "verdict": "no need", "predicted_gain": interval(predicted),
        "right": "pretrain first" if measured >= 0.04 else "no need", "measured_gain": interval(measured),
        "sequences": 5_000, "floors": FLOORS,
        "evidence": fits(accuracy - predicted, accuracy, accuracy - predicted),
    }  # fmt: skip


def test_thresholds_come_from_one_half_and_are_scored_on_the_other():
    rows = [study_row(str(gain), gain, gain - 0.03, "choose") for gain in (0.0, 0.05, 0.1, 0.3)]
    rows += [study_row(f"test {gain}", gain, gain - 0.03, "test") for gain in (0.01, 0.05, 0.35)]
    found = agreement.summary(rows)
    assert found["thresholds"]["gain"] == 0.06
    assert found["right"]["choose"]["estimate"] == found["right"]["test"]["estimate"] == 1
    assert found["spearman"]["estimate"] == pytest.approx(1)
    wrong = agreement.summary([*rows, study_row("miss", 0.3, 0.0, "test")])
    assert wrong["misses"] == ["miss"]
    assert wrong["thresholds"] == found["thresholds"]
    assert "MISS" in agreement.table(wrong | {"missing": {}})


@pytest.mark.parametrize(
    ("gain", "reached", "right"),
    [
        (0.3, (0.6, 0.9), "pretrain first"),
        (0.0, (0.9, 0.9), "no need"),
        (0.0, (0.52, 0.52), "neither sees anything"),
    ],
)
def test_what_training_bears_out(gain, reached, right):
    arms = dict(zip(("label_only", "spt"), reached, strict=True))
    assert agreement.truth(Interval(gain, gain - 0.02, gain + 0.02), arms, 0.5) == right


def test_parameters_of_a_frozen_model_are_the_models_own(probed):
    model, _, _, _ = probed
    with single_precision():
        leaves = jax.tree.leaves(eqx.filter(frozen(model), eqx.is_array))
    assert len(leaves) == len(jax.tree.leaves(eqx.filter(model, eqx.is_array)))


def test_the_study_has_tasks_enough_in_both_halves_without_any_file():
    known = validation_tasks.tasks(validation_tasks.Files())
    halves = [
        validation.in_half(name)
        for name, task in known.items()
        if not isinstance(task, FileTask) and name != "imdb-order"
    ]
    assert len(halves) >= 14
    assert min(map(halves.count, ("choose", "test"))) >= 6


def test_both_arms_of_the_study_take_equal_steps():
    config, task = validation.ValidationConfig(), validation_tasks.Digits()
    arms = [validation.trial(config, task, arm, 1e-2, 0) for arm in validation.ARMS]
    assert arms[0].steps == arms[1].steps == config.steps
    assert [phase.objective for phase in arms[1].phases] == ["reconstruction", "labels"]
    assert arms[1].phases[0].steps == 2 * arms[1].phases[1].steps


def test_predictions_are_stored_before_anything_is_trained_and_not_made_again(tmp_path, monkeypatch):
    made, folder = [], tmp_path / "validation"

    def predicted(dataset, model, config, **_):
        made.append(dataset.name)
        found, evidence = judged(fits(0.5, 0.9, 0.5), 1_257, FLOORS, Thresholds(), ""), fits(0.5, 0.9, 0.5)
        numbers = {f"snr_{loss}_expressible": 0.1 for loss in ("label", "reconstruction")}
        values = {"floors": FLOORS, "verdict": found, "data": dataset.describe(), "fits": evidence}
        return Diagnosis(found, values | {"numbers": numbers}, {})

    def trained(configs, *_, **__):
        assert (folder / "predictions" / "digits.json").exists()
        gained = lambda config: 0.5 + 0.3 * (len(config.phases) == 2)
        names = ("train_accuracy", "validation_accuracy", "test_accuracy")
        return [Result("run", dict.fromkeys(names, gained(each)), {}, {}) for each in configs]

    monkeypatch.setattr(validation, "diagnose", predicted)
    monkeypatch.setattr(validation, "run_all", trained)
    config = dataclasses.replace(validation.ValidationConfig.smoke(), names=("digits", "mnist-7x7"))
    for _ in range(2):
        found = validation.run(config, folder)
    assert made == ["digits"]
    (row,) = found.values["rows"]
    assert row["verdict"] == row["right"] == "pretrain first"
    assert row["measured_gain"]["estimate"] == pytest.approx(0.3)
    assert "expected" in found.values["missing"]["mnist-7x7"]
    assert "digits" in validation.table(found.values)
