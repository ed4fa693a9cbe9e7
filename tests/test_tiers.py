"""What each tier of the tests holds, and that nothing is left out without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiers

ROOT = Path(__file__).resolve().parent.parent
MARKED = """
import pytest

def test_quick():
    pass

@pytest.mark.heavy
@pytest.mark.parametrize("each", range(3))
def test_heavy(each):
    pass

@pytest.mark.slow
def test_slow():
    pass

@pytest.mark.heavy
@pytest.mark.timeout(7)
def test_with_a_limit_of_its_own():
    pass

@pytest.fixture
def limits(request):
    marks = {item.name: item.get_closest_marker("timeout") for item in request.session.items}
    return {name: mark and mark.args[0] for name, mark in marks.items()}

@pytest.mark.heavy
def test_limits(limits):
    assert limits["test_heavy[0]"] == 3600 and limits["test_with_a_limit_of_its_own"] == 7
    assert limits["test_quick"] is None
"""
CONFIG = """
[pytest]
addopts = -p tests.tiers -p no:cacheprovider -m "not slow and not heavy"
markers =
    heavy: x
    slow: x
"""


@pytest.fixture
def marked(tmp_path):
    """Run pytest on one test of each tier: what it prints."""
    (tmp_path / "pytest.ini").write_text(CONFIG)
    (tmp_path / "test_marked.py").write_text(MARKED)

    def run(*options):
        environment = os.environ | {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"
        }  # other plugins take seconds to load
        plugins = ["-p", "pytest_timeout", "-p", "xdist"]
        command = [
            sys.executable,
            "-m",
            "pytest",
            *plugins,
            "--rootdir",
            str(tmp_path),
            *options,
            str(tmp_path),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "loadfile")])
def test_the_last_lines_say_how_many_tests_were_left_out_where_and_what_runs_them(marked, options):
    said = marked(*options)
    assert "1 passed" in said
    assert "left out: 5 heavy tests; `make test-all` runs them, and .ci/run\n     5 test_marked.py" in said
    assert "left out: 1 slow tests; `make slow` runs them\n     1 test_marked.py" in said


def test_with_the_heavy_ones_only_the_slow_ones_are_left_out_and_limits_are_wide(marked):
    said = marked("-m", "not slow")
    assert "6 passed" in said and "left out: 1 slow tests" in said and "heavy tests" not in said


def test_a_choice_by_name_leaves_nothing_out(marked):
    assert "left out" not in marked("-k", "quick")


def test_the_commands_named_run_the_tiers_named():
    rules = (ROOT / "Makefile").read_text().split("\n\n")
    recipe = {name: next(rule for rule in rules if f"\n{name}: $(STAMP)" in f"\n{rule}") for name in NAMED}
    assert "-m 'not slow'" in recipe["test-all"] and "-m slow" in recipe["slow"]
    assert " -m " not in recipe["test"].split("pytest", 1)[1]  # pyproject's choice
    assert '"$fresh" test-all' in (ROOT / ".ci" / "run").read_text()
    assert all(f"make {name}" in tiers.COMMANDS[tier] for name, tier in NAMED.items() if tier)


NAMED = {"test": None, "test-all": "heavy", "slow": "slow"}
