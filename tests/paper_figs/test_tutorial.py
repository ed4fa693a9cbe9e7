"""The tutorial runs from its first cell to its last, quickly, and shows what it says."""

import contextlib
import io
import json
import re
from pathlib import Path

import jax
import pytest

import paper_figs

NOTEBOOK = Path(paper_figs.__file__).parent / "tutorial.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """What each code cell prints, run in one namespace as a user's own code would be."""
    namespace: dict[str, object] = {"__name__": "tutorial"}
    told = []
    checks = {"jax_numpy_rank_promotion": "allow", "jax_numpy_dtype_promotion": "standard"}
    before = {name: getattr(jax.config, name) for name in checks}
    try:
        for name, value in checks.items():
            jax.config.update(name, value)
        for cell in (cell for cell in CELLS if cell["cell_type"] == "code"):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile("".join(cell["source"]), "tutorial.ipynb", "exec"), namespace)
            told.append(out.getvalue())
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
    return told


@pytest.mark.heavy
def test_the_label_gradient_is_a_key_bias_to_rounding(printed):
    assert float(re.search(r"gradient: (\S+) of", printed[1])[1]) < 1e-12


@pytest.mark.heavy
def test_a_residual_path_and_a_nonlinearity_open_the_eye(printed):
    shares = [float(share) for share in re.findall(r"0\.\d+", printed[2].splitlines()[0])]
    assert len(shares) == 2 and all(0.05 < share < 0.99 for share in shares)


@pytest.mark.heavy
def test_a_missing_package_is_a_sentence_and_not_an_error(printed):
    assert "visible share" in printed[3] or "pip install 'sptlab[pytorch]'" in printed[3]


@pytest.mark.heavy
def test_the_diagnosis_gives_a_verdict_with_reasons(printed):
    kind, *reasons = printed[4].splitlines()
    assert kind in ("pretrain first", "no need", "neither sees anything", "undecided")
    assert reasons and all(reason.startswith("because ") for reason in reasons)


@pytest.mark.heavy
def test_the_stored_study_is_read_and_drawn(printed):
    assert "made by: sptlab study" in printed[5]
    assert re.search(r"spt 0\.99\d* \[", printed[5]) and "Both arms at equal steps." in printed[5]


def test_no_output_is_kept_in_the_file():
    assert all(not cell["outputs"] for cell in CELLS if cell["cell_type"] == "code")
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)


def test_every_command_that_it_names_is_understood():
    import sptlab

    text = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    named = [line for line in re.findall(r"`sptlab ([^`]+)`", text) if "FILE" not in line]
    assert len(named) >= 5
    for line in named:
        sptlab.parse(line.split())
