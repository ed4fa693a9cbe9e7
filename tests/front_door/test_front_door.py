"""What a user meets first: help without a manual, one line per error, exit codes that mean something."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import paper_figs
import sptlab
from full_scale import stored as shipped
from sims.cli.command import duration
from sims.cli.names import dashed_name
from sims.runs import store
from sims.runs.store import UserError
from tests.front_door.command_line import complaint, raising

ROOT = Path(__file__).resolve().parents[2]


def test_sptlab_alone_says_what_to_do_first(front_door):
    code, out, err = front_door()
    assert code == 0
    assert err == ""
    assert "Start here:\n  sptlab reproduce" in out
    assert all(f"  sptlab {command}" in out for command in sptlab.COMMANDS)


@pytest.mark.parametrize("command", sptlab.COMMANDS)
def test_every_command_explains_itself(front_door, command):
    code, out, _ = front_door(command, "--help")
    assert code == 0
    assert all(flag in out for flag in ("--out", "--seed", "--quiet"))


@pytest.mark.parametrize("command", ["simulate", "train"])
def test_list_names_every_experiment_and_each_has_flags_for_its_settings(front_door, command):
    code, out, _ = front_door(command, "--list")
    assert code == 0
    for name, core in sptlab.experiments(command).items():
        line = rf"  {dashed_name(name)} +{duration(core.seconds)}  {re.escape(core.description)}"
        assert re.search(rf"^{line}$", out, re.MULTILINE)
        help_code, help_text, _ = front_door(command, dashed_name(name), "--help")
        assert help_code == 0
        assert all(flag in help_text for flag in ("--out", "--seed", "--quiet"))


def test_help_does_not_wait_for_jax():
    probe = "import sys, sptlab; sptlab.parse(['reproduce']); sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["reprodcue"], "unknown command reprodcue; did you mean reproduce?"),
        (["reproduce", "--quite"], "unknown option --quite; did you mean --quiet?"),
        (["reproduce", "--smoke"], "unknown option --smoke; did you mean --preset smoke?"),
        (["reproduce", "--sed=3"], "unknown option --sed; did you mean --seed?"),
        (
            ["reproduce", "--preset", "smok"],
            "--preset must be one of full, smoke: got smok; did you mean smoke?",
        ),
        (["reproduce", "--seed", "one"], "--seed must be a whole number: got one; for example --seed 0 (see"),
        (["reproduce", "now"], "expected options only: got now (see sptlab reproduce --help)"),
        (["reproduce", "-o", "x"], "unknown option -o; did you mean --out?"),
        (["--quiet", "verify"], "expected a command first: got --quiet; options follow it"),
        (["data", "prepar"], "expected one of list, prepare, check: got prepar; did you mean prepare?"),
        (["data", "prepare", "txt"], "unknown task txt; did you mean text?"),
        (["data", "prepare", "listops", "--number", "-4"], "--number must be at least 1: got -4"),
        (
            ["simulate", "pools", "--lengths", "4,8"],
            "--lengths must be whole numbers, separated by spaces: got 4,8;",
        ),
        (
            ["simulate", "pools", "--noise", "much"],
            "--noise must be a number: got much; for example --noise 0.5",
        ),
        (["train", "run", "--devices", "x"], "--devices must be a whole number or all: got x"),
        (["train", "run", "--steps", "1e3"], "--steps must be a whole number: got 1e3"),
        (
            ["train", "run", "--mask", "block"],
            "must be one of blocks, channels, positions: got block; did you mean",
        ),
        (["train", "run", "--task", "digit"], "unknown task digit; did you mean digits?"),
        (["verify", "--seeds"], "--seeds must be a whole number: got nothing"),
        (
            ["derive", "C8", "--figure", "c8.gif"],
            "ends in .pdf, .png, .svg for --figure: got c8.gif; try c8.pdf",
        ),
        (["derive", "C1", "C2", "--figure", "a.pdf"], "--figure draws one claim: got C1, C2; name one"),
        (["simulate", "blindnes"], "unknown simulation blindnes; did you mean blindness?"),
        (["simulate", "--lst"], "unknown simulation --lst; did you mean --list?"),
        (["train", "docs-oder"], "unknown task docs-oder; did you mean docs-order?"),
        (["figures", "learning-curve"], "did you mean learning-curves?"),
        (["derive", "C99"], "unknown claim C99; did you mean C9? (expected one of C1, C2, C3,"),
        (["derive", "C8", "--format", "pdf"], "--format must be one of text, latex, html: got pdf"),
        (["verify", "--claims", "C99"], "unknown claim C99; did you mean C9? (expected one of C1, C2, C3,"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_the_right_way(front_door, arguments, suggestion):
    assert suggestion in complaint(front_door(*arguments))


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["study", "paper", "--cifar", "nowhere"], "for --cifar: nowhere is not there"),
        (["study", "paper"], "task image: expected --cifar PATH or data/image.npz, found neither"),
        (["study", "validation", "--files.mnist", "nowhere"], "for --files.mnist: nowhere is not there"),
        (["train", "run", "--task", "image", "--data", "nowhere"], "for --data: nowhere is not there"),
        (["simulate", "pools", "--sweep", "."], "expected a TOML file for --sweep: . is a folder"),
    ],
)
def test_a_file_that_is_not_there_is_told_before_any_cost(
    front_door, tmp_path, monkeypatch, arguments, answer
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sptlab, "parse", lambda _: pytest.fail("it went on"))
    assert answer in complaint(front_door(*arguments))


def test_a_folder_that_may_not_be_written_is_told_at_once(front_door, tmp_path, monkeypatch):
    monkeypatch.setattr("sims.cli.command.os.access", lambda *_: False)
    line = complaint(front_door("simulate", "pools", "--out", tmp_path / "new"))
    assert f"expected a folder to write to for --out: {tmp_path} is read-only" in line


def test_a_folder_without_texts_is_told_before_jax_is_loaded(front_door, tmp_path, monkeypatch):
    monkeypatch.setattr(sptlab, "parse", lambda _: pytest.fail("it went on"))
    assert "expected texts as <class>/*.txt, got none" in complaint(front_door("diagnose", tmp_path))


def test_a_missing_result_names_the_command_that_makes_it(front_door, tmp_path):
    line = complaint(front_door("figures", "escape", "--out", str(tmp_path / "nowhere")))
    assert "sptlab simulate escape" in line and "reproduce" not in line


def test_figures_without_names_are_those_whose_results_are_stored(front_door, tmp_path, monkeypatch):
    result = store.Result("escape", {"n": 1}, {}, {"command": "sptlab simulate escape"})
    store.save(tmp_path / "results", result)
    drawn = []
    monkeypatch.setattr(paper_figs, "write_figures", lambda results, folder, names, **_: drawn.extend(names))
    monkeypatch.setattr(shipped, "STORED", tmp_path / "nothing shipped")
    code, _, err = front_door("figures", "--out", str(tmp_path), "--quiet")
    assert (code, err, drawn) == (0, "", ["escape"])
    assert (tmp_path / "figures" / "numbers.tex").read_text().startswith("% Numbers")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("heads must divide width"), "sptlab: heads must divide width\n"),
        (
            OSError(28, "No space left on device", "x/y"),
            "sptlab: x/y: No space left on device; free the space or choose another --out\n",
        ),
        (PermissionError(13, "Permission denied", "x/y"), "sptlab: x/y: Permission denied\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line(front_door, monkeypatch, error, line):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(error))
    assert complaint(front_door("compare")) == line


def test_a_fault_of_ours_keeps_its_traceback(front_door, monkeypatch):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        front_door("compare")
