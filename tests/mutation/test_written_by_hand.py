"""Mutations written by hand that once no check noticed, each beside the check that now does."""

import ast

import pytest

from tests.mutation.mutants import Mutant, compiled, functions, live, place, source
from tests.mutation.semantic import outcome
from tests.mutation.trials import trials

MASKS = ("C28", "gradients of drawn sequences under drawn masks")
BOUND = ("C19", "weak signals: the head is half its bound")
WEIGHTS = ("C14", "mean and variance as jax's derivatives of log E exp S")
FIRST_TERM = "* -((variance * kernel[0]) ** 2) / features"
WRITTEN = (
    ("class_saddle", "/ variance", "/ (variance + apart[0, 0, 0] ** 2)", "C25", "two classes: sigma^2/k"),
    ("c28_many_masks.claim", "(masks, RATE, (SEQ", "(masks, 1.1 * RATE, (SEQ", *MASKS),
    ("c28_many_masks.claim", "hidden = mask | (positions", "hidden = ~mask | (positions", *MASKS),
    ("c28_many_masks.claim", ": LENGTH // 2 + 1] / 2", ": LENGTH // 2 + 1] / 1.8", *MASKS),
    ("c28_many_masks.claim", ": LENGTH // 2 + 1] / 2", ": LENGTH // 2 + 1] / 2.3", *MASKS),
    ("adiabatic", "jnp.sqrt(2 * jnp", "1.08 * jnp.sqrt(2 * jnp", *BOUND),
    ("adiabatic", "* mean_pull", "* mean_pull * 1.05", *BOUND),
    ("sample_complexity", "1.0 * sequences", "1.1 * sequences", "C16", "the ratio against the two counts"),
    (
        "c16_sample_complexity.claim",
        "drawn, COUNTS[0]",
        "drawn, COUNTS[0] + 5",
        "C16",
        "share of wrong signs, both losses",
    ),
    ("tied_initialisation", "kernel[0]) ** 2)", "kernel[0]) ** 2 + (share * kernel) ** 3 / 3)", *WEIGHTS),
    ("tied_initialisation", "* jnp.log(1 - (variance * kernel[0]) ** 2 / features)", FIRST_TERM, *WEIGHTS),
    (
        "escape",
        "jnp.sqrt(2.0) * noise",
        "2.0 * noise",
        "C20",
        "the clock of each loss, and a ridge on the scores",
    ),
    (
        "subspaces",
        "ours.key_bias * theirs.key_bias",
        "ours.key_bias**2",
        "C9",
        "key-bias share of paired estimates",
    ),
    (
        "pool_visibility",
        "width**2 if length > 2 else 0",
        "width**2",
        "C15",
        "certificate: ranks of the linear rows, L = 2..5",
    ),
    ("pool_visibility", "width: width**2\n", "width: 2 * width\n", "C15", "every row of the table at L = 4"),
    ("values_first", "jnp.exp(-value_rate", "jnp.exp(-1.1 * value_rate", "C11", "dl/dv against jax.grad"),
    ("c07_contrast_law.samples", "law = fluct", "law = 1.1 * fluct", "C7", "a head's own fluctuations"),
    (
        "c10_proximity_law.claim",
        "jnp.abs(exponent + 1)",
        "exponent + 1",
        "C10",
        "the correction falls like 1/L",
    ),
    (
        "c12_reduced_flow.minimum",
        "best = n",
        "best = 1.1 * n",
        "C12",
        "masked error at the minimiser, sampled sequences",
    ),
    (
        "c24_first_value_sign.claim",
        "1 - MASK_RATE, (",
        "1 - 1.1 * MASK_RATE, (",
        "C24",
        "dl/dv of sampled sequences that sum to 0",
    ),
    (
        "c29_open_ends.claim",
        "off(each, columns",
        "off(each, 1.1 * columns",
        "C29",
        "key biases of sampled lines",
    ),
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
