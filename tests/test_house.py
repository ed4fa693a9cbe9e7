"""The house is as CONTRIBUTING.md says: charters, public names, plain words, small folders, one definition each."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("theory", "sims", "full_scale", "paper_figs")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})
MANY = {"figures", "experiments", "claims"}
LARGEST_FOLDER = 22
DIALECT = {
    "found", "place", "places", "seen", "kept", "told", "tell", "shown", "reach", "pulls", "wants", "offers",
    "settled", "bent", "noticed", "understood", "unboxed", "stood", "said",
}  # fmt: skip
"""Verbs of an old private dialect: a reader who knows the field had to learn them first."""
DEFINED_ONCE = {
    "circulant", "decompose", "doubly_centred", "joint_snr", "lag_direction", "lag_profile", "profile_cosine",
    "proximity_index", "row_centred", "snr", "standard_score", "toeplitz", "unbiased_snr", "unbiased_square",
    "visible_share",
}  # fmt: skip
"""Measured quantities, each with one home in `theory`; engines that differ in speed have other names."""


def identifiers(source: str) -> Iterator[str]:
    """Every name that a module gives to something: functions, classes, parameters, variables."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def dialect(source: str) -> set[str]:
    """The names of a module that are verbs of the old dialect."""
    return {name for name in identifiers(source) if name.lstrip("_") in DIALECT}


def definitions(source: str) -> Iterator[str]:
    """The functions at the top level of a module."""
    return (node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))


def test_the_files_that_are_held_to_the_rules_are_those_of_all_rooms():
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ROOMS)
    assert len(FILES) > 400 and len(FOLDERS) > 50


def _ends_a_sentence(line: str) -> bool:
    """Whether a docstring's first line is a sentence, the claims that it cites apart."""
    return re.sub(r"\s+\[C\d+(, C\d+)*\]$", "", line).endswith((".", "?"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_says_what_it_is_for_and_what_it_offers(folder):
    tree = ast.parse((folder / "__init__.py").read_text())
    charter = (ast.get_docstring(tree) or "").partition("\n")[0]
    assert _ends_a_sentence(charter) and len(charter) < 120
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names = [getattr(target, "id", "") for target in targets]
    assert "__all__" in names or re.fullmatch(r"c\d\d_\w+", folder.name)


def test_no_folder_holds_more_than_a_reader_can_scan():
    folders = [*FOLDERS, ROOT / "tests"]
    sizes = {
        folder: len([one for one in folder.iterdir() if one.name != "__pycache__"]) for folder in folders
    }
    assert not {
        str(folder): size
        for folder, size in sizes.items()
        if size > LARGEST_FOLDER and folder.name not in MANY
    }


def test_no_file_is_named_by_a_number_alone():
    assert not [path for path in FILES if re.fullmatch(r"c?\d+", path.stem)]


def test_no_identifier_is_a_verb_of_the_old_dialect():
    spoken = {str(path.relative_to(ROOT)): words for path in FILES if (words := dialect(path.read_text()))}
    assert not spoken


def test_a_verb_of_the_dialect_is_noticed_as_variable_parameter_and_function():
    assert dialect("found = 1") == {"found"}
    assert dialect("def f(place): ...") == {"place"}
    assert dialect("def _told(): ...") == {"_told"}


def test_a_measured_quantity_has_one_definition_and_it_is_the_theory_s():
    homes = Counter(
        (name, path.relative_to(ROOT).parts[0])
        for path in FILES
        for name in definitions(path.read_text())
        if name in DEFINED_ONCE
    )
    assert homes == Counter({(name, "theory"): 1 for name in DEFINED_ONCE})


def test_types_are_checked_by_the_tests_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [name for name in project["dependencies"] if name.startswith("beartype")]
    assert not [path for path in FILES if "beartype" in path.read_text()]


def test_what_is_read_of_a_result_has_a_type():
    untyped = re.compile(r"\b(values|rows|row|numbers|verdict)\b: (Any\b|(Mapping|dict)\[str, Any\])")
    assert not [path for path in FILES if untyped.search(path.read_text())]


def test_the_draft_of_the_theory_is_cited_nowhere():
    assert not [path for path in FILES if "theory.md" in path.read_text()]
