"""Prediction, toy and Transformer side by side: verdicts either way, filters, formats, commands."""

import csv
import dataclasses
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sptlab
from full_scale.comparison import compare, tables
from full_scale.comparison.compare import PREDICTIONS, Prediction, combined, verdict
from full_scale.comparison.rows import Row
from full_scale.stored import COMMANDS, with_shipped
from full_scale.studies import ablations, grids, training_states, validation
from sims.experiments import blindness
from sims.runs.store import Result
from sims.statistics.intervals import Interval
from tests.stored_examples import completed

TABLE = (
    "visible_share", "proximity_alignment", "snr_ratio", "plateau_time", "proximity_index", "qk_share",
    "prior_share", "depth_share", "fit_gap",
)  # fmt: skip
RANGE = Prediction("name", "meaning", 1.0, 0.8, 1.2, "C1")


KINDS = {
    "blindness": blindness.Values,
    "docs_order_probes": training_states.Values,
    "cpu_study": ablations.Values,
    "validation": validation.Values,
}


def interval(low: float | None, high: float | None, estimate: float | None = 0.0) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high, "level": 0.95, "n": 3, "method": "Student t"}


def result(name: str, values: dict[str, Any]) -> Result:
    return Result(name, completed(KINDS.get(name, grids.Values), values), {}, {})


def probes() -> Result:
    states = {"initialisation": {"visible_share_label": interval(0.85, 0.9, 0.87)}}
    heads = {"visible_share_label": [[interval(0.9, 0.95), interval(0.3, 0.4)], [interval(0.5, 0.9)] * 2]}
    return result(
        "docs_order_probes",
        {"task": "docs-order", "layers": 2, "states": states, "per_head": {"initialisation": heads}},
    )


def cpu_study() -> Result:
    shares = {
        "gain": interval(0.4, 0.5, 0.45),
        "fit_gap": interval(0.3, 0.5, 0.4),
        "qk_share": interval(0.9, 1.1, 1.0),
        "prior_share": {"alibi": interval(0.9, 1.0, 0.95), "tied_qk": interval(-0.1, 0.2, 0.1)},
        "depth_share": {"depth_4": interval(0.0, 0.2, 0.1)},
    }
    tie = {
        "gain": interval(-0.02, 0.02),
        "fit_gap": interval(-0.01, 0.03),
        "qk_share": interval(None, None, None) | {"reason": "SPT's gain is not clearly above 0"},
    }
    return result("cpu_study", {"tasks": {"docs-order": {"shares": shares}, "digits": {"shares": tie}}})


@pytest.fixture
def values() -> compare.Values:
    toy = result("blindness", {"toy": {"visible_share": interval(0.99, 1.0, 1.0)}})
    stored = {each.name: each for each in (toy, probes(), cpu_study())}
    return compare.run(stored)[0]


def of(rows: tuple[Row, ...], name: str, **where: object) -> Row:
    (found,) = (r for r in rows if r.name == name and all(getattr(r, key) == at for key, at in where.items()))
    return found


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 1.1, "holds"),
        (0.7, 1.1, "undecided"),
        (0.1, 0.2, "fails"),
        (1.3, None, "fails"),
        (None, None, "undecided"),
    ],
)
def test_a_verdict_needs_the_whole_interval(low, high, expected: str) -> None:
    assert verdict(RANGE, Interval(0.0, low, high)) == expected


def test_one_failure_fails_a_row_and_silence_decides_nothing() -> None:
    assert combined(["holds", "fails"]) == "fails"
    assert combined(["holds", "undecided"]) == "undecided"
    assert combined(["holds", "holds"]) == "holds"
    assert combined([]) == "undecided"


def test_every_name_of_the_theorys_table_has_a_prediction_with_its_claims() -> None:
    names = {prediction.name: prediction for prediction in PREDICTIONS}
    assert set(TABLE) <= set(names)
    assert all(re.fullmatch(r"C\d+(, C\d+)*", prediction.source) for prediction in PREDICTIONS)


def test_without_stored_runs_all_is_undecided_and_every_command_is_named() -> None:
    values, _ = compare.run({})
    assert {row.verdict for row in values.rows} == {"undecided"}
    assert values.by_task == () and values.validation is None
    waited = {name for each in values.missing for name in each.names}
    assert set(TABLE) <= waited
    for each in values.missing:
        first, *rest = each.command.removeprefix("sptlab ").split()
        assert sptlab.parse([first, *rest])


def test_a_stored_run_is_not_missing(values) -> None:
    missing = {each.result for each in values.missing}
    assert "cpu_study" not in missing and "study" not in missing and "validation" in missing


def test_rows_are_by_task_and_by_arm(values) -> None:
    rows = values.by_task
    assert of(rows, "prior_share", setting="alibi").verdict == "holds"
    assert of(rows, "prior_share", setting="tied_qk").verdict == "fails"
    assert of(rows, "depth_share", setting="depth_4").verdict == "holds"
    assert of(rows, "qk_share", task="digits").verdict == "undecided"


def test_on_the_control_a_tie_is_predicted_and_elsewhere_a_gain(values) -> None:
    gains = {row.task: row for row in values.by_task if row.name == "gain"}
    assert gains["docs-order"].range == (0.1, 1.0) and gains["digits"].range == (-0.05, 0.05)
    assert {row.verdict for row in gains.values()} == {"holds"}
    lost = cpu_study()
    lost.values["tasks"]["digits"]["shares"]["gain"] = interval(0.2, 0.3)
    found = compare.run({"cpu_study": lost})[0].by_task
    assert of(found, "gain", task="digits").verdict == "fails"


def test_rows_are_by_layer_and_head_where_that_is_measured(values) -> None:
    assert of(values.by_head, "visible_share", layer=0, head=0).verdict == "holds"
    assert of(values.by_head, "visible_share", layer=0, head=1).verdict == "fails"
    assert len(tables.Filter(layer=1).rows(values)) == 2
    assert len(tables.Filter(task="digits").rows(values)) == 3


def test_a_grid_of_arms_is_read_with_its_task() -> None:
    grid = result(
        "transfer_cpu_order",
        {"data": {"task": "order"}, "shares": {"qk_share": interval(0.9, 1.0)}},
    )
    assert of(compare.run({"transfer_cpu_order": grid})[0].by_task, "qk_share").task == "order"


def test_the_text_names_verdicts_and_what_is_missing_with_its_command(values) -> None:
    text = tables.rendered(values, "text", tables.Filter())
    assert re.search(r"docs-order, alibi .* holds +cpu_study", text)
    assert "undefined: SPT's gain is not clearly above 0" in text
    assert re.search(r"plateau_time.*\n.*\n  docs-order .* not measured", text)
    assert f"make it with: {COMMANDS['plateau']}" in text


def test_csv_and_json_hold_the_same_rows(values) -> None:
    rows = list(csv.DictReader(io.StringIO(tables.rendered(values, "csv", tables.Filter()))))
    same = json.loads(tables.rendered(values, "json", tables.Filter()))["rows"]
    assert [row["name"] for row in rows] == [row["name"] for row in same]
    share = next(row for row in rows if row["setting"] == "alibi")
    assert float(share["transformer_low"]) == 0.9 and share["toy_low"] == "" and share["verdict"] == "holds"


def sets_tables() -> bool:
    """Whether pdflatex is installed with the package of the tables; Debian has them apart."""
    if not shutil.which("pdflatex") or not shutil.which("kpsewhich"):
        return False
    return subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True).returncode == 0


@pytest.mark.skipif(not sets_tables(), reason="pdflatex with booktabs is not installed")
def test_the_latex_table_compiles(values, tmp_path: Path) -> None:
    table = tables.rendered(values, "latex", tables.Filter())
    start = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\tiny\n"
    (tmp_path / "table.tex").write_text(start + table + "\n\\end{document}\n")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()[-500:]


def test_the_validation_shows_gains_rank_correlation_and_misses() -> None:
    row = {
        "task": "a", "half": "test", "verdict": "no need", "verdict_chosen": "no need",
        "right": "pretrain first", "predicted_gain": interval(0.0, 0.1, 0.03),
        "measured_gain": interval(0.2, 0.4, 0.3),
    }  # fmt: skip
    study = {
        "rows": [row, row | {"task": "b", "right": "no need"}],
        "spearman": interval(0.4, 0.9, 0.7),
        "right": {"test": interval(0.1, 0.9, 0.5)},
        "misses": ["a"],
    }
    values, _ = compare.run({"validation": result("validation", study)})
    text = tables.rendered(values, "text", tables.Filter())
    assert "no need (MISS: pretrain first)" in text and "0.300 [0.200, 0.400]" in text
    assert "rank correlation 0.700 [0.400, 0.900]" in text
    assert values.validation.misses == ("a",)


def test_what_is_shipped_stands_beside_the_results_and_gives_way_to_them(tmp_path: Path) -> None:
    shipped = with_shipped({})
    assert "study" in shipped
    newer = Result("study", {"depths": {}}, {}, {})
    assert with_shipped({"study": newer})["study"] is newer


def test_the_command_prints_rows_of_one_task(tmp_path: Path, capsys) -> None:
    assert sptlab.main(["compare", "--out", str(tmp_path), "--task", "digits", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows and {row["task"] for row in rows} == {"digits"}


def test_a_mistyped_task_is_one_line_with_the_nearest(tmp_path: Path, capsys) -> None:
    assert sptlab.main(["compare", "--out", str(tmp_path), "--task", "docs-ordr"]) == 2
    assert "unknown task docs-ordr; did you mean docs-order?" in capsys.readouterr().err


def test_the_last_point_of_a_study_s_curve_is_a_measurement() -> None:
    study = cpu_study()
    curve = np.array([[1.0, 2.0, 0.2], [1.0, 2.0, 0.3], [1.0, 2.0, 0.25]])
    with_curve = dataclasses.replace(study, arrays={"docs-order_spt_proximity_index": curve})
    found = compare.run({"cpu_study": with_curve})[0].by_task
    (row,) = [row for row in found if row.name == "proximity_index" and row.result == "cpu_study"]
    assert row.verdict == "fails" and row.transformer.estimate == pytest.approx(0.25)
