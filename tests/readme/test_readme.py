"""The READMEs promise nothing that is not so: their commands run, their files and examples exist and work."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import sptlab
from theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("theory", "sims", "full_scale", "paper_figs")
FRONT = ROOT / "README.md"
READMES = [FRONT, *sorted(path for room in ROOMS for path in (ROOT / room).rglob("README.md"))]
README = "\n".join(path.read_text() for path in READMES)
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


def test_every_claim_stands_beside_the_literature():
    beside = (ROOT / "theory" / "README.md").read_text().partition("## Beside the literature")[2]
    assert re.findall(r"^\| (C\d+) \w", beside, re.MULTILINE) == list(CLAIMS)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_readme_links_to_exists(readme):
    linked = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", readme.read_text())
    assert linked or readme != FRONT
    assert not [path for path in linked if not (readme.parent / path).exists()]


@pytest.mark.parametrize("readme", READMES[1:], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_folder_that_a_readme_lists_exists(readme):
    listed = re.findall(r"^\| `([\w.]+/?)` \|", readme.read_text(), re.MULTILINE)
    folders = [name for name in listed if name.endswith("/")]
    assert not [name for name in folders if not (readme.parent / name).is_dir()]


def test_the_readmes_of_the_folders_are_found_and_list_folders():
    assert {path.parent.name for path in READMES[1:]} >= {
        *ROOMS,
        "sweeps",
        "studies",
        "data",
        "diagnosis",
        "probes",
    }
    listed = [re.findall(r"^\| `\w+/` \|", path.read_text(), re.MULTILINE) for path in READMES[1:]]
    assert sum(map(len, listed)) > 25


def test_the_front_page_is_read_in_two_minutes():
    assert len(FRONT.read_text().splitlines()) < 160


def test_every_room_of_the_readme_exists():
    chapter = FRONT.read_text().partition("## The rooms")[2].partition("\n## ")[0]
    rooms = re.findall(r"^\| \[?`([\w./]+)`", chapter, re.MULTILINE)
    assert {"theory/", "sims/", "full_scale/", "paper_figs/", "sptlab.py", "tests/"} <= set(rooms)
    assert all((ROOT / room).exists() for room in rooms)
