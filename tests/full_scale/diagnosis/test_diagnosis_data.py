"""What `sptlab diagnose` does with data: twenty-odd kinds of bad ones, and a small whole run."""

import io
import zipfile

import jax
import numpy as np
import pytest

import sptlab
from full_scale.diagnosis import DiagnosisConfig, PilotConfig, diagnose_arrays
from full_scale.diagnosis.data import name_of, training_command
from full_scale.diagnosis.report import summary
from full_scale.diagnosis.result import read
from full_scale.model import ModelConfig
from paper_figs.report import diagnosis_page as page
from sims.runs.store import Result, plain

DRAW = np.random.default_rng(0)
X, Y = DRAW.integers(0, 5, (60, 12)), np.arange(60) % 2


def npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def huge_header(path):
    """A small file that says it holds 10 GB."""
    body = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        body, {"descr": "<f4", "fortran_order": False, "shape": (2_500_000, 1_000)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", body.getvalue() + b"\0" * 64)
        archive.writestr("y.npy", body.getvalue() + b"\0" * 64)


def text(content):
    return lambda path: path.write_bytes(content)


def folder(*files):
    def make(path):
        for name, content in files:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        path.mkdir(exist_ok=True)

    return make


def values(**changes):
    real = DRAW.standard_normal((60, 12))
    for place, value in changes.items():
        real[0, int(place[1:])] = value
    return real


RAGGED = np.empty(2, object)
RAGGED[:] = [[1, 2], [3]]
BAD = {
    "an empty file": ("a.npz", text(b"")),
    "no such file": ("a.npz", lambda path: None),
    "not an archive": ("a.npz", text(b"hello" * 100)),
    "one class": ("a.npz", npz(x=X, y=0 * Y)),
    "one sequence of a class": ("a.npz", npz(x=X, y=np.arange(60) // 59)),
    "not a number": ("a.npz", npz(x=values(_3=np.nan), y=Y)),
    "infinity": ("a.npz", npz(x=values(_3=np.inf), y=Y)),
    "ragged": ("a.npz", npz(x=RAGGED, y=Y[:2])),
    "objects": ("a.npz", npz(x=X.astype(object), y=Y)),
    "complex": ("a.npz", npz(x=X + 1j, y=Y)),
    "strings": ("a.npz", npz(x=X.astype(str), y=Y)),
    "a header of 10 GB": ("a.npz", huge_header),
    "labels missing": ("a.npz", npz(x=X)),
    "tokens missing": ("a.npz", npz(y=Y)),
    "other number of labels": ("a.npz", npz(x=X, y=Y[:50])),
    "lengths too long": ("a.npz", npz(x=X, y=Y, lengths=np.full(60, 13))),
    "fewer than 20": ("a.npz", npz(x=X[:12], y=Y[:12])),
    "labels of fractions": ("a.npz", npz(x=X, y=Y + 0.5)),
    "a label per token": ("a.npz", npz(x=X, y=X)),
    "sequences of one token": ("a.npz", npz(x=X[:, :1], y=Y)),
    "another ending": ("a.docx", text(b"a b c")),
    "a pickle": ("a.pt", text(b"\x80\x02}q\x00.")),
    "regression": ("a.npz", npz(x=X, y=DRAW.standard_normal(60))),
    "several labels at once": ("a.npz", npz(x=X, y=np.ones((60, 2), int))),
    "an empty label": ("a.csv", text(b"text,label\nsome,a\nwords,\n" * 20)),
    "padding without lengths": (
        "a.npz",
        npz(x=(X + 1) * (np.arange(12) < 4 + np.arange(60)[:, None] % 7), y=Y),
    ),
    "numbers without a header": ("a.csv", text(b"1.5,2.5,0\n2.5,3.5,1\n" * 20)),
    "an array transposed": ("a.npz", npz(x=X.T, y=Y)),
    "an image each": ("a.npz", npz(x=np.zeros((60, 4, 4, 3)), y=Y)),
    "a folder without classes": ("a", folder(("one.txt", b"some words"))),
    "an empty folder": ("a", folder()),
    "one sequence over and over": ("a.npz", npz(x=np.tile(X[:1], (60, 1)), y=Y)),
    "constant": ("a.npz", npz(x=np.ones((60, 12)), y=Y)),
    "a class per row": ("a.npz", npz(x=X, y=np.arange(60))),
    "a folder called npz": ("a.npz", folder()),
    "text that is not UTF-8": ("a.csv", text(b"label,text\n0,\xff\xfe\n1,ok\n")),
    "numbers that are none": ("a.csv", text(b"label,a,b\n0,1,x\n1,2,3\n")),
}


@pytest.mark.parametrize(("name", "make"), BAD.values(), ids=BAD)
def test_bad_data_are_one_clear_line_and_leave_nothing_behind(name, make, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)
    make(tmp_path / name)
    out = tmp_path / "report"
    assert sptlab.main(["diagnose", str(tmp_path / name), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.strip().splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("sptlab: ")
    assert "Traceback" not in lines[0]
    assert not out.exists()


def test_a_task_that_is_misspelt_is_named_with_the_nearest(monkeypatch, capsys):
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)
    assert sptlab.main(["diagnose", "digit"]) == 2
    assert "did you mean digits?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "name", "command"),
    [
        ("docs-order", "docs-order", "--task docs-order --grid"),
        ("my data.npz", "my-data", "--task own --data 'my data.npz' --grid"),
        ("deep/other.npz", "other", "--task own --data deep/other.npz --grid"),
    ],
)
def test_a_diagnosis_is_named_after_its_data_and_names_the_command_that_trains_on_them(
    data, name, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for file in ("my data.npz", "deep/other.npz"):
        np.savez(tmp_path / file, x=X, y=Y)
    assert name_of(data) == name
    assert command in training_command(data)


@pytest.fixture(scope="module")
def found():
    """A whole diagnosis at toy size, padded, of a causal model; the tutorial's is bidirectional."""
    tiny = ModelConfig(width=8, heads=2, hidden=8, causal=True)
    config = DiagnosisConfig(fits=2, steps=2, batch=4, pilot=PilotConfig(seeds=0))
    lengths = 4 + np.arange(60) % 9
    return diagnose_arrays(X, Y, lengths, tiny, config, key=jax.random.key(0))


@pytest.mark.heavy
def test_arrays_are_diagnosed_whole(found):
    numbers = found.values.numbers
    for loss in ("label", "reconstruction"):
        assert 0 <= numbers[f"visible_share_{loss}"].estimate <= 1
        assert len(found.values.snr_by_offset[loss]) == len(found.values.directions)
    fits, floors = found.values.fits, found.values.floors
    pattern = np.mean([fit.accuracy_pattern_held_out for fit in fits])
    simple = max(floors[name] for name in ("constant", "bag_of_tokens", "linear", "length"))
    assert not np.triu(found.arrays["descent_reconstruction"], 1).any()
    assert numbers["gain"].n == 2
    assert numbers["gain"].estimate <= pattern - simple + 1e-9


@pytest.mark.heavy
def test_the_summary_and_the_page_say_the_verdict_and_hold_no_address(found):
    values = plain(found.values)
    said = summary("mine", read(values))
    assert "sptlab train run --task own --data mine.npz" in said
    assert found.verdict.kind == "undecided" and "2 optimiser steps" in said
    assert said.startswith("mine: UNDECIDED: this diagnosis cannot tell")
    shown = page.render(Result("mine", values, found.arrays, {}))
    assert f"<h1>{found.verdict.kind.capitalize()}</h1>" in shown
    assert "http" not in shown.replace("http://www.w3.org", "")
    assert "<script" not in shown
