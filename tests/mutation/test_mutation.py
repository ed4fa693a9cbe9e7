"""Flipping one sign in any closed form turns at least one check of the claims red."""

import ast
import json
from collections import Counter

import pytest

from tests.mutation.mutants import (
    FOLDER,
    MODULES,
    Mutant,
    compiled,
    functions,
    live,
    mutants,
    placed,
    signs,
    source,
)
from tests.mutation.score import EQUIVALENT, SCORE, measured, score, verdict
from tests.mutation.semantic import REASONS, outcome
from tests.mutation.semantic_mutants import CLAIM_MODULES, edits, kinds, sampled, semantic_mutants
from tests.mutation.trials import Trial, claims_using, trials
from theory.claims import CLAIMS

CAUGHT = (
    ("masked_loss", "proximity_law", "along - away"),
    ("masked_loss", "off_diagonal", "1 - jnp.eye(len(matrix), dtype=matrix.dtype)"),
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


def test_the_claims_that_use_a_module_are_told_from_the_others():
    assert "C10" in claims_using(["masked_loss"])
    assert claims_using(["sample_complexity"]) == ["C16"]


def test_code_that_changes_nothing_is_not_caught(law):
    same = functions(compiled(ast.parse(source("masked_loss").read_text()), "masked_loss"))
    (code,) = (one for one in same if one.co_qualname == "proximity_law")
    idle = Mutant("masked_loss", "proximity_law", 0, "x", "x", (placed(code),))
    assert verdict(idle, law, live())[0] == "survived"


def test_a_form_that_no_check_calls_survives(law):
    flip = named("tied_initialisation", "tied_score_variance", "kernel[0] ** 2 + kernel ** 2")
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


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("n for n - 1", "value / (length - 1)"),
        ("term dropped", "other_lags"),
        ("reduction", "other_lags.sum()"),
        ("power", "value"),
        ("argument ignored", "value = 0 * value + 1"),
        ("factor dropped", "along - away"),
    ],
)
def test_a_changed_meaning_is_caught_and_put_back(kind, after, law):
    alike = [
        one for one in semantic_mutants("masked_loss") if one.function == "proximity_law" and one.kind == kind
    ]
    mutant = next(one for one in alike if one.after == after)
    kept = place_of_all()
    assert outcome(mutant, law, live()) == "red"
    assert place_of_all() == kept


def test_every_kind_of_change_is_made():
    made = Counter(kind for module in MODULES for kind, _ in kinds(module))
    assert set(made) >= {
        "term dropped", "factor dropped", "wrong factor", "power", "n for n - 1", "constant for a share", "transpose",
        "lag", "query for key", "argument ignored", "reduction", "axis", "arguments swapped", "function",
        "condition inverted",
    }  # fmt: skip
    assert sum(made.values()) > 1500
    biased = ast.parse("def f(x):\n    return x.std(axis=0, ddof=1)\n")
    assert ("biased", "x.std(axis=0, ddof=0)") in [(kind, after) for kind, _, _, after in edits(biased)]


def test_a_sample_is_the_same_for_a_seed_and_of_several_kinds():
    first, again, other = (sampled("boundaries", 6, seed) for seed in (0, 0, 1))
    assert list(map(str, first)) == list(map(str, again)) != list(map(str, other))
    assert len({mutant.kind for mutant in first}) > 3


def test_random_draws_refusals_and_annotations_are_left_alone():
    tree = ast.parse(
        "def f(key: Float[Array, '2'], x: int = 3 - 1):\n    if x > 3: raise E(1 + 2)\n"
        "    return jax.random.normal(key, (2 * x,))\n"
    )
    assert {kind for kind, *_ in edits(tree)} == {"argument ignored"}


def test_the_stored_semantic_score_is_high_and_its_exceptions_are_needed():
    found = json.loads(SCORE.read_text())["semantic"]
    assert found["score"] >= 0.97
    assert set(found["modules"]) == {*MODULES, *CLAIM_MODULES}
    caught = sum(entry["red"] for entry in found["modules"].values())
    assert caught == sum(kind["red"] for kind in found["kinds"].values()) > 150
    lost = sum(len(entry["survivors"]) for entry in found["modules"].values())
    assert found["score"] == caught / (caught + lost)
    assert all(reason.endswith(".") for reason in REASONS.values())


def test_the_stored_score_of_mutations_written_by_hand_is_high_and_counts_all():
    found = json.loads(SCORE.read_text())["written"]
    lost, same = len(found["survivors"]), len(found["equivalent"])
    assert found["judged"] == found["red"] + found["stillborn"] + lost + same
    assert found["score"] == found["red"] / (found["red"] + lost) >= 0.97
    assert all(line.endswith(".)") for line in found["survivors"] + found["equivalent"])


README = FOLDER / "README.md"


def sentence() -> str:
    """What theory/README.md says of the stored scores."""
    stored = json.loads(SCORE.read_text())
    rows, found, written = stored["modules"].values(), stored["semantic"], stored["written"]
    caught = sum(kind["red"] for kind in found["kinds"].values())
    lost = sum(kind["survived"] for kind in found["kinds"].values())
    signs = sum(row["red"] + row["raised"] for row in rows)
    return (
        f"Its checks caught {signs} of {signs + sum(len(row['survivors']) for row in rows)} signs and "
        f"{caught} of {caught + lost} changes of meaning, of those that change something, and "
        f"{written['red']} of {written['red'] + len(written['survivors'])} written by hand."
    )


def test_the_readme_of_the_theory_tells_the_stored_scores():
    assert sentence() in " ".join(README.read_text().split())


if __name__ == "__main__":
    print(sentence())
