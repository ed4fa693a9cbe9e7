"""The registry: every claim with all kinds of checks, and verdicts that can be false."""

import json
import math
import re

import jax
import latex2mathml.converter
import pytest

from theory.claims import CLAIMS, KINDS, Check, Claim, ClaimVerdict, verify
from theory.claims.checks.check import autodiff, counterexample, simulation, standard_errors_off, symbolic
from theory.claims.checks.tolerances import STANDARD_ERRORS
from theory.symbolic.prose import sentences

ALL = [f"C{number}" for number in range(1, len(CLAIMS) + 1)]


def test_the_claims_are_registered_in_order_without_a_gap_and_none_is_lost():
    assert list(CLAIMS) == ALL and len(ALL) >= 30


@pytest.mark.parametrize("label", ALL)
def test_every_kind_of_check_is_run(label):
    assert {check.kind for check in CLAIMS[label].checks} == set(KINDS)


@pytest.mark.parametrize("label", ALL)
def test_every_claim_says_what_it_states_where_and_how_exactly(label):
    claim = CLAIMS[label]
    assert claim.title and claim.full.endswith(".") and claim.regime.startswith("Exact")
    assert "<math" in latex2mathml.converter.convert(claim.formula)


@pytest.mark.parametrize("label", ALL)
def test_a_statement_has_at_most_three_sentences(label):
    assert len(sentences(CLAIMS[label].statement)) <= 3


@pytest.mark.parametrize("label", ALL)
def test_what_is_said_to_be_exactly_zero_has_a_certificate_in_exact_arithmetic(label):
    claim = CLAIMS[label]
    names = [check.name for check in claim.checks if check.kind == "symbolic"]
    if re.search(r"exactly (0|constant)|is orthogonal", claim.full):
        assert any(name.startswith("certificate: ") for name in names)


@pytest.mark.parametrize("label", ALL)
def test_counterexamples_share_the_tolerance_of_a_check(label):
    checks = CLAIMS[label].checks
    tolerances = {check.tolerance for check in checks if check.kind in ("autodiff", "simulation")}
    assert all(check.tolerance in tolerances for check in checks if check.kind == "counterexample")


def test_a_counterexample_passes_beyond_its_tolerance_and_the_others_within():
    assert Check("autodiff", "", 1.0, 1.0).passed
    assert not Check("autodiff", "", 2.0, 1.0).passed
    assert Check("counterexample", "", 2.0, 1.0).passed
    assert not Check("counterexample", "", 1.0, 1.0).passed


@pytest.mark.parametrize("kind", KINDS)
def test_a_residual_that_is_not_a_number_never_passes(kind):
    assert not Check(kind, "", math.nan, 1.0).passed
    assert Check(kind, "", math.nan, 1.0).as_json()["residual"] is None


def test_a_residual_below_0_is_no_residual_and_fails():
    assert not Check("autodiff", "", -1e-3, 1.0).passed
    assert Check("autodiff", "", 0.0, 0.0).passed


def test_a_symbolic_difference_that_is_not_zero_fails():
    import sympy

    t = sympy.Symbol("t")
    wrong = symbolic("", lambda: [sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1, t - 2 * t])
    assert wrong(jax.random.key(0)).residual == 1


def test_a_biased_simulation_fails():
    draws = lambda key: jax.random.normal(key, (1000,))
    fair = simulation("", lambda key: standard_errors_off(draws(key), jax.numpy.zeros(())))
    biased = simulation("", lambda key: standard_errors_off(0.3 + draws(key), jax.numpy.zeros(())))
    assert fair(jax.random.key(0)).passed
    assert not biased(jax.random.key(0)).passed


def test_a_claim_fails_with_one_of_its_checks():
    idle = counterexample("holds here too", lambda key: jax.numpy.zeros(()))
    claim = Claim("C0", "t", "s", "r", "f", (symbolic("", lambda: []), idle))
    verdict = claim.verify(key=jax.random.key(0))
    assert not verdict.passed
    assert [check.passed for check in verdict.checks] == [True, False]


def test_verdicts_travel_as_json(verdict):
    told = json.loads(json.dumps(verdict("C3").as_json()))
    assert set(told) == {"claim", "title", "statement", "details", "regime", "formula", "passed", "checks"}
    assert told["claim"] == "C3" and told["passed"] is True
    assert set(told["checks"][0]) == {"kind", "name", "passed", "residual", "tolerance"}


def test_verify_reports_its_progress_and_a_claim_is_judged_alike_in_any_company():
    seen = []
    both = verify(["C3", "C10"], key=jax.random.key(1), report=lambda *told: seen.append(told))
    (alone,) = verify(["C10"], key=jax.random.key(1))
    assert seen == [(1, 2, "C3"), (2, 2, "C10")]
    assert isinstance(alone, ClaimVerdict)
    assert both[1] == alone


def test_an_unknown_label_names_the_known_ones():
    with pytest.raises(ValueError, match=r"claims must be among C1, C2.*got C99; drop them"):
        verify(["C1", "C99"], key=jax.random.key(0))


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(ValueError, match="need float64: got float32"):
        verify(["C1"], key=jax.random.key(0))


def test_of_several_keys_each_check_is_told_at_its_worst():
    keys = [jax.random.key(seed) for seed in range(3)]
    number = lambda key: jax.random.uniform(key)
    drawn = [float(number(key)) for key in keys]
    middle = sorted(drawn)[1]
    upper, lower = autodiff("", number, middle), counterexample("", number, middle)
    assert upper.worst(keys).residual == max(drawn)
    assert lower.worst(keys).residual == min(drawn)
    assert upper.worst(keys).failed_at == (drawn.index(max(drawn)),)
    assert upper.worst(keys).as_json()["failed_at"] == [drawn.index(max(drawn))]
    assert lower.worst(keys).failed_at == tuple(place for place, each in enumerate(drawn) if each <= middle)
    assert upper.worst(keys[:1]).failed_at == ()


def test_a_residual_that_is_not_a_number_is_the_worst_of_all():
    keys = [jax.random.key(seed) for seed in range(3)]
    worst = autodiff("", lambda key: jax.numpy.where(jax.random.uniform(key) > 0.5, jax.numpy.nan, 0.0))
    assert math.isnan(worst.worst(keys).residual) == (not worst.worst(keys).passed)


def test_several_keys_verify_as_one_would_and_tell_the_worst():
    keys = [jax.random.key(seed) for seed in range(2)]
    (both,) = verify(["C3"], key=keys)
    alone = [verify(["C3"], key=key)[0] for key in keys]
    for place, check in enumerate(both.checks):
        residuals = [each.checks[place].residual for each in alone]
        assert check.residual == (min if check.kind == "counterexample" else max)(residuals)


def test_an_error_that_all_entries_share_is_seen_along_the_law_as_a_whole():
    law = jax.numpy.linspace(1.0, 2.0, 400)
    draws = law[None] + jax.random.normal(jax.random.key(0), (100, 400))
    assert standard_errors_off(draws, law) < STANDARD_ERRORS
    assert standard_errors_off(draws, 1.05 * law) > STANDARD_ERRORS


def test_twenty_seeds_of_true_simulations_pass_with_a_probability_above_a_thousandth_short_of_one():
    missed = math.erfc(STANDARD_ERRORS / math.sqrt(2))
    assert 20 * 1000 * missed < 1e-3
