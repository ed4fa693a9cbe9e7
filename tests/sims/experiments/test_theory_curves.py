"""Theory's curve beside its simulation: inside the band, outside when wrong, and so in its figure."""

import dataclasses
import importlib
import itertools
import re

import jax
import numpy as np
import pytest
from tolerances import EXACT_FLOAT64

import sptlab
import theory
from full_scale.stored import COMMANDS
from paper_figs import EXPERIMENT_FIGURES, FIGURES, drawable, figure_of, style, write_figure, write_figures
from sims import EXPERIMENTS
from sims.experiments import (
    boundaries,
    causal,
    first_value,
    initialisation_law,
    invariance,
    other_settings,
    pools,
)
from sims.experiments import tied_initialisation as tied
from sims.experiments import values_first as values
from sims.runs import store
from sims.runs.store import Result, UserError
from sims.toy_models import label_layers
from tests.paper_figs.figures.test_layout import drawn_texts, overlap
from theory.claims import CLAIMS
from theory.claims.derivations import Derivation

NAMES = (
    "values_first",
    "first_value",
    "initialisation_law",
    "tied_initialisation",
    "pools",
    "boundaries",
    "causal",
    "invariance",
    "other_settings",
)
CORES = {name: EXPERIMENTS[name] for name in NAMES}
EVERY = pytest.mark.parametrize("name", CORES)
ROWS = tuple(theory.VISIBILITY[place] for place in (0, 6, 11))  # the others cost a compilation each


@pytest.fixture(scope="module", autouse=True)
def few_rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theory, "VISIBILITY", ROWS)
        yield


def outcome(name):
    return CORES[name].run(CORES[name].Config.smoke(), key=jax.random.key(1))


@pytest.fixture(scope="module")
def results(few_rows) -> dict[str, Result]:
    found = {name: outcome(name) for name in CORES}
    record = {"command": "sptlab simulate"}
    return {name: Result(name, store.plain(v), arrays, record) for name, (v, arrays) in found.items()}


@pytest.mark.heavy
@EVERY
def test_every_exact_curve_lies_inside_the_band_of_its_simulation(name, results):
    verdicts = results[name].values["inside"]
    exact = {curve: verdict for curve, verdict in verdicts.items() if verdict["exact"]}
    assert exact
    assert {curve: verdict for curve, verdict in exact.items() if verdict["inside"] < 1} == {}
    for curve in exact:
        assert results[name].arrays[f"{curve}_mean"].shape == results[name].arrays[f"{curve}_theory"].shape


@pytest.mark.heavy
@EVERY
def test_what_is_stored_is_read_as_what_was_computed(name, results):
    kind = importlib.import_module(f"sims.experiments.{name}").Values
    assert store.plain(kind.from_json(results[name].values)) == results[name].values


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["values_first", "initialisation_law", "boundaries"])
def test_fitted_exponents_lie_within_their_standard_errors_of_the_theory(name, results):
    for found in results[name].values["exponents"].values():
        assert 0 < found["standard_error"] < 0.3
        assert found["z"] < 3


def scaled(module, function, factor):
    """A module's theory, times a factor."""
    plain = getattr(module, function)
    scale = lambda found: jax.tree.map(lambda each: factor * each, found)
    return module, function, lambda *given, **named: scale(plain(*given, **named))


def fourth_order(setting, config):
    """Labels waking at second order in each map's size: a wrong exponent for centred encodings."""
    found = PREDICTED(setting, config)
    sizes = np.array(config.sizes)
    return found | {"label_centred": found["label_centred"] * (sizes[0] / sizes) ** 2}


def leading_shares(config):
    """The leading order in place of the exact share."""
    widths, lengths = (np.array(each, float) for each in (config.half_widths, config.lengths))
    return (widths * (widths + 1) / 3)[:, None] / lengths[None, :] ** 2


PREDICTED = initialisation_law.predicted_squares
WIDER = (ROWS[0]._replace(uniform=lambda length, width: length), *ROWS[1:])
PLANTED = {
    "values_first": scaled(values, "reduced_times", 1.3),
    "first_value": scaled(first_value, "reduced", 1.3),
    "initialisation_law": (initialisation_law, "predicted_squares", fourth_order),
    "tied_initialisation": scaled(tied, "laws", 0.5),
    "pools": (theory, "VISIBILITY", WIDER),
    "boundaries": (boundaries, "exact_shares", leading_shares),
    "causal": scaled(causal, "_laws", -1.0),
    "invariance": scaled(label_layers, "curvature", 1.3),
    "other_settings": scaled(theory, "torus_proximity_law", 1.3),
}


@pytest.mark.heavy
@EVERY
def test_a_wrong_theory_is_found_outside(name, results, monkeypatch):
    monkeypatch.setattr(*PLANTED[name])
    verdicts = outcome(name)[0].inside
    assert min(verdict.inside for verdict in verdicts.values() if verdict.exact) < 1


@pytest.mark.heavy
def test_a_pool_whose_rank_is_not_the_tables_is_named(results, monkeypatch):
    monkeypatch.setattr(*PLANTED["pools"])
    assert outcome("pools")[0].disagreeing_rows == ("mean pool",)


@pytest.mark.heavy
def test_attention_of_independent_maps_is_flat_and_of_tied_maps_near(results):
    mass = results["tied_initialisation"].values["proximity"]
    assert mass["xavier_independent"]["low"] < 1 < mass["xavier_independent"]["high"]
    assert 1 < mass["linear_tied"]["low"] < mass["linear_tied"]["high"] < mass["xavier_tied"]["low"]


@pytest.mark.heavy
def test_next_token_prediction_falls_silent_on_one_step_memory_alone(results):
    pull = results["causal"].values["largest_pull"]
    assert pull["short_causal_fitted"]["low"] < 0 < pull["short_causal_fitted"]["high"]
    for other in ("long_causal_fitted", "short_masked_fitted"):
        assert pull[other]["low"] * pull[other]["high"] > 0


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (values.Config, {"lengths": (8,)}, "lengths must be at least 2: got 1"),
        (values.Config, {"correlation": 0.0}, "correlation must not be 0"),
        (first_value.Config, {"length": 20}, "length must be a multiple of 8: got 20; try 16"),
        (first_value.Config, {"duration": 0.0}, "duration must be above 0: got 0.0; try 8.0"),
        (initialisation_law.Config, {"frequencies": (1, 9)}, r"frequencies must lie in 1 to .* = 7: got"),
        (initialisation_law.Config, {"frequencies": (1, 1)}, "frequencies must be distinct"),
        (tied.Config, {"heads": 3}, "heads must divide it: got width=512, heads=3"),
        (tied.Config, {"distances": 2000}, "distances must be at most length=1024: got 2000"),
        (pools.Config, {"seeds": 1}, "seeds must be at least 2: got 1"),
        (boundaries.Config, {"half_widths": (15,)}, "got 15 at length 16; try 14"),
        (invariance.Config, {"ranked": 1}, "ranked must be at least 2: got 1"),
        (other_settings.Config, {"classes": (1,)}, "fewest_classes must be at least 2: got 1"),
        (other_settings.Config, {"side": 2}, "side must be at least 3: got 2"),
        (causal.Config, {"lags": 20}, "lags must be at most half the ring, 15: got 20"),
    ],
)
def test_an_impossible_simulation_is_refused_in_one_line(config, settings, message):
    with pytest.raises(UserError, match=message) as caught:
        config(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.heavy
@EVERY
def test_a_figure_is_legible_and_its_caption_states_the_verdict(name, results, monkeypatch):
    figure, caption = (
        (FIGURES | EXPERIMENT_FIGURES)[name].draw(results),
        (FIGURES | EXPERIMENT_FIGURES)[name].caption(results),
    )
    assert figure.get_figwidth() in (style.COLUMN_WIDTH, style.FULL_WIDTH)
    texts = drawn_texts(figure, monkeypatch)
    assert not [(a, b) for (a, one), (b, two) in itertools.combinations(texts, 2) if overlap(one, two)]
    width, height = figure.get_size_inches() * 200
    assert all(min(x0, y0) > -1 and x1 < width + 1 and y1 < height + 1 for _, (x0, y0, x1, y1) in texts)
    title, _, rest = caption.partition(". ")
    assert len(title) < 90 and re.search(r"\d", rest) and "None" not in caption and "nan" not in caption
    assert re.search(r"The theory lies inside the simulation's 99% band at all \d+ points", caption)


@pytest.mark.heavy
@EVERY
def test_a_caption_does_not_claim_agreement_where_there_is_none(name, results):
    changed = dict(results[name].values)
    verdicts = {curve: dict(verdict) for curve, verdict in changed["inside"].items()}
    first = next(curve for curve, verdict in verdicts.items() if verdict["exact"])
    verdicts[first] |= {"inside": 0.0, "worst_z": None}
    wrong = dataclasses.replace(results[name], values=changed | {"inside": verdicts})
    caption = (FIGURES | EXPERIMENT_FIGURES)[name].caption({**results, name: wrong})
    assert re.search(r"The theory lies inside the simulation's 99% band at \d+ of \d+ points", caption)


@pytest.mark.heavy
def test_figures_of_experiments_are_not_on_the_page_but_are_drawn_where_stored(results, tmp_path):
    assert set(FIGURES) & set(NAMES) == {"other_settings"} and not set(EXPERIMENT_FIGURES) & set(FIGURES)
    assert drawable({"pools": results["pools"]}) == ["pools"]
    with pytest.raises(UserError, match=re.escape(COMMANDS["blindness"])):
        drawable({})
    with pytest.raises(UserError, match=re.escape(COMMANDS["pools"])):
        write_figures({}, tmp_path, ["pools"])


@EVERY
def test_the_command_named_for_a_missing_result_exists(name):
    _, command, experiment = COMMANDS[name].split()
    assert sptlab.require(experiment, sptlab.experiments(command), "simulation") == name


def test_every_claim_has_a_figure():
    drawn = {label for figure in (FIGURES | EXPERIMENT_FIGURES).values() for label in figure.shows}
    assert drawn == set(CLAIMS)
    known = {label: figure_of(label).name for label in drawn}
    assert known["C13"] == "initialisation_law" and known["C1"] == "visible_share"
    assert {known[label] for label in ("C4", "C5", "C21", "C23")} == {"invariance"}
    assert len(set(known.values())) >= 11
    with pytest.raises(UserError, match=r"claim with a figure \(C1, C2, C3, .*\); got C99"):
        figure_of("C99")


@pytest.mark.heavy
def test_what_labels_never_see_is_seen_by_the_nearest_other_model(results):
    arrays = results["invariance"].arrays
    assert arrays["change_own"].max() < EXACT_FLOAT64 < arrays["change_borrowed"].min()
    assert arrays["centred"].max() < EXACT_FLOAT64 < arrays["centred_other"].min()
    assert arrays["rank_other"].min() > 2  # with LayerNorm, of two layers
    fast, slow = (arrays[name][1] / arrays[name][0] for name in ("slope", "slope_residual"))
    assert 9 < fast < 11 and 0.5 < slow < 2  # size 0.01 and 0.1


@pytest.mark.heavy
def test_the_sum_of_a_ring_and_a_large_first_value_decide_where_attention_goes(results):
    arrays = results["first_value"].arrays
    assert ((arrays["dial_mean"] - 1) * arrays["sum_excess"] > 0).all()
    assert ((arrays["start_mean"] - 1) * (arrays["starts"] - 1) > 0).all()


@pytest.mark.heavy
def test_derive_draws_the_claims_figure_from_stored_results(results, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)
    monkeypatch.setattr(Derivation, "check", lambda derivation: (True,) * derivation.checked_steps)
    place = tmp_path / "band.svg"
    command = ["derive", "C17", "--quiet", "--figure", str(place), "--report", str(tmp_path)]
    assert sptlab.main(command) == 2
    assert "sptlab simulate boundaries" in capsys.readouterr().err
    store.save(tmp_path / "results", results["boundaries"])
    assert sptlab.main(command) == 0
    assert b"<svg" in place.read_bytes() and "C17" in capsys.readouterr().out


@pytest.mark.heavy
def test_a_figure_of_an_unknown_kind_is_refused(results, tmp_path):
    with pytest.raises(UserError, match=r"ends in .pdf, .png, .svg; got .*; try boundaries.pdf"):
        write_figure(results, figure_of("C17"), tmp_path / "a.gif")
