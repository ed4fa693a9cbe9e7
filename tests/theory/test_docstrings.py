"""What the reference says of each public name: its claim, its formula, and the shapes in its signature."""

import inspect
import re
import typing
from collections.abc import Iterator, Sequence

import jax
import numpy as np
import pytest
from jax.typing import ArrayLike

import theory
from theory.claims import CLAIMS

CITED = re.compile(r"\[(C\d+(?:, C\d+)*)\]")
FORMULA = re.compile(r"[=^/]")
SHAPE = re.compile(r"\(\.\.\., L, L\)|As in `theory\.probe`")
FORMS = [name for name in theory.__all__ if name not in theory.LAZY]  # the others read the claims' registries
FUNCTIONS = [name for name in FORMS if inspect.isroutine(getattr(theory, name))]
DOCUMENTED = [name for name in FORMS if callable(getattr(theory, name))]


def description(name: str) -> str:
    """What a docstring says before its sections, claims apart."""
    return CITED.sub("", re.split(r"\n\n\w+\n---", inspect.getdoc(getattr(theory, name)))[0])


def leaves(annotation: object) -> Iterator[object]:
    """The types that an annotation is made of."""
    inside = annotation if isinstance(annotation, list) else typing.get_args(annotation)
    yield from (leaf for part in inside for leaf in leaves(part)) if inside else [annotation]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring_cites_claims_that_exist(name):
    told = inspect.getdoc(getattr(theory, name))
    cited = {label for group in CITED.findall(told) for label in group.split(", ")}
    assert cited and cited <= set(CLAIMS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_described_by_its_formula(name):
    assert FORMULA.search(description(name)), description(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_signature_says_every_shape(name):
    function = getattr(theory, name)
    signature = inspect.signature(function)
    told = [parameter.annotation for parameter in signature.parameters.values()]
    for annotation in [*told, signature.return_annotation]:
        assert annotation is not inspect.Signature.empty
        shapeless = [leaf for leaf in leaves(annotation) if leaf in (jax.Array, np.ndarray, typing.Any)]
        assert not shapeless or (takes_lists(annotation) and SHAPE.search(inspect.getdoc(function))), (
            annotation
        )


def takes_lists(annotation: object) -> bool:
    """Whether it stands for arrays and lists of lists alike, whose shape the docstring says."""
    return {*typing.get_args(ArrayLike), Sequence} <= set(leaves(annotation))


def test_every_other_public_name_is_a_table_of_the_theory():
    assert set(FORMS) - set(DOCUMENTED) == {"VISIBILITY"}


def test_words_alone_are_no_formula_and_an_array_alone_has_no_shape():
    assert not FORMULA.search("The gradient of the loss, in closed form.")
    assert jax.Array in leaves(typing.Callable[[int], tuple[jax.Array, float]])
    assert (
        not takes_lists(jax.Array) and not takes_lists(jax.Array | Sequence) and not SHAPE.search("An array.")
    )
