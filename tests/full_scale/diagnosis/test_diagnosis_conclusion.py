"""From stored initialisations to verdict, text and page, without a single fit."""

import numpy as np
import pytest

from full_scale.data.dataset import Dataset, Inputs, Split
from full_scale.diagnosis.conclusion import concluded
from full_scale.diagnosis.config import DiagnosisConfig
from full_scale.diagnosis.directions import offsets
from full_scale.diagnosis.fits import FitConfig
from full_scale.diagnosis.initialisation import Evidence
from full_scale.diagnosis.report import summary
from full_scale.diagnosis.result import Explained, read
from full_scale.model import ModelConfig
from full_scale.objectives.optimizers import OptimizerConfig
from paper_figs.report import diagnosis_page as page
from sims.runs.errors import UserError
from sims.runs.store import Result, plain
from tests.stored_examples import completed

LENGTH, ROWS = 12, 120
ACCURACIES = {"uniform": 0.5, "own": 0.5, "pattern": 0.9}


def part(rows, seed):
    """Sequences of different lengths; the label says nothing that a baseline could read."""
    draw = np.random.default_rng(seed)
    tokens, lengths = draw.integers(0, 5, (rows, LENGTH)), draw.integers(3, LENGTH + 1, rows)
    return Split(tokens, (np.arange(rows) % 2).astype(np.int32), lengths.astype(np.int32))


def initialisation(seed, names, lowered=1.0):
    """What a fit stores: numbers, and which held-out rows are answered rightly."""
    draw = np.random.default_rng(seed)
    right = {name: draw.random(2 * ROWS) < share for name, share in ACCURACIES.items()}
    values = {f"accuracy_{name}_{which}": float(rows.mean()) for name, rows in right.items()
              for which in ("train", "held_out")}  # fmt: skip
    for loss in ("label", "reconstruction"):
        values |= {
            f"score_by_offset_{loss}": draw.standard_normal(len(names)).tolist(),
            f"score_{loss}": dict.fromkeys(("top", "expressible", "random"), 0.1),
            f"snr_{loss}": dict.fromkeys(("top", "expressible", "random"), 0.01),
            f"visible_share_{loss}": 0.5,
        }
    values |= {"escape_rate": 1.0, "plateau_time": 2.0, "reconstruction_time": 1.0, "contrast_snr": 0.1}
    values |= {"positions": "sinusoidal", "dominant": {"lag": 1}, "learning_rates": {"label": 0.02 * lowered}}
    matrices = dict.fromkeys(("descent_label", "descent_reconstruction", "expressible"), np.eye(LENGTH))
    arrays = matrices | {"attention_reconstruction": np.eye(LENGTH)}
    values = completed(Evidence, values)
    return Result("fit", values, arrays | {f"right_{name}": rows for name, rows in right.items()}, {})


@pytest.fixture(scope="module")
def told():
    """Verdict and values of four initialisations, one of them made at a lower rate."""
    inputs = Inputs(LENGTH, classes=2, symbols=5)
    parts = {name: part(rows, seed) for seed, (name, rows) in
             enumerate({"train": 400, "validation": ROWS, "test": ROWS}.items())}  # fmt: skip
    dataset = Dataset("mine", **parts, inputs=inputs, source="made here")
    results = [
        initialisation(seed, offsets(inputs, LENGTH).names, 1.0 - (seed == 2) * 0.75) for seed in range(4)
    ]
    fit = FitConfig(400, optimizer=OptimizerConfig(learning_rate=0.02))
    values = concluded(dataset, dataset, ModelConfig(), DiagnosisConfig(), fit, results, "sptlab train run")
    return values.verdict, values, results[0].arrays


def test_the_first_line_says_what_to_do_and_what_it_is_worth_then_how_sure(told):
    verdict, values, _ = told
    assert verdict.kind == "pretrain first"
    first, second, *rest = summary("mine", values).splitlines()
    assert first.startswith("mine: PRETRAIN FIRST: pretrain on hidden tokens")
    assert "points" in first
    assert "4 initialisations and 240 held-out sequences" in second
    assert any("lower learning rate" in line for line in rest)


def test_baselines_are_scored_on_the_rows_that_the_fits_are(told):
    _, values, _ = told
    assert set(values.floors) == {"constant", "bag_of_tokens", "linear", "pairs", "length"}
    shares = np.array(list(values.floors.values())) * 2 * ROWS
    np.testing.assert_allclose(shares, shares.round(), atol=1e-9)


def test_the_page_says_what_the_text_says(told):
    verdict, values, arrays = told
    shown = page.render(Result("mine", plain(values), arrays, {}))
    assert f"<h1>{verdict.kind.capitalize()}</h1>" in shown
    assert "Pretrain on hidden tokens" in shown and "lower learning rate" in shown


def test_a_diagnosis_is_read_as_it_was_stored_and_refused_where_it_lacks_what_its_fits_tell(told):
    _, values, _ = told
    content = plain(values)
    assert read(content) == values and isinstance(values, Explained)
    assert plain(read(content | {"kappa": None}))["kappa"] is None
    with pytest.raises(UserError, match="it lacks nearest"):
        read({name: each for name, each in content.items() if name != "nearest"})
