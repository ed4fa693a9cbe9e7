"""Every number in the README is that of the stored study, from which its table is written."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.training_step import SIZES
from full_scale.training.score_probes import LONGEST, PROBED, interval
from sims import store

ROOT = Path(__file__).resolve().parent.parent
ARMS = {"label_only": "labels alone", "spt": "SPT, then labels"}
TASKS = ("docs-order", "imdb-order", "shuffle-runs", "digits")
ABLATIONS = {
    **ARMS,
    "qk_only": "only W_Q, W_K from SPT",
    "qk_only_longer": "the same, more label steps",
    "qk_embeddings_only": "W_Q, W_K and embeddings",
    "no_qk": "all but W_Q, W_K",
    "alibi": "labels alone, ALiBi",
    "rope": "labels alone, RoPE",
    "tied_qk": "labels alone, W_Q = W_K at first",
    "tied_qkvo": "labels alone, all four equal at first",
    "depth_2": "labels alone, 2 layers",
    "depth_4": "labels alone, 4 layers",
    "depth_6": "labels alone, 6 layers",
}


def bounded(interval: dict) -> str:
    """Estimate and 95% interval to three digits."""
    return f"{interval['estimate']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def row(where: str, arm: str, part: dict) -> str:
    """One line of the README's table."""
    found = part["arms"][arm]
    plateau = found["plateau_steps"]
    never = sum(steps is None for steps in plateau["per_seed"])
    median = "never" if plateau["median"] is None else f"{plateau['median']:,.0f}"
    accuracy = bounded(found["test_accuracy"])
    return f"| {where} | {ARMS[arm]} | {accuracy} | {median} | {never} of {len(plateau['per_seed'])} |"


def table(values: dict) -> list[str]:
    """The README's table of the study, line by line."""
    parts = {
        f"docs-order, {depth} layer{'s' * (depth != '1')}": part for depth, part in values["depths"].items()
    }
    parts["digits (control), 1 layer"] = values["digits"]
    return [row(where, arm, part) for where, part in parts.items() for arm in ARMS]


def longer(values: dict) -> str:
    """What the README says of the longer label-only runs."""
    runs = values["depths"]["1"]["label_only_longer"]
    left = sum(steps is not None for steps in runs["plateau_steps"])
    return f"{left} of {len(runs['plateau_steps'])} label-only runs of {runs['steps']:,} steps left"


def ablations(values: dict) -> list[str]:
    """The README's table of the CPU study, line by line: one arm each, one column per task."""
    parts = [values["tasks"][task] for task in TASKS]
    accuracies = {
        arm: " | ".join(bounded(part["arms"][arm]["test_accuracy"]) for part in parts) for arm in ABLATIONS
    }
    return [f"| {words} | {accuracies[arm]} |" for arm, words in ABLATIONS.items()]


def kept(values: dict) -> list[str]:
    """The shares that the README quotes, on docs-order."""
    found = values["tasks"]["docs-order"]["shares"]
    quoted = {
        "alone": found["qk_share"],
        "longer": found["share"]["qk_only_longer"],
        "with embeddings": found["share"]["qk_embeddings_only"],
        "RoPE": found["prior_share"]["rope"],
        "2 layers": found["depth_share"]["depth_2"],
    }
    return [bounded(share) for share in quoted.values()]


@pytest.fixture(scope="module")
def values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "study").values


@pytest.fixture(scope="module")
def cpu_values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "cpu_study").values


def test_the_tables_in_the_readme_are_those_of_the_stored_studies(values, cpu_values) -> None:
    readme = (ROOT / "README.md").read_text()
    lines = table(values) + ablations(cpu_values)
    assert len(lines) == 6 + len(ABLATIONS)
    for line in lines:
        assert line in readme
    with_interval = [line for line in readme.splitlines() if re.search(r"\| -?\d\.\d+ \[-?\d", line)]
    assert sorted(with_interval) == sorted(lines)


def test_the_shares_in_the_readme_are_those_of_the_stored_study(cpu_values) -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    for share in kept(cpu_values):
        assert share in readme


def test_the_longer_runs_in_the_readme_are_those_of_the_stored_study(values) -> None:
    assert longer(values) in " ".join((ROOT / "README.md").read_text().split())


def test_what_the_readme_says_of_the_validation_is_what_the_stored_one_holds() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    first, found = (
        store.load(ROOT / "full_scale" / "stored", name).values for name in ("validation_first", "validation")
    )
    of = lambda share: f"{round(share['estimate'] * share['n'])} of {share['n']} verdicts"
    assert f"{len(first['rows'])} tasks, three seeds)" in readme
    assert f"had {of(first['right']['test'])} of its tested half right" in readme
    assert f"measured gains of {bounded(first['spearman'])}" in readme
    chose, fresh = (found["right"][half] for half in ("choose", "fresh"))
    assert f"on {chose['n']} of those tasks and tested them on {fresh['n']} fresh ones" in readme
    assert f"{of(fresh)} are right" in readme
    assert f"the rank correlation there is {bounded(found['spearman_by_half']['fresh'])}" in readme
    rows = {row["task"]: row for row in found["rows"]}
    assert found["misses"] == ["contrast-pair-weak"]
    assert f"SPT adds {bounded(rows['contrast-pair-weak']['measured_gain'])}" in readme
    for task, words in (("mirror-image", "is predicted and {} measured"), ("shuffle-runs", "and {}.")):
        row = rows[task]
        words = words.format(bounded(row["measured_gain"]))
        assert f"`{task}` {row['predicted_gain']['estimate']:.3f} {words}" in readme


def test_the_probes_cost_what_the_readme_says_and_at_most_a_twentieth_of_a_step() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    found = json.loads((ROOT / "benchmarks" / "stored" / "probe_cost.json").read_text())["sizes"]
    *most, last = (f"{100 * size['share']:.1f}" for size in found.values())
    assert list(found) == ["L64", "L256", "L1024"]
    assert f"take {', '.join(most)} and {last} % of the time of training" in readme
    assert all(size["high"] / size["interval"] < 0.05 for size in found.values())
    assert all(size["interval"] == interval(SIZES[name].batch, 1) for name, size in found.items())
    assert f"on {PROBED} held-out sequences" in readme and f"longer than {LONGEST:,}" in readme


def test_what_the_readme_says_of_the_first_value_is_what_the_stored_study_holds() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    rows = store.load(ROOT / "full_scale" / "stored", "value_sign").values["rows"]
    index = [bounded(row["pretrained_proximity_index"]) for row in rows]
    excess = [f"{row['sum_excess']:.1f}" for row in rows]
    assert f"falls from {index[0]} and {index[1]} where the sum of C(r) over r != 0 is above 0" in readme
    assert f"({excess[0]} and {excess[1]}) to {index[2]} and {index[3]} where" in readme
    assert f"below ({excess[2]} and {excess[3]})" in readme
    signs = lambda name: [row["sum_excess"] * value > 0 for row in rows for value in row[name]["per_seed"]]
    first, last = signs("first_value"), signs("pretrained_value")
    assert f"in {sum(first)} of {len(first)} runs after 50 steps and in {sum(last)} of {len(last)}" in readme
    balanced = rows[3]
    assert (
        f"{bounded(balanced['pretrained_value'])} where the theory says {balanced['fitted_value']:.3f}"
        in readme
    )
    accuracies = sorted(row["test_accuracy"]["estimate"] for row in rows)
    assert f"test accuracy lies between {accuracies[0]:.3f} and {accuracies[-1]:.3f}" in readme


if __name__ == "__main__":  # prints the lines to paste after a new study
    stored = store.load(ROOT / "full_scale" / "stored", "study").values
    ablated = store.load(ROOT / "full_scale" / "stored", "cpu_study").values
    print("\n".join([*table(stored), longer(stored), *ablations(ablated), *kept(ablated)]))
