"""The READMEs' tables, line by line, from the stored studies."""

from pathlib import Path

from sims.runs import store

ROOT = Path(__file__).resolve().parents[2]
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


WITH_INTERVAL = r"\| -?\d\.\d+ \[-?\d"
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


FEW_ARMS = ("label_only", "label_only_decayed", "both", "spt", "spt_longer")


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


def whole(values: dict) -> dict[str, dict]:
    """The paper's tasks with all their labels, by task and size."""
    return {name: part for name, part in values["sizes"].items() if "labels" not in name}


def paper_arms(values: dict) -> list[str]:
    """The table of the paper's tasks: one arm each, one column per size."""
    parts = [part["grid"]["arms"] for part in whole(values).values()]
    known = [arm for arm in SIZES_ARMS if any(arm in part for part in parts)]
    of = lambda part, arm: bounded(part[arm]["test_accuracy"]) if arm in part else "not run"
    line = lambda arm: " | ".join(of(part, arm) for part in parts)
    return [f"| {SIZES_ARMS[arm]} | {line(arm)} |" for arm in known]


def paper_gains(values: dict) -> list[str]:
    """What was predicted of each size beside what was measured: gain, SNRs, attention to the nearest positions."""
    lines = []
    for name, part in whole(values).items():
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


def few_labels(values: dict) -> list[str]:
    """The table over the number of labels: accuracies of the arms, then gains."""
    parts = {name: part for name, part in values["sizes"].items() if name not in whole(values)}
    number = lambda name: int(parts[name]["size"].split(", ")[1].removesuffix(" labels").replace(",", ""))
    lines = []
    for name in sorted(parts, key=number):
        grid = parts[name]["grid"]
        cells = [bounded(grid["arms"][arm]["test_accuracy"]) for arm in FEW_ARMS]
        gains = [
            grid["shares"]["gain"],
            parts[name]["best_gain"],
            values["predictions"][name]["numbers"]["gain"],
        ]
        runs, floor = len(grid["seeds"]), f"{grid['floor']['linear']:.3f}"
        lines.append(
            f"| {number(name):,} | {runs} | {floor} | {' | '.join([*cells, *map(bounded, gains)])} |"
        )
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
    """The table of the pilot's validation, line by line: one set each that had no part in choosing."""
    lines = []
    for each in values["rows"]:
        if each["fresh"]:
            by_method = each["predictions"]["by_method"]
            verdicts = " | ".join(_verdict(each, method) for method in ("pilot", "statistic"))
            lines.append(f"{_measured(each)} {bounded(by_method['pilot']['gain'])} | {verdicts} |")
    return lines


def predicted_again(values: dict, first: dict) -> list[str]:
    """The sets of the first study, line by line: what was predicted then, and what today's pilot predicts."""
    now = {each["predictions"]["set"]: each for each in values["rows"] if not each["fresh"]}
    gain = lambda each: bounded(each["predictions"]["by_method"]["pilot"]["gain"])
    lines = []
    for then in first["rows"]:
        today = now[then["predictions"]["set"]]
        verdicts = f"{_verdict(then, 'pilot')} | {_verdict(today, 'pilot')} | {_verdict(today, 'statistic')}"
        lines.append(f"{_measured(then)} {gain(then)} | {gain(today)} | {verdicts} |")
    return lines


def _measured(row: dict) -> str:
    """The set, its size, and what training came to."""
    asked, accuracy = row["predictions"], row["measured"]["accuracy"]
    labels, spt = (sum(accuracy[arm]) / len(accuracy[arm]) for arm in ("labels", "spt"))
    size = f"{asked['sequences']['train']:,} x {asked['length']}"
    return f"| {asked['set']} | {size} | {labels:.3f} | {spt:.3f} | {bounded(row['gain'])} |"


def _verdict(row: dict, method: str) -> str:
    """A method's, and whether training bore it out."""
    return ("" if row["right"][method] else "**wrong:** ") + row["predictions"]["by_method"][method][
        "verdict"
    ]


def scored(values: dict, scores: str = "scores") -> list[str]:
    """What the README says of every method, line by line."""
    of = lambda share: f"{round((share['estimate'] or 0) * share['n'])} of {share['n']}"
    rank = lambda each: "-" if each["estimate"] is None else bounded(each)
    return [
        f"| {words} | {of(one['right'])} | {of(one['right_with_gain'])} | {of(one['right_without'])} | "
        f"{of(one['covered']) if one['covered']['n'] else '-'} | {rank(one['rank'])} | {rank(one['rank_real'])} | "
        f"{one['cost']:.2f} |"
        for words, one in (
            (METHODS[name], values[scores][name]) for name in METHODS if name in values[scores]
        )
    ]


if __name__ == "__main__":  # prints the lines to paste after a new study
    stored = store.load(ROOT / "full_scale" / "stored", "study").values
    ablated = store.load(ROOT / "full_scale" / "stored", "cpu_study").values
    studied = store.load(ROOT / "full_scale" / "stored", "paper").values
    pilots = [
        store.load(ROOT / "full_scale" / "stored", f"pilot_validation{which}").values
        for which in ("", "_first")
    ]
    print("\n".join([*scored(pilots[0]), *scored(pilots[0], "known"), *validated(pilots[0])]))
    print("\n".join(predicted_again(*pilots)))
    print("\n".join([*table(stored), longer(stored), *ablations(ablated), *kept(ablated)]))
    print("\n".join([*paper_arms(studied), *paper_gains(studied), *few_labels(studied)]))
