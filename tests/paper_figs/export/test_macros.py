"""Numbers in a paper are the stored ones: every macro is its value, and LaTeX reads the file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from paper_figs import write_numbers
from paper_figs.export import macros
from paper_figs.export.tex import latex
from paper_figs.style.numbers import estimate
from sims.runs.store import Result
from sims.statistics.intervals import Interval
from tests.paper_figs.example_studies import cpu_study

DEFINED = re.compile(r"\\newcommand\{\\(\w+)\}\{(.*)\} % (\w+): (\S+), commit (\S+)$", re.MULTILINE)


def test_every_macro_is_its_stored_number_and_says_where_it_is_from(results):
    found = DEFINED.findall(macros.document(results))
    assert len(found) > 50
    for name, text, result, key, commit in found:
        node = results[result].values
        for part in key.split("."):
            node = node[part]
        whole = latex(estimate(Interval(node["estimate"], node["low"], node["high"])))
        assert text == (whole.split(" ")[0] if name.endswith("Point") else whole)
        assert commit == results[result].record["commit"]["revision"][:12]


def test_names_are_of_letters_and_unlike(results):
    names = [name for name, *_ in DEFINED.findall(macros.document(results | {"cpu_study": cpu_study()}))]
    assert all(re.fullmatch(r"spt[A-Za-z]+", name) for name in names)
    assert len(set(names)) == len(names)
    assert "sptDocsOrderGain" in names and "sptStudyDepthsOneGainPoint" in names


def test_a_changed_number_changes_its_macro(results):
    digits = results["digits"]
    changed = {"gain": {**digits.values["gain"], "estimate": 0.123, "low": 0.1, "high": 0.2}}
    other: Result = Result("digits", {**digits.values, **changed}, {}, digits.record)
    lines = macros.document({"digits": other})
    assert r"\newcommand{\sptDigitsGainPoint}{0.123}" in lines or r"{0.12}" in lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("−0.5 × 10⁻³ of 5%", r"$-$0.5 $\times$ 10$^{-3}$ of 5\%"),
        ("docs_order & $L - 1$", r"docs\_order \& $L - 1$"),
        ("8 seeds, --seed 0", "8 seeds, -{}-seed 0"),
        ("κ ≤ ∞", r"$\kappa$ $\le$ $\infty$"),
    ],
)
def test_signs_of_text_become_latex(text, expected):
    assert latex(text) == expected


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_file_compiles_and_its_macros_can_be_quoted(results, tmp_path: Path):
    write_numbers(results | {"cpu_study": cpu_study()}, tmp_path)
    names = [name for name, *_ in DEFINED.findall((tmp_path / "numbers.tex").read_text())]
    quoted = "\n\n".join(rf"\{name}" for name in names)
    source = rf"\documentclass{{article}}\input{{numbers}}\begin{{document}}{quoted}\end{{document}}"
    (tmp_path / "quote.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "quote"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-500:]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_every_caption_compiles(captions, tmp_path: Path):
    body = "\n\n".join(latex(caption) for caption in captions.values())
    (tmp_path / "c.tex").write_text(rf"\documentclass{{article}}\begin{{document}}{body}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-500:]
