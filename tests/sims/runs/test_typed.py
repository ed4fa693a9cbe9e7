"""A stored result is read as the dataclass that it is, and refused in one line where it is another."""

import dataclasses
import importlib
import inspect
from typing import Literal

import pytest

from sims.experiments import EXPERIMENTS
from sims.runs.errors import UserError
from sims.runs.provenance import plain
from sims.runs.typed import Stored


@dataclasses.dataclass(frozen=True)
class Run(Stored):
    accuracy: float
    kind: Literal["long", "short"]
    plateau: int | None
    longer: float | None = None


@dataclasses.dataclass(frozen=True)
class Study(Stored):
    runs: tuple[Run, ...]
    seeds: dict[str, tuple[int, str]]
    floor: int | Run


RUN = {"accuracy": 0.5, "kind": "long", "plateau": None}
STUDY = {"runs": [RUN, RUN | {"longer": 0.75}], "seeds": {"first": [3, "three"]}, "floor": RUN}


def test_nested_results_come_back_to_the_same_json():
    study = Study.from_json(STUDY)
    assert study.runs[1] == Run(0.5, "long", None, longer=0.75) and study.seeds == {"first": (3, "three")}
    assert plain(study) == STUDY
    assert plain(Study.from_json(STUDY | {"floor": 4})) == STUDY | {"floor": 4}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"accuracy": 0.5, "kind": "long"},
            "expected Run with accuracy, kind, plateau: it lacks plateau; make",
        ),
        (RUN | {"seed": 1}, "it also holds seed; make the result again: its record names the command"),
        (RUN | {"accuracy": 1}, "expected Run.accuracy to be float: got '1'"),
        (RUN | {"plateau": True}, "expected Run.plateau to be int: got 'True'"),
        (RUN | {"kind": "middle"}, r"expected Run.kind to be .*Literal.*: got 'middle'"),
        ([], "expected Run to be Run: got"),
    ],
)
def test_what_is_another_result_is_refused_in_one_line(content, message):
    with pytest.raises(UserError, match=message) as caught:
        Run.from_json(content)
    assert "\n" not in str(caught.value)


def test_an_error_says_where_in_the_result_it_is():
    with pytest.raises(UserError, match=r"expected Study.runs\.1\.accuracy to be float: got 'high'"):
        Study.from_json(STUDY | {"runs": [RUN, RUN | {"accuracy": "high"}]})
    with pytest.raises(UserError, match=r"expected Study.seeds.first to be .*: got '\[3\]'"):
        Study.from_json(STUDY | {"seeds": {"first": [3]}})


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_returns_the_type_by_which_its_result_is_read(name):
    module = importlib.import_module(f"sims.experiments.{name}")
    returned = inspect.signature(module.run).return_annotation
    assert issubclass(module.Values, Stored) and returned.__args__[0] is module.Values


def test_a_result_is_narrowed_to_what_it_extends():
    @dataclasses.dataclass(frozen=True)
    class Longer(Run):
        steps: int = dataclasses.field(kw_only=True)

    assert Longer(0.5, "long", None, steps=3).narrowed(Run) == Run(0.5, "long", None)
