"""Flipping one sign in any closed form turns at least one check of the claims red."""

import ast
import json

import pytest

from tests.mutants import MODULES, Mutant, compiled, functions, live, mutants, placed, signs, source
from tests.mutation import EQUIVALENT, SCORE, measured, score, verdict
from tests.mutation_trials import Trial, trials
from theory.claims import CLAIMS

CAUGHT = (
    ("reconstruction", "proximity_law", "along - away"),
    ("reconstruction", "off_diagonal", "1 - jnp.eye(len(matrix), dtype=matrix.dtype)"),
    ("circulant", "circulant", "positions[None, :] - positions[:, None]"),
)


@pytest.fixture(scope="module")
def law() -> list[Trial]:
    """The check of C10 against jax's gradient."""
    return list(trials(["C10"], ["the law against jax.grad"]))


def named(module: str, function: str, before: str) -> Mutant:
    """The one flip of this expression in this function."""
    (mutant,) = (one for one in mutants(module) if (one.function, one.before) == (function, before))
    return mutant


@pytest.mark.parametrize("flip", CAUGHT)
def test_a_flipped_sign_is_caught_and_put_back(flip, law):
    kept = place_of_all()
    assert verdict(named(*flip), law, live())[0] == "red"
    assert place_of_all() == kept
    assert law[0].outcome() == "green"


def place_of_all() -> dict:
    """The code that every closed form runs now."""
    return {where: [function.__code__ for function in found] for where, found in live().items()}


def test_code_that_changes_nothing_is_not_caught(law):
    same = functions(compiled(ast.parse(source("reconstruction").read_text()), "reconstruction"))
    (code,) = (one for one in same if one.co_qualname == "proximity_law")
    idle = Mutant("reconstruction", "proximity_law", 0, "x", "x", (placed(code),))
    assert verdict(idle, law, live())[0] == "survived"


def test_a_form_that_no_check_calls_survives(law):
    flip = named("tied", "tied_score_variance", "kernel[0] ** 2 + kernel ** 2")
    assert verdict(flip, law, live()) == ("survived", "0 checks call it")


def test_every_flip_changes_code_that_runs():
    known = live()
    flips = [flip for module in MODULES for flip in mutants(module)]
    assert len(flips) > 300
    assert all(known.get(where) for flip in flips for where, _ in flip.code)


def test_signs_are_those_of_formulas():
    tree = ast.parse(
        "def f(x):\n    if x > 3 - 1: raise E(1 - 2)\n    x += g(x, axis=-1)\n    return -x * (x - 1)\n"
    )
    assert [ast.unparse(node) for node in signs(tree)] == [
        "x += g(x, axis=-1)",
        "return -x * (x - 1)",
        "-x",
        "x - 1",
    ]


def test_the_stored_table_is_of_these_closed_forms_and_none_survived():
    table = json.loads(SCORE.read_text())
    rows = table["modules"]
    assert {module: row["flips"] for module, row in rows.items()} == {
        module: len(mutants(module)) for module in MODULES
    }
    assert not [line for row in rows.values() for line in row["survivors"]]
    assert table["score"] == score(rows) == 1.0
    assert not needless(rows)


def needless(rows: dict) -> list[tuple[str, str, str]]:
    """Exceptions whose flip is caught."""
    excused = lambda module, start: any(start in line for line in rows[module]["equivalent"])
    return [flip for flip in EQUIVALENT if not excused(flip[0], f" {flip[1]}: {flip[2]} -> ")]


def test_every_exception_names_a_flip_and_its_reason():
    known = {(one.module, one.function, one.before) for module in MODULES for one in mutants(module)}
    assert set(EQUIVALENT) <= known
    assert all(reason.endswith(".") for reason in EQUIVALENT.values())


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_flipped_sign_turns_a_check_red():
    rows = measured(MODULES, list(trials(CLAIMS)), lambda *_: None)
    assert not [line for row in rows.values() for line in row["survivors"]]
    assert not needless(rows)
