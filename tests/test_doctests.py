"""The examples in theory's docstrings and of the reference are true, and stand alone: each imports what it uses."""

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import theory
from paper_figs.report.api import EXAMPLES

USED_MOST = (
    "attention_weights",
    "received",
    "pooled",
    "decompose",
    "key_bias_share",
    "label_score_gradient",
    "sinkhorn_key_bias",
    "reconstruction_loss",
    "proximity_law",
    "circulant",
    "reduced_loss",
    "fitted_value",
    "markov_autocovariance",
    "probe",
)
MODULES = [found.name for found in pkgutil.walk_packages(theory.__path__, "theory.")]


def examples(module: ModuleType) -> list[doctest.DocTest]:
    """The docstrings with examples of what a module defines, and its own."""
    defined = {
        name: thing
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__
    }
    parser = doctest.DocTestParser()
    told = {"": inspect.getdoc(module), **{name: inspect.getdoc(thing) for name, thing in defined.items()}}
    found = [
        parser.get_doctest(text or "", {}, f"{module.__name__}.{name}", module.__file__, None)
        for name, text in told.items()
    ]
    return [one for one in found if one.examples]


def failures(found: list[doctest.DocTest]) -> list[str]:
    """What each example that is not true said instead."""
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for one in found:
        runner.run(one, out=said.append)
    return said


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{name} needs {missing.name}, an optional extra")
    assert not failures(examples(module))


def sections() -> list[str]:
    """The worked examples of the reference, a text for each title."""
    return EXAMPLES.read_text().split("\n## ")[1:]


def cost(section: str) -> object:
    """A diagnosis takes many seconds."""
    return pytest.param(section, marks=pytest.mark.heavy if "diagnose_arrays" in section else ())


@pytest.mark.parametrize("section", [cost(one) for one in sections()], ids=lambda text: text.split("\n")[0])
def test_worked_examples_are_true(section):
    title = section.partition("\n")[0]
    one = doctest.DocTestParser().get_doctest(section, {}, title, str(EXAMPLES), None)
    assert one.examples
    assert not failures([one])


def test_the_names_used_most_have_an_example():
    modules = {importlib.import_module(getattr(theory, name).__module__) for name in USED_MOST}
    found = {one.name.rpartition(".")[2] for module in modules for one in examples(module)}
    assert set(USED_MOST) <= found


def test_an_example_that_is_false_is_noticed():
    wrong = ModuleType("wrong", "Twice two.\n\n>>> 2 * 2\n5\n")
    wrong.__file__ = "wrong.py"
    (told,) = failures(examples(wrong))
    assert "Expected:\n    5\nGot:\n    4" in told
