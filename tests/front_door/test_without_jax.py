"""What needs no computing is answered before JAX is loaded: help, lists, and mistakes that a look can see."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

import pytest

import sptlab
from sims.cli import declarations

ROOT = Path(__file__).resolve().parents[2]
LOOKS = (
    (),
    ("--help",),
    ("--version",),
    ("help",),
    ("help", "verify"),
    ("help", "simulate"),
    ("simulate", "--list"),
    ("train", "--list"),
    ("derive", "--list"),
    ("verify", "--list"),
    ("figures", "--list"),
    ("study", "--list"),
    ("simulate", "blindness", "--help"),
    ("train", "docs-order", "--help"),
    ("train", "run", "--help"),
    ("study", "ablations", "--help"),
    ("diagnose", "--help"),
    ("compare", "--help"),
)
MISTAKES = {
    ("verify", "--claims", "C99"): "unknown claim C99",
    ("verify", "C3", "--json", "tests"): "expected a file for --json: tests is a folder",
    ("verify", "C3", "--out", "README.md"): "expected a folder for --out: README.md is a file",
    ("derive", "C99"): "unknown claim C99",
    ("derive", "C8", "--out", "tests"): "expected a file for --out: tests is a folder; name a file in it",
    ("figures", "nosuch"): "unknown figure nosuch",
    ("figures", "--out", "nowhere"): "expected results in nowhere",
    ("simulate", "blindnes"): "did you mean blindness?",
    (
        "simulate",
        "blindness",
        "--lenth",
        "3",
    ): "did you mean --length? (see sptlab simulate blindness --help)",
    ("simulate", "blindness", "--length", "three"): "--length",
    ("simulate", "blindness", "--length", "1"): "length must be at least 3: got 1",
    ("simulate", "blindness", "--out", "README.md"): "expected a folder for --out: README.md is a file",
    ("simulate", "blindness", "--out", ""): "expected a value for --out: got an empty one",
    ("simulate", "blindness", "--out="): "expected a value for --out: got an empty one",
    ("simulate", "blindness", "--seed", "9" * 20): "--seed must be a number of 64 bits",
    ("simulate", "blindness", "--sweep", "nosuch.toml"): "for --sweep: nosuch.toml is not there",
    ("train", "docs-oder"): "did you mean docs-order?",
    ("train", "docs-order", "--seeds", "0"): "seeds must be at least 1",
    ("train", "run", "--grid", "nosuch"): "--grid",
    ("train", "cpu-study", "--seeds", "3"): "sptlab train cpu-study is now: sptlab study ablations",
    ("train", "gpu_study"): "sptlab train gpu_study is now: sptlab study ablations-gpu",
    ("train", "value-sign"): "sptlab train value-sign is now: sptlab study value-sign",
    ("study",): "sptlab study tuning",
    ("study", "--out", "runs"): "sptlab study tuning",
    ("study", "tunin"): "unknown study tunin; did you mean tuning?",
    ("study", "tuning", "--layer", "1"): "did you mean --layers?",
    ("diagnose",): "name your data",
    ("diagnose", "nosuch.csv"): "got nosuch.csv, which is none",
    ("diagnose", "docs-order", "--fit", "8"): "did you mean --fits?",
    ("diagnose", "docs-order", "--width", "8"): "did you mean --model.width?",
    ("diagnose", "docs-order", "--model.heads", "5"): "heads must divide width",
    ("diagnose", "--validate", "full"): "sptlab diagnose --validate is now: sptlab study validation",
    ("compare", "--out", "nowhere"): "expected results in nowhere",
    ("compare", "digits", "--task", "docs-order"): "expected one task",
}
PROBE = """
import contextlib, io, json, sys, sptlab
answers = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = sptlab.main(arguments)
        except SystemExit as stop:
            code = stop.code or 0
    heavy = [name for name in ("jax", "numpy", "sympy") if name in sys.modules]
    answers.append((code, out.getvalue(), err.getvalue(), heavy))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, ...], tuple[int, str, str, list[str]]]:
    """Exit code, stdout, stderr and heavy imports after each command line, all in one fresh process."""
    asked = [*LOOKS, *MISTAKES]
    command = [sys.executable, "-c", PROBE, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return dict(zip(asked, map(tuple, json.loads(done.stdout)), strict=True))


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_help_and_lists_do_not_wait_for_jax(answers, arguments):
    code, out, err, heavy = answers[arguments]
    assert (code, err, heavy) == (0, "", [])
    assert out


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_answered_in_one_line_before_jax_is_loaded(answers, arguments):
    code, out, err, heavy = answers[arguments]
    assert MISTAKES[arguments] in err
    assert (code, out, err.count("\n"), heavy) == (2, "", 1, [])
    assert len(err) < 1200


def test_a_look_at_what_is_not_there_makes_no_folder(answers):
    assert answers["compare", "--out", "nowhere"][0] == 2
    assert not (ROOT / "nowhere").exists()


@pytest.mark.parametrize("command", ["simulate", "train", "study"])
def test_what_is_read_from_the_source_is_what_the_modules_declare(command):
    read, loaded = sptlab.read_from_source(command), sptlab.experiments(command)
    assert list(read) == list(loaded)
    for name, core in loaded.items():
        assert (read[name].description, read[name].seconds) == (core.description, core.seconds)
        assert dataclasses.asdict(read[name].Config()) == dataclasses.asdict(core.Config())
        assert flag_types(read[name].Config) == flag_types(core.Config)


def flag_types(kind: object) -> object:
    """The types that a command line reads, by the names of its flags, whichever class holds them; no help."""
    if get_origin(kind) is Annotated:
        return flag_types(get_args(kind)[0])
    if dataclasses.is_dataclass(kind):
        return {field.name: flag_types(field.type) for field in dataclasses.fields(kind)}
    return (get_origin(kind), *map(flag_types, get_args(kind))) if get_args(kind) else kind


def test_a_flag_of_another_type_is_noticed_also_inside_of_a_group():
    group = lambda kind: dataclasses.make_dataclass("Group", [("depth", kind)])
    outer = lambda kind: dataclasses.make_dataclass(
        "Outer", [("group", Annotated[group(kind) | None, "help"])]
    )
    assert flag_types(outer(int)) == flag_types(outer(int))
    assert flag_types(outer(int)) != flag_types(outer(float))
    assert flag_types(outer(Literal["a", "b"])) != flag_types(outer(Literal["a"]))


def test_names_read_from_the_source_are_those_of_the_registries():
    from full_scale.tasks import TASKS
    from paper_figs import EXPERIMENT_FIGURES, FIGURES
    from theory.claims import CLAIMS

    assert declarations.claims() == {label: claim.title for label, claim in CLAIMS.items()}
    assert declarations.tasks() == list(TASKS)
    assert declarations.figures() == [*FIGURES, *EXPERIMENT_FIGURES]


def test_a_mistake_in_a_file_is_answered_before_jax_is_loaded(tmp_path):
    (tmp_path / "mine.csv").write_text("text,label\na,x\nb,c,y\n")
    asked = json.dumps([["diagnose", str(tmp_path / "mine.csv")]])
    done = subprocess.run(
        [sys.executable, "-c", PROBE, asked], capture_output=True, text=True, cwd=ROOT, check=True
    )
    ((code, _, err, heavy),) = json.loads(done.stdout)
    assert (code, heavy) == (2, ["numpy"])
    assert "expected 2 fields divided by comma in line 3, got 3" in err
