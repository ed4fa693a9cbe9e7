"""Mutations that a referee wrote and that once no check noticed, each beside the check that now does."""

import ast

import pytest

from tests.mutation.mutants import Mutant, compiled, functions, live, place, source
from tests.mutation.semantic import outcome
from tests.mutation.trials import trials

MASKS = ("C28", "gradients of drawn sequences under drawn masks")
BOUND = ("C19", "weak signals: the head is half its bound")
WRITTEN = (
    ("class_saddle", "/ variance", "/ (variance + apart[0, 0, 0] ** 2)", "C25", "two classes: sigma^2/k"),
    ("c28_many_masks.claim", "(masks, RATE, (SEQ", "(masks, 1.3 * RATE, (SEQ", *MASKS),
    ("c28_many_masks.claim", "hidden = mask | (positions", "hidden = ~mask | (positions", *MASKS),
    ("c28_many_masks.claim", ": LENGTH // 2 + 1] / 2", ": LENGTH // 2 + 1] / 1.8", *MASKS),
    ("c28_many_masks.claim", ": LENGTH // 2 + 1] / 2", ": LENGTH // 2 + 1] / 2.3", *MASKS),
    ("adiabatic", "jnp.sqrt(2 * jnp", "1.08 * jnp.sqrt(2 * jnp", *BOUND),
    ("adiabatic", "* mean_pull", "* mean_pull * 1.05", *BOUND),
)
"""Module, what stands there, what is put in its place, claim, check."""


def rewritten(module: str, before: str, after: str) -> Mutant:
    """The one place in a module's text, changed."""
    text = source(module).read_text()
    assert text.count(before) == 1
    written, changed = (
        functions(compiled(ast.parse(each), module)) for each in (text, text.replace(before, after))
    )
    pairs = [(old, new) for old, new in zip(written, changed, strict=True) if old != new]
    code = tuple((place(old), new) for old, new in pairs)
    return Mutant(module, pairs[0][0].co_qualname, 0, before, after, code)


@pytest.mark.heavy
@pytest.mark.parametrize(("module", "before", "after", "label", "check"), WRITTEN)
def test_a_mutation_written_by_hand_turns_its_check_red(module, before, after, label, check):
    assert outcome(rewritten(module, before, after), list(trials([label], [check])), live()) == "red"
