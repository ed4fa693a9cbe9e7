"""The registry: every claim with all kinds of checks, and verdicts that can be false."""

import json
import math
import re

import jax
import latex2mathml.converter
import pytest

from theory.claims import CLAIMS, KINDS, Check, Claim, Verdict, verify
from theory.claims.check import counterexample, simulation, standard_errors_off, symbolic

ALL = [
    "C1",
    "C2",
    "C3",
    "C4",
    "C5",
    "C6",
    "C7",
    "C8",
    "C9",
    "C10",
    "C11",
    "C12",
    "C13",
    "C14",
    "C15",
    "C16",
    "C17",
    "C18",
    "C19",
    "C20",
    "C21",
    "C22",
    "C23",
    "C24",
]


def test_the_claims_of_the_issue_are_registered_in_order():
    assert list(CLAIMS) == ALL


@pytest.mark.parametrize("label", ALL)
def test_every_kind_of_check_is_run(label):
    assert {check.kind for check in CLAIMS[label].checks} == set(KINDS)


@pytest.mark.parametrize("label", ALL)
def test_every_claim_says_what_it_states_where_and_how_exactly(label):
    claim = CLAIMS[label]
    assert claim.title and claim.statement.endswith(".") and claim.regime.startswith("Exact")
    assert "<math" in latex2mathml.converter.convert(claim.formula)


@pytest.mark.parametrize("label", ALL)
def test_what_is_said_to_be_exactly_zero_has_a_certificate_in_exact_arithmetic(label):
    claim = CLAIMS[label]
    names = [check.name for check in claim.checks if check.kind == "symbolic"]
    if re.search(r"exactly (0|constant)|is orthogonal", claim.statement):
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
    assert set(told) == {"claim", "title", "statement", "regime", "formula", "passed", "checks"}
    assert told["claim"] == "C3" and told["passed"] is True
    assert set(told["checks"][0]) == {"kind", "name", "passed", "residual", "tolerance"}


def test_verify_reports_its_progress_and_a_claim_is_judged_alike_in_any_company():
    seen = []
    both = verify(["C3", "C10"], key=jax.random.key(1), report=lambda *told: seen.append(told))
    (alone,) = verify(["C10"], key=jax.random.key(1))
    assert seen == [(1, 2, "C3"), (2, 2, "C10")]
    assert isinstance(alone, Verdict)
    assert both[1] == alone


def test_an_unknown_label_names_the_known_ones():
    with pytest.raises(ValueError, match=r"claims must be among C1, C2.*got C99; drop them"):
        verify(["C1", "C99"], key=jax.random.key(0))


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(ValueError, match="need float64: got float32"):
        verify(["C1"], key=jax.random.key(0))
