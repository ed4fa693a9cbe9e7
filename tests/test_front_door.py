"""What a user meets first: help without a manual, one line per error, exit codes that mean something."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import paper_figs
import sptlab
from full_scale.comparison import shipped
from sims import store
from sims.store import UserError

ROOT = Path(__file__).resolve().parent.parent
PLAIN_COMMANDS = ("reproduce", "verify", "compare", "figures")


@pytest.fixture(autouse=True)
def keep_this_process_as_it_is(monkeypatch):
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)


@pytest.fixture
def run(capsys):
    """Run one command line in this process: exit code, stdout, stderr."""

    def run(*arguments):
        try:
            code = sptlab.main(list(arguments))
        except SystemExit as stop:
            code = stop.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def complaint(outcome) -> str:
    """The one line of an error with exit code 2."""
    code, out, err = outcome
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("sptlab: ")
    return err


def test_sptlab_alone_says_what_to_do_first(run):
    code, out, err = run()
    assert code == 0
    assert err == ""
    assert "Start here:\n  sptlab reproduce" in out
    assert all(f"  sptlab {command}" in out for command in sptlab.COMMANDS)


@pytest.mark.parametrize("command", sptlab.COMMANDS)
def test_every_command_explains_itself(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert all(flag in out for flag in ("--out", "--seed", "--quiet"))


@pytest.mark.parametrize("command", ["simulate", "train"])
def test_list_names_every_experiment_and_each_has_flags_for_its_settings(run, command):
    code, out, _ = run(command, "--list")
    assert code == 0
    for name, core in sptlab.experiments(command).items():
        line = rf"  {sptlab.shown(name)} +{sptlab.duration(core.seconds)}  {re.escape(core.description)}"
        assert re.search(rf"^{line}$", out, re.MULTILINE)
        help_code, help_text, _ = run(command, sptlab.shown(name), "--help")
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
        (["reproduce", "--sed=3"], "unknown option --sed; did you mean --seed?"),
        (
            ["reproduce", "--preset", "smok"],
            "'smok' for argument '--preset'. Expected one of ('full', 'smoke')",
        ),
        (["reproduce", "--seed", "one"], "--seed: invalid literal for int() with base 10: 'one'"),
        (["reproduce", "now"], "Unrecognized options: now (see sptlab reproduce --help)"),
        (["simulate", "blindnes"], "unknown simulation blindnes; did you mean blindness?"),
        (["simulate", "--lst"], "unknown simulation --lst; did you mean --list?"),
        (["train", "docs-oder"], "unknown task docs-oder; did you mean docs-order?"),
        (["figures", "learning-curve"], "did you mean learning-curves?"),
        (["derive", "C99"], "unknown claim C99; did you mean C9? (expected one of C1, C2, C3,"),
        (["derive", "C8", "--format", "pdf"], "Expected one of ('text', 'latex', 'html')"),
        (["verify", "--claims", "C99"], "unknown claim C99; did you mean C9? (expected one of C1, C2, C3,"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_the_right_way(run, arguments, suggestion):
    assert suggestion in complaint(run(*arguments))


def test_verify_prints_a_line_per_check_and_the_json_says_the_same(run, tmp_path):
    code, out, err = run("verify", "--claims", "C1", "C3", "--json", str(tmp_path / "claims.json"), "--quiet")
    verdicts = json.loads((tmp_path / "claims.json").read_text())
    assert code == 0
    assert err == ""
    assert [verdict["claim"] for verdict in verdicts] == ["C1", "C3"]
    checks = [check for verdict in verdicts for check in verdict["checks"]]
    assert len(out.splitlines()) == len(checks) + len(verdicts) + 1
    assert all(check["name"] in out and check["kind"] in out for check in checks)
    assert set(verdicts[0]) >= {"claim", "statement", "regime", "passed", "checks"}
    assert {"counterexample", "autodiff"} <= {check["kind"] for check in checks}
    assert out.endswith("2 of 2 claims hold\n")


def test_names_may_be_joined_by_commas():
    assert (
        sptlab.claims_config(("C1,C3",)).labels == sptlab.claims_config(("C1", "C3")).labels == ("C1", "C3")
    )
    assert sptlab.derivation_labels(("C8,", "C2"), False) == ["C8", "C2"]
    with pytest.raises(sptlab.UsageError, match="unknown claim C99; did you mean C9"):
        sptlab.claims_config(("C1,C99",))


def test_a_missing_result_names_the_command_that_makes_it(run, tmp_path):
    line = complaint(run("figures", "escape", "--out", str(tmp_path / "nowhere")))
    assert "sptlab simulate escape" in line and "reproduce" not in line


def test_figures_without_names_are_those_whose_results_are_stored(run, tmp_path, monkeypatch):
    result = store.Result("escape", {"n": 1}, {}, {"command": "sptlab simulate escape"})
    store.save(tmp_path / "results", result)
    drawn = []
    monkeypatch.setattr(
        paper_figs, "write_figures", lambda results, folder, names, report, venue: drawn.extend(names)
    )
    monkeypatch.setattr(shipped, "STORED", tmp_path / "nothing shipped")
    code, _, err = run("figures", "--out", str(tmp_path), "--quiet")
    assert (code, err, drawn) == (0, "", ["escape"])
    assert (tmp_path / "figures" / "numbers.tex").read_text().startswith("% Numbers")


def test_a_claim_that_fails_is_exit_1(run, monkeypatch):
    verdict = {"claim": "C1", "title": "t", "passed": False}
    check = {"kind": "autodiff", "name": "n", "passed": False, "residual": 1.0, "tolerance": 0.1}
    monkeypatch.setattr(
        sptlab, "verified", lambda *_, **__: ({"claims": [{**verdict, "checks": [check]}]}, {})
    )
    code, out, _ = run("verify", "--claims", "C1")
    assert code == 1
    assert "FAIL autodiff" in out
    assert "C1   FAILS: t" in out
    assert out.endswith("0 of 1 claims hold\n")


def test_verify_stores_the_verdicts_with_their_provenance(run, tmp_path):
    code, _, _ = run("verify", "--claims", "C3", "--out", str(tmp_path), "--quiet", "--seed", "5")
    stored = json.loads((tmp_path / "results" / "claims.json").read_text())
    assert code == 0
    assert stored["record"]["command"] == "sptlab verify --seed 5"
    assert stored["record"]["config"] == {"labels": ["C3"]}


def test_derive_shows_each_step_with_what_checked_it(run):
    code, out, err = run("derive", "C8", "--quiet")
    assert code == 0
    assert err == ""
    assert out.startswith("C8  Masked loss, closed form\n")
    assert "    = C_ii/2 - v sum_k B_ik C_ik + (v^2/2) sum_k sum_j B_ij B_ik C_kj\n" in out
    assert out.count("[checked: symbolic L]") == 3


@pytest.mark.parametrize(("form", "opening"), [("latex", "\\providecommand"), ("html", "<!doctype html>")])
def test_derive_writes_what_a_paper_or_a_browser_reads(run, tmp_path, form, opening):
    path = tmp_path / "derivation"
    code, out, _ = run("derive", "C2", "C10", "--format", form, "--out", str(path), "--quiet")
    assert (code, out) == (0, f"written to {path}\n")
    assert path.read_text().startswith(opening)


def test_derive_wants_a_claim(run):
    assert "name a claim, for example `sptlab derive C8`, or --all (C1, C2," in complaint(run("derive"))


def test_a_step_that_does_not_hold_is_exit_1(run, monkeypatch):
    from theory.derivations import DERIVATIONS, Derivation

    monkeypatch.setattr(Derivation, "check", lambda derivation: (False,) * (len(derivation.steps) - 1))
    code, out, _ = run("derive", "C2", "--quiet")
    assert code == 1
    assert out.count("NOT SHOWN EQUAL") == len(DERIVATIONS["C2"].steps) - 1


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
def test_what_a_user_can_mend_is_one_line(run, monkeypatch, error, line):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(error))
    assert complaint(run("compare")) == line


def test_a_fault_of_ours_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run("compare")


def test_ctrl_c_is_one_line_and_says_that_the_run_goes_on(run, monkeypatch):
    monkeypatch.setattr(sptlab.Compare, "__call__", raising(KeyboardInterrupt()))
    code, out, err = run("compare")
    assert (code, out) == (130, "")
    assert err == "sptlab: interrupted; the same command goes on where this one stopped\n"


def test_ctrl_c_that_a_library_swallows_ends_the_run_at_its_next_report(run, monkeypatch):
    def swallow(_):
        with sptlab.progress("compare", quiet=True) as report:
            with contextlib.suppress(KeyboardInterrupt):  # as a bare `except` around an import does
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            report(1, 2)
        return 0

    monkeypatch.setattr(sptlab.Compare, "__call__", swallow)
    monkeypatch.setattr(sptlab, "INTERRUPTED", threading.Event())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run("compare")[0] == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_inside_the_garbage_collector_is_sent_again(run, monkeypatch):
    class Collected:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    def collect(_):
        Collected()
        time.sleep(5)
        return 0

    monkeypatch.setattr(sptlab.Compare, "__call__", collect)
    monkeypatch.setattr(sptlab, "INTERRUPTED", threading.Event())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, _, err = run("compare")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, err) == (130, "sptlab: interrupted; the same command goes on where this one stopped\n")


def raising(error: BaseException):
    def call(_):
        raise error

    return call


def test_progress_tells_the_time_left_on_stderr_only(capsys):
    with sptlab.progress("reproduce", quiet=False) as report:
        for done in range(11):
            report(done, 10, "docs_order")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "reproduce docs_order  50%, about 0 s left" in printed.err


def test_quiet_shows_no_progress(capsys):
    with sptlab.progress("reproduce", quiet=True) as report:
        report(1, 2, "docs_order")
    assert capsys.readouterr() == ("", "")


def test_stage_keys_differ_by_stage_and_seed_and_repeat():
    import jax

    data = [jax.random.key_data(sptlab.stage_key(*pair)).tolist() for pair in (("a", 0), ("b", 0), ("a", 1))]
    assert len({str(row) for row in data}) == 3
    assert data[0] == jax.random.key_data(sptlab.stage_key("a", 0)).tolist()


def test_the_smoke_preset_changes_fields_that_exist():
    full, smoke = sptlab.stage_configs("full"), sptlab.stage_configs("smoke")
    assert list(full) == list(smoke)
    assert all(full[name] != smoke[name] for name in (*sptlab.TOYS, *sptlab.TRAININGS))
