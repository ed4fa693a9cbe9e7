"""Every number in the READMEs is that of a stored study, from which their tables are written."""

import json
import re

import pytest

from benchmarks.training_step import SIZES
from full_scale.probes.held_out import MAX_PROBED_LENGTH, PROBED_SEQUENCES, interval
from sims.cli import declarations
from sims.runs import store
from tests.readme.tables import (
    ABLATIONS,
    ROOT,
    WITH_INTERVAL,
    ablations,
    bounded,
    few_labels,
    kept,
    longer,
    paper_arms,
    paper_gains,
    predicted_again,
    readmes,
    scored,
    table,
    validated,
    whole,
)


@pytest.fixture(scope="module")
def values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "study").values


@pytest.fixture(scope="module")
def cpu_values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "cpu_study").values


@pytest.fixture(scope="module")
def paper_values() -> dict:
    return store.load(ROOT / "full_scale" / "stored", "paper").values


def test_the_tables_in_the_readme_are_those_of_the_stored_studies(values, cpu_values, paper_values) -> None:
    readme = readmes()
    pilots, first = (
        store.load(ROOT / "full_scale" / "stored", f"pilot_validation{which}").values
        for which in ("", "_first")
    )
    lines = table(values) + ablations(cpu_values) + validated(pilots) + predicted_again(pilots, first)
    assert len(lines) == 6 + len(ABLATIONS) + len(pilots["rows"])
    lines += scored(pilots) + scored(pilots, "known")
    lines += paper_arms(paper_values) + paper_gains(paper_values) + few_labels(paper_values)
    for line in lines:
        assert line in readme
    lines = [line for line in lines if re.search(WITH_INTERVAL, line)]
    with_interval = [line for line in readme.splitlines() if re.search(WITH_INTERVAL, line)]
    assert sorted(with_interval) == sorted(lines)


def test_what_the_readme_says_of_the_papers_tasks_is_what_the_stored_study_holds(paper_values) -> None:
    text = (ROOT / "full_scale" / "studies" / "README.md").read_text()
    section = text.partition("## The paper's tasks")[2].partition("\n## ")[0]
    prose = " ".join(line for line in section.splitlines() if not line.startswith("|"))
    known = "\n".join([*paper_arms(paper_values), *paper_gains(paper_values)])
    quoted = re.findall(r"-?\d\.\d+ \[-?\d\.\d+, -?\d\.\d+\]", prose)
    assert quoted and not [each for each in quoted if each not in known]
    sizes = paper_values["sizes"]
    pathfinder = sizes["pathfinder 16 px"]["left"]
    assert all(step is None for arm in pathfinder.values() for step in arm["steps"])
    first = [sizes[name]["left"]["label_only"]["steps"] for name in ("image 8x8", "listops 64")]
    assert first == [[150] * 3] * 2 and "at the first evaluation, step 150" in prose
    assert sizes["image 8x8"]["attention"]["spt"]["offsets"] == [[0, 1]] * 3
    assert paper_values["predictions"]["image 8x8"]["offset"] == [0, 3]
    assert all(each["grid"]["shares"]["qk_share"]["reason"] for each in whole(paper_values).values())


def test_what_the_readme_says_of_few_labels_is_what_the_stored_study_holds(paper_values) -> None:
    text = (ROOT / "full_scale" / "studies" / "README.md").read_text()
    section = text.partition("## Few labels")[2].partition("\n## ")[0]
    prose = " ".join(line for line in section.splitlines() if not line.startswith("|"))
    few = paper_values["sizes"]["image 8x8, 500 labels"]
    arms, shares = few["grid"]["arms"], few["grid"]["shares"]
    fitted = [bounded(arms[arm]["train_accuracy"]) for arm in ("label_only", "spt")]
    assert f"fit {fitted[0]} of their own images, SPT {fitted[1]}, and" in prose
    assert f"adds {bounded(shares['gain'])}, with 8,000 it loses 0.023" in prose
    assert (
        f"the gain is {bounded(few['best_gain'])}. Both losses at once gain {bounded(arms['both']['gain'])}"
        in prose
    )
    of = shares["share"] | {"qk": shares["qk_share"]}
    assert f"keep {bounded(of['qk'])} of the gain and all but W_Q, W_K {bounded(of['no_qk'])}:" in prose
    assert (
        f"W_Q, W_K keep {bounded(of['qk_only_longer'])} and SPT itself {bounded(of['spt_longer'])}" in prose
    )
    stored = json.loads((ROOT / "benchmarks" / "stored" / "public_transformer.json").read_text())["rows"]
    public = {row["steps"]: bounded(row["test_accuracy"]) for row in stored if not row["mirrored"]}
    assert f"reaches {public[900]} in 900 steps and {public[3000]} in 3,000" in prose
    alone = [
        paper_values["sizes"][f"image 8x8{more}"]["grid"]["arms"]["label_only"]
        for more in ("", ", 45,000 labels")
    ]
    assert f"labels alone {' and '.join(bounded(arm['test_accuracy']) for arm in alone)}." in prose
    own = {name: part for name, part in paper_values["sizes"].items() if name not in whole(paper_values)}
    assert all(set(map(tuple, part["attention"]["spt"]["offsets"])) == {(0, 1)} for part in own.values())
    assert {paper_values["predictions"][name]["verdict"] for name in own} == {"no need"} and len(own) == 4


def test_the_shares_in_the_readme_are_those_of_the_stored_study(cpu_values) -> None:
    readme = " ".join(readmes().split())
    for share in kept(cpu_values):
        assert share in readme


def test_the_longer_runs_in_the_readme_are_those_of_the_stored_study(values) -> None:
    assert longer(values) in " ".join(readmes().split())


def test_what_the_readme_says_of_the_validation_is_what_the_stored_one_holds() -> None:
    readme = " ".join(readmes().split())
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
    readme = " ".join(readmes().split())
    found = json.loads((ROOT / "benchmarks" / "stored" / "probe_cost.json").read_text())["sizes"]
    *most, last = (f"{100 * size['share']:.1f}" for size in found.values())
    assert list(found) == ["L64", "L256", "L1024"]
    assert f"take {', '.join(most)} and {last} % of the time of training" in readme
    assert all(size["high"] / size["interval"] < 0.05 for size in found.values())
    assert all(size["interval"] == interval(SIZES[name].batch, 1) for name, size in found.items())
    assert (
        f"on {PROBED_SEQUENCES} held-out sequences" in readme
        and f"longer than {MAX_PROBED_LENGTH:,}" in readme
    )


def test_what_the_readme_says_of_the_first_value_is_what_the_stored_study_holds() -> None:
    readme = " ".join(readmes().split())
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


def test_what_the_readme_says_of_images_is_what_the_stored_study_holds() -> None:
    readme = " ".join(readmes().split())
    values = store.load(ROOT / "full_scale" / "stored", "image_pull").values
    of = {name: bounded(each) for name, each in values.items() if isinstance(each, dict)}
    assert (
        f"the next one is {of['correlation_right']} along rows and {of['correlation_below']} along" in readme
    )
    assert values["largest_displacements"][:4] == [[0, 1], [0, -1], [1, 0], [-1, 0]]
    assert [lag for lag in values["largest_raster_lags"][:4] if lag < 512] == [1, 32]
    assert f"torus is {of['cosine_torus']}, with that of stationary images between borders" in readme
    assert f"borders {of['cosine_borders']}. A share of {of['displacement_share']} of its" in readme
    assert f"hold {of['raster_share']} of it, where the law says {of['raster_share_predicted']}." in readme
    alone = values["visible_share_borders"]
    assert f"explain: {of['visible_share']}, against {alone['estimate']:.4f} [{alone['low']:.4f}" in readme


def test_the_front_page_counts_the_claims_and_says_what_a_reproduction_took() -> None:
    front = (ROOT / "README.md").read_text()
    claims = len(declarations.claims())
    assert f"{claims} claims checked by computer" in front and f"C21 to C{claims} are new" in front
    rows = json.loads((ROOT / "benchmarks" / "stored" / "commands.json").read_text())["rows"]
    cost = next(row for row in rows if row["command"] == "reproduce")
    assert f"took {cost['wall_seconds'] / 60:.1f} minutes" in front
    assert f"({cost['cpu_seconds'] / 60:.0f} minutes of CPU time)" in front
