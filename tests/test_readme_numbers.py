"""Every number in the READMEs is that of a stored study, from which their tables are written."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.training_step import SIZES
from full_scale.probes.held_out import MAX_PROBED_LENGTH, PROBED_SEQUENCES, interval
from sims.runs import store

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("theory", "sims", "full_scale", "paper_figs")
README_FILES = [
    ROOT / "README.md",
    *sorted(path for room in ROOMS for path in (ROOT / room).rglob("README.md")),
]
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


_WITH_INTERVAL = r"\| -?\d\.\d+ \[-?\d"
METHODS = {
    "pilot": "the pilot",
    "statistic": "pairs less the best bag, length, positions",
    "combined": "the pilot, the statistic where it is undecided",
    "constant": "always *no need*",
    "fits": "the fits",
}
SIZES_ARMS = {
    **{
        arm: ABLATIONS[arm]
        for arm in ("label_only", "spt", "qk_only", "qk_only_longer", "qk_embeddings_only")
    },
    "no_qk": ABLATIONS["no_qk"],
    "spt_longer": "SPT, then as many label steps as labels alone",
    "label_only_twice": "labels alone, twice the steps",
    "label_only_decayed": "labels alone, ten times the decay",
    "alibi": ABLATIONS["alibi"],
    "rope": ABLATIONS["rope"],
    "tied_qkvo": ABLATIONS["tied_qkvo"],
    "mimetic": "labels alone, mimetic start",
    "both": "both losses at once",
    "depth_2": ABLATIONS["depth_2"],
    "depth_4": ABLATIONS["depth_4"],
}


def readmes() -> str:
    """The front page's README and those of the folders."""
    return "\n".join(path.read_text() for path in README_FILES)


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


def paper_arms(values: dict) -> list[str]:
    """The table of the paper's tasks: one arm each, one column per size."""
    parts = [part["grid"]["arms"] for part in values["sizes"].values()]
    known = [arm for arm in SIZES_ARMS if any(arm in part for part in parts)]
    of = lambda part, arm: bounded(part[arm]["test_accuracy"]) if arm in part else "not run"
    line = lambda arm: " | ".join(of(part, arm) for part in parts)
    return [f"| {SIZES_ARMS[arm]} | {line(arm)} |" for arm in known]


def paper_gains(values: dict) -> list[str]:
    """What was predicted of each size beside what was measured: gain, SNRs, attention to the nearest positions."""
    lines = []
    for name, part in values["sizes"].items():
        numbers, near = values["predictions"][name]["numbers"], part["attention"]
        cells = [
            numbers["gain"],
            part["grid"]["shares"]["gain"],
            numbers["snr_reconstruction_nearest"],
            near["spt"]["near"],
            near["label_only"]["near"],
        ]
        lines.append(f"| {name} | {' | '.join(map(bounded, cells))} |")
    return lines


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


def validated(values: dict) -> list[str]:
    """The table of the pilot's validation, line by line: one set each."""
    lines = []
    for each in values["rows"]:
        asked, by_method = each["predictions"], each["predictions"]["by_method"]
        mean = lambda arm, each=each: (
            sum(each["measured"]["accuracy"][arm]) / len(each["measured"]["accuracy"][arm])
        )
        verdicts = " | ".join(
            ("" if each["right"][method] else "**wrong:** ") + by_method[method]["verdict"]
            for method in ("pilot", "statistic")
        )
        lines.append(
            f"| {asked['set']} | {asked['sequences']['train']:,} x {asked['length']} | {mean('labels'):.3f} | "
            f"{mean('spt'):.3f} | {bounded(each['gain'])} | {bounded(by_method['pilot']['gain'])} | {verdicts} |"
        )
    return lines


def scored(values: dict) -> list[str]:
    """What the README says of every method, line by line."""
    of = lambda share: f"{round((share['estimate'] or 0) * share['n'])} of {share['n']}"
    rank = lambda each: "-" if each["estimate"] is None else bounded(each)
    return [
        f"| {words} | {of(one['right'])} | {of(one['right_with_gain'])} | {of(one['right_without'])} | "
        f"{of(one['covered']) if one['covered']['n'] else '-'} | {rank(one['rank'])} | {rank(one['rank_real'])} | "
        f"{one['cost']:.2f} |"
        for words, one in (
            (METHODS[name], values["scores"][name]) for name in METHODS if name in values["scores"]
        )
    ]


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
    pilots = store.load(ROOT / "full_scale" / "stored", "pilot_validation").values
    lines = table(values) + ablations(cpu_values) + validated(pilots) + scored(pilots)
    assert len(lines) == 6 + len(ABLATIONS) + len(pilots["rows"]) + len(pilots["scores"])
    lines += paper_arms(paper_values) + paper_gains(paper_values)
    for line in lines:
        assert line in readme
    lines = [line for line in lines if re.search(_WITH_INTERVAL, line)]
    with_interval = [line for line in readme.splitlines() if re.search(_WITH_INTERVAL, line)]
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
    assert all(each["grid"]["shares"]["qk_share"]["reason"] for each in sizes.values())


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


if __name__ == "__main__":  # prints the lines to paste after a new study
    stored = store.load(ROOT / "full_scale" / "stored", "study").values
    ablated = store.load(ROOT / "full_scale" / "stored", "cpu_study").values
    studied = store.load(ROOT / "full_scale" / "stored", "paper").values
    print("\n".join([*table(stored), longer(stored), *ablations(ablated), *kept(ablated)]))
    print("\n".join([*paper_arms(studied), *paper_gains(studied)]))
