"""Plateaus, contrast, forgetting, masking and the map of blindness: theory inside, wrong theory outside."""

import functools
import itertools
import re

import jax
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64

from paper_figs import EXPERIMENT_FIGURES, style
from sims import EXPERIMENTS
from sims.experiments import blindness_map, contrast, escape, forgetting, mask_ratio, plateau
from sims.runs import store
from sims.runs.store import Result, UserError
from sims.toy_models import switched_layer
from tests.paper_figs.figures.test_layout import drawn_texts, overlap

MODULES = {
    "escape": escape,
    "contrast": contrast,
    "forgetting": forgetting,
    "blindness_map": blindness_map,
    "plateau": plateau,
    "mask_ratio": mask_ratio,
}
SLOW = ("escape", "forgetting", "blindness_map", "plateau")  # many seconds of compiling each


def tier(name):
    """The mark of an experiment's tests."""
    return pytest.mark.slow if name in SLOW else pytest.mark.heavy


EVERY = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=tier(name)) for name in MODULES],
)


@functools.cache
def measured(name):
    """What an experiment hands to its summary, at its smallest size."""
    found, summary = [], MODULES[name].summary
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULES[name], "summary", lambda *given: found.append(given) or summary(*given))
        EXPERIMENTS[name].run(MODULES[name].Config.smoke(), key=jax.random.key(3))
    return found[0]


@functools.cache
def result(name) -> Result:
    values, arrays = MODULES[name].summary(*measured(name))
    return Result(name, store.plain(values), arrays, {"command": "sptlab simulate"})


@EVERY
def test_every_exact_curve_lies_inside_the_band_of_its_simulation(name):
    exact = {curve: verdict for curve, verdict in result(name).values["inside"].items() if verdict["exact"]}
    assert exact
    assert {curve: verdict for curve, verdict in exact.items() if verdict["inside"] < 1} == {}


@EVERY
def test_what_is_only_leading_order_is_named_with_its_cause(name):
    values = result(name).values
    leading = {curve for curve, verdict in values["inside"].items() if not verdict["exact"]}
    assert leading == set(values["where_theory_leaves"])


@EVERY
def test_what_is_stored_is_read_as_what_was_computed(name):
    values = result(name).values
    assert store.plain(MODULES[name].Values.from_json(values)) == values


def scaled(place, key, factor):
    """A planted error: one measured set's prediction, times a factor."""

    def changed(given):
        wrong = {**given[place], key: factor * given[place][key]}
        return (*given[:place], wrong, *given[place + 1 :])

    return changed


PLANTED = {
    "escape": scaled(0, "length_early_predicted", 1.3),
    "plateau": scaled(1, "left_predicted", 1.3),
    "mask_ratio": scaled(2, "pull", 1.5),
    "blindness_map": scaled(1, "share_predicted", 0.9),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=tier(name)) for name in PLANTED],
)
def test_a_wrong_prediction_is_found_outside(name):
    values, _ = MODULES[name].summary(*PLANTED[name](measured(name)))
    assert min(verdict.inside for verdict in values.inside.values() if verdict.exact) < 1


@pytest.mark.heavy
def test_a_wrong_contrast_law_is_found_outside(monkeypatch):
    plain = contrast.laws
    monkeypatch.setattr(
        contrast, "laws", lambda config: plain(config) | {"label": 2 * plain(config)["label"]}
    )
    assert contrast.summary(*measured("contrast"))[0].inside["score_label"].inside < 1


@pytest.mark.slow
def test_products_that_decayed_like_free_scores_are_found_outside(monkeypatch):
    plain = forgetting.kept_by_law
    monkeypatch.setattr(forgetting, "kept_by_law", lambda config, decay, at, _: plain(config, decay, at, 2))
    assert forgetting.summary(*measured("forgetting"))[0].inside["kept_free"].inside < 1


@pytest.mark.heavy
def test_the_exponent_in_the_contrast_lies_within_its_standard_error_of_the_law():
    fit = result("contrast").values["kappa_exponent"]["hidden"]
    assert fit["inside"] and fit["standard_error"] > 0


@pytest.mark.slow
def test_fitted_exponents_of_escape_and_decay_lie_within_their_standard_errors():
    values, powers = result("escape").values, result("forgetting").values["fitted_n"]["free"]
    early, growth = (values["length_exponents"][name] for name in ("early", "growth"))
    for fit in (early, growth, values["scale_slope"], *powers):
        assert fit["inside"] and fit["standard_error"] > 0
    assert max(early["standard_error"], growth["standard_error"]) < 0.005


@pytest.mark.slow
def test_adam_does_not_feel_the_initial_scale_and_gradient_descent_does():
    arrays = result("escape").arrays
    small, large = (arrays["flow_times"].mean(axis=0)[place] for place in (0, -1))
    assert small > 1.3 * large
    assert np.ptp(arrays["adam_times"].mean(axis=0)) < 0.1 * arrays["adam_times"].mean()


@pytest.mark.heavy
def test_the_share_from_pulled_back_gradients_is_the_claimed_one_in_every_cell_that_has_one():
    config = blindness_map.Config.smoke()
    models = switched_layer.random_models(config, key=jax.random.key(0))
    batch = blindness_map.labelled(config, key=jax.random.key(1))
    share = np.asarray(blindness_map._predicted_share(models, batch)).mean(axis=1)
    claimed = blindness_map.claimed_share(config.length)
    fixed = ~np.isnan(claimed)
    np.testing.assert_allclose(share[fixed], claimed[fixed], atol=EXACT_FLOAT64)
    assert (share[~fixed] < 0.999).all()


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (escape.Config, {"lengths": (16, 8)}, r"lengths must increase: got \(16, 8\); try \(8, 16\)"),
        (
            escape.Config,
            {"scales": (1e-3, 0.2)},
            "scales must lie between 0 and 0.025 at size=0.05: got 0.2; try 0.0125",
        ),
        (escape.Config, {"scale": 2e-3}, "scale must lie between 0 and 0.001 at size=0.05: got 0.002"),
        (contrast.Config, {"contrasts": (0.1, 0.2)}, "contrasts must increase from 0"),
        (contrast.Config, {"middle": 0.9}, "correlation must lie between -1 and 1"),
        (contrast.Config, {"counts": (5000,)}, "counts must be at most sequences=2000: got 5000"),
        (forgetting.Config, {"decays": (0.1, 0.2)}, "decays must increase from 0"),
        (forgetting.Config, {"records": 8}, "records - 1 must divide steps"),
        (blindness_map.Config, {"models": 1}, "models must be at least 2: got 1"),
        (plateau.Config, {"scales": (0.04,)}, "scales must lie between 0 and half of size=0.05: got 0.04"),
        (mask_ratio.Config, {"rates": (0.5, 1.0)}, r"rates must increase within \[0, 1\)"),
    ],
)
def test_an_impossible_setting_is_refused_in_one_line(config, settings, message):
    with pytest.raises(UserError, match=message) as caught:
        config(**settings)
    assert "\n" not in str(caught.value)


@EVERY
def test_a_figure_is_legible_and_its_caption_states_the_verdict(name, monkeypatch):
    figure, caption = (
        EXPERIMENT_FIGURES[name].draw({name: result(name)}),
        EXPERIMENT_FIGURES[name].caption({name: result(name)}),
    )
    assert figure.get_figwidth() in (style.COLUMN_WIDTH, style.FULL_WIDTH)
    texts = drawn_texts(figure, monkeypatch)
    assert not [(a, b) for (a, one), (b, two) in itertools.combinations(texts, 2) if overlap(one, two)]
    width, height = figure.get_size_inches() * 200
    assert all(min(x0, y0) > -1 and x1 < width + 1 and y1 < height + 1 for _, (x0, y0, x1, y1) in texts)
    title, _, rest = caption.partition(". ")
    assert len(title) < 90 and re.search(r"\d", rest) and "None" not in caption and "nan" not in caption
    assert re.search(r"The theory lies inside the simulation's 99% band at all \d+ points", caption)
