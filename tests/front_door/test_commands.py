"""What single commands answer: claims and tasks by name, studies, verdicts, and a clone without results."""

import dataclasses
import json

import pytest

import paper_figs
import sptlab
from full_scale.cli.study import FORMER
from full_scale.studies import cached_training
from paper_figs.cli.derive import derivation_labels
from sims.cli.command import Command, ExperimentCommand
from sims.runs import store, verification
from tests.front_door.command_line import complaint
from tests.paper_figs.example_results import blindness
from tests.stored_examples import completed
from theory.claims.checks.tolerances import EXACT_FLOAT64, EXACT_SYMBOLIC, STANDARD_ERRORS


@pytest.mark.parametrize(
    ("arguments", "labels"),
    [
        (("C3",), ("C3",)),
        (("c3", "C1, c9"), ("C3", "C1", "C9")),
        (("--claims", "c3"), ("C3",)),
        (("C3", "--claims", "C1,C2"), ("C3", "C1", "C2")),
        ((), ()),
    ],
)
def test_claims_are_named_in_any_way_that_people_type(arguments, labels):
    assert sptlab.parse(["verify", *arguments]).chosen == labels


def test_derive_takes_claims_in_small_letters():
    assert derivation_labels(("c8, C2",), False) == ["C8", "C2"]


@pytest.mark.parametrize(
    ("kind", "tolerance", "unit"),
    [
        ("symbolic", EXACT_SYMBOLIC, "terms not 0"),
        ("autodiff", EXACT_FLOAT64, "relative error"),
        ("simulation", STANDARD_ERRORS, "standard errors"),
        ("counterexample", STANDARD_ERRORS, "standard errors"),
        ("autodiff", EXACT_SYMBOLIC, "difference"),
    ],
)
def test_a_line_of_verify_says_what_its_numbers_count(kind, tolerance, unit):
    check = verification.CheckResult(kind, "n", True, 0.538, tolerance)
    verdict = verification.ClaimResult("C1", "t", "", "", "", "", True, (check,))
    assert f"{tolerance:.2e} {unit}" in verification.lines([verdict])[0]


def test_compare_takes_a_task_by_position_and_refuses_a_layer_that_is_not_stored(
    front_door, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, out, err = front_door("compare", "digits")
    assert code == 0
    assert out == front_door("compare", "--task", "digits")[1]
    assert "digits, 1 layer" in out and "docs-order, 1 layer" not in out
    assert "no results in report yet" in err and "sptlab reproduce" in err
    assert "unknown layer 99 (" in complaint(front_door("compare", "--layer", "99", "--quiet"))
    assert "unknown task digit; did you mean digits?" in complaint(front_door("compare", "digit", "--quiet"))
    assert list(tmp_path.iterdir()) == []


def test_figures_in_a_fresh_clone_are_those_of_the_stored_studies(front_door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = []
    monkeypatch.setattr(paper_figs, "write_figures", lambda results, folder, names, **_: drawn.extend(names))
    code, out, err = front_door("figures")
    assert code == 0
    assert {"arm_accuracies", "shares", "value_sign", "validation"} <= set(drawn)
    assert "no results in report yet" in err and "cpu_study" in err
    assert "arm-accuracies" in out


def test_the_list_of_studies_says_what_each_answers_its_cost_and_where_its_result_lies(front_door):
    code, out, _ = front_door("study", "--list")
    assert code == 0
    for name, core in sptlab.experiments("study").items():
        assert f"  {name.replace('_', '-')}\n      {core.description}\n      about " in out
    assert "stored result: full_scale/stored/cpu_study.json" in out
    assert set(FORMER.values()) < set(sptlab.experiments("study"))


@pytest.mark.parametrize(("study", "name"), [("tuning", "study"), ("ablations", "cpu_study")])
def test_a_study_is_stored_under_the_name_that_the_repository_keeps(
    front_door, tmp_path, monkeypatch, study, name
):
    asked = []

    def trained(session, stored, core, config, report):
        asked.append((session.command, stored, config))
        return store.Result(stored, {"depths": {}, "tasks": {}}, {}, {})

    monkeypatch.setattr(cached_training, "trained", trained)
    code, _, _ = front_door("study", study, "--preset", "smoke", "--json", "--out", tmp_path)
    smoke = sptlab.experiments("study")[study].Config.smoke()
    assert (code, asked) == (0, [(f"sptlab study {study} --seed 0 --preset smoke", name, smoke)])


def test_the_validation_of_the_diagnosis_is_a_study(front_door, tmp_path, monkeypatch):
    from full_scale.studies.validation import agreement
    from full_scale.studies.validation import predicted_and_measured as validation

    asked = []

    def run(config, folder, *, seed, command, report):
        asked.append((config.before, config.training.seeds, folder, seed, command))
        values = completed(agreement.Values, {"missing": {"imdb-order": "no reviews"}})
        return store.Result("validation", values, {}, {})

    monkeypatch.setattr(validation, "run", run)
    first = tmp_path / "first.json"
    first.write_text("{}")
    arguments = ("--before", first, "--training.seeds", "4", "--seed", "2", "--out", tmp_path)
    code, out, _ = front_door("study", "validation", *arguments)
    assert asked == [(first, 4, tmp_path / "validation", 2, "sptlab study validation --seed 2")]
    assert code == 0 and "\nmissing imdb-order: no reviews\n" in out


def test_simulate_says_what_was_found_and_where_it_lies_and_json_on_request(
    front_door, tmp_path, monkeypatch
):
    result = blindness()
    monkeypatch.setattr(ExperimentCommand, "stage", lambda command, report: result)
    code, out, _ = front_door("simulate", "blindness", "--out", tmp_path, "--quiet")
    assert code == 0
    assert "largest relative distance from the prediction" in " ".join(out.split())
    assert f"stored in {tmp_path / 'results' / 'blindness.json'}" in out
    assert "figure: sptlab figures visible-share" in out and f"--out {tmp_path}" in out
    assert len(out.splitlines()) < 25
    _, out, _ = front_door("simulate", "blindness", "--json", "--out", tmp_path, "--quiet")
    assert json.loads(out) == json.loads(json.dumps(result.values))


def test_a_result_of_other_settings_is_not_replaced_without_a_word(front_door, tmp_path, monkeypatch):
    made = lambda length: dataclasses.replace(blindness(), record={"config_hash": str(length)})

    def computed(command, report):
        store.save(command.results, result := made(command.config.length))
        return result

    monkeypatch.setattr(ExperimentCommand, "stage", computed)
    simulated = lambda length: front_door("simulate", "blindness", "--length", length, "--out", tmp_path)[2]
    assert "replaces" not in simulated("5") + simulated("5")
    (line,) = [line for line in simulated("6").splitlines() if "replaces" in line]
    assert "another --out keeps both" in line


def test_the_help_of_every_setting_says_what_it_is():
    kinds = [
        each.Config for command in sptlab.REGISTRIES for each in sptlab.read_from_source(command).values()
    ]
    texts = [text for kind in kinds for text in helps(kind)]
    assert len(texts) > 100
    assert not [text for text in texts if text.startswith(("Of ", "That ", "How they"))]
    assert Command.__dataclass_fields__["seed"].default == 0


def helps(kind: type) -> list[str]:
    """The help texts of a dataclass of settings and of those inside it; one without text fails."""
    found: list[str] = []
    for field in dataclasses.fields(kind):
        inner = getattr(field.type, "__origin__", field.type)
        if dataclasses.is_dataclass(inner):
            found += helps(inner)
        else:
            assert hasattr(field.type, "__metadata__"), f"{kind.__name__}.{field.name} has no help"
            found.append(field.type.__metadata__[0].help)
    return found
