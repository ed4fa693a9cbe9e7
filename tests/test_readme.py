"""The README promises nothing that is not so: its commands run, its numbers are those of stored results."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import sptlab
from theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
STUDY = ROOT / "full_scale" / "stored" / "study.json"


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


COMMANDS = [line.split("#")[0].strip() for block in blocks(README, "sh") for line in block.splitlines()]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_every_make_command_of_the_readme_has_a_target(command):
    assert subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("sptlab")])
def test_every_command_of_the_readme_is_understood(command):
    arguments = shlex.split(command)[1:]
    if "--list" in arguments:
        with pytest.raises(SystemExit, match="0"):
            sptlab.parse(arguments)
    else:
        sptlab.parse(arguments)


def test_the_readme_has_no_other_kind_of_command():
    assert {line.split()[0] for line in COMMANDS} == {"make", "sptlab"}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make (\w+)", README + CONTRIBUTING))))
def test_every_make_target_that_is_named_exists(target):
    assert subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize("block", blocks(README, "python"))
def test_every_python_example_of_the_readme_runs(block):
    exec(compile(block, "README.md", "exec"), {})


def test_the_readme_lists_exactly_the_claims_of_the_registry():
    assert re.findall(r"^\| (C\d+) \|", README, re.MULTILINE) == list(CLAIMS)


def test_every_file_that_the_readme_links_to_exists():
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert linked
    assert all((ROOT / path).exists() for path in linked)


def test_every_room_of_the_readme_exists():
    chapter = README.partition("## The rooms")[2].partition("\n## ")[0]
    rooms = re.findall(r"^\| `([\w./]+)` \|", chapter, re.MULTILINE)
    assert {"theory/", "sims/", "full_scale/", "paper_figs/", "sptlab.py", "tests/"} <= set(rooms)
    assert all((ROOT / room).exists() for room in rooms)
