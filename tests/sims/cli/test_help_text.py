"""Help is set as a terminal shows it: own options first, each with one default, nothing of tyro's notation."""

import dataclasses
import re
from pathlib import Path
from typing import Literal

import pytest

import sptlab
from sims.cli.command import ExperimentCommand, Storing
from sims.cli.flags import parse_command
from sims.cli.help_text import readable


@dataclasses.dataclass(frozen=True)
class Example(Storing):
    """does an example

    Second paragraph.
    """

    sizes: tuple[int, ...] = (1, 2)
    """Sizes L."""
    path: Path | None = None
    """File to read; default: the stored one."""
    kind: Literal["a", "b"] | None = None
    """Kind; default: a."""
    bias: bool = True
    """Bias of the layer; the flag leaves it out."""
    fast: bool = False
    """Be fast."""


def help_of(command, capsys, monkeypatch, width=80):
    """What --help prints in a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        parse_command(command, "sptlab example", ["--help"])
    return capsys.readouterr().out


def test_help_names_each_option_with_its_values_and_one_default(capsys, monkeypatch):
    text = help_of(Example, capsys, monkeypatch)
    assert text.startswith("usage: sptlab example")
    assert "\n\nDoes an example.\n\nSecond paragraph.\n\noptions:\n" in text
    assert "  --sizes INT ...         Sizes L. (default: 1 2)\n" in text
    assert "  --path PATH             File to read; default: the stored one.\n" in text
    assert "  --kind {a,b}            Kind; default: a.\n" in text
    assert "  --no-bias               Turns off: bias of the layer.\n" in text
    assert "  --fast                  Be fast.\n" in text


def test_own_options_come_before_those_of_every_command(capsys, monkeypatch):
    own, common = help_of(Example, capsys, monkeypatch).split("options of every command:")
    assert "--sizes" in own and "--seed" not in own
    assert re.findall(r"^  (?:-h, )?(--\w+)", common, re.MULTILINE) == [
        "--help",
        "--seed",
        "--quiet",
        "--out",
    ]


@pytest.mark.parametrize("name", ["simulate", "train", "study"])
def test_the_settings_of_an_experiment_come_first_and_no_line_is_too_long(name, capsys, monkeypatch):
    chosen, core = next(iter(sptlab.declared(name).items()))
    command = sptlab.experiment_command(name, chosen, core)
    assert issubclass(command, ExperimentCommand)
    setting = next(iter(dataclasses.fields(core.Config))).name.replace("_", "-")
    for width in (80, 120):
        text = help_of(command, capsys, monkeypatch, width)
        assert text.split("options:\n")[1].startswith(f"  --{setting} ")
        assert max(map(len, text.splitlines())) <= min(width, 100)
        assert "None" not in text and "│" not in text and "(default: )" not in text


def test_help_without_boxes_stays_as_it_was_drawn():
    assert readable("usage: other [-h]\n\nDoes it.", Example) == "usage: other [-h]\n\nDoes it."
