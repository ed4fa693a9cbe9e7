"""The benchmarks can be started, also without PyTorch; what they measure decides no test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sims.cli.progress
from benchmarks.diagnosis_cost import AT, shares
from benchmarks.training_step import BETTER, OURS, SIDES, SIZES
from full_scale.studies import reproduction
from paper_figs.cli.reproduce import FIGURES_SECONDS
from sims.cli.progress import Clock

ROOT = Path(__file__).parents[1]
PASSIVE = next(side for side in SIDES if "passive" in side)
PROGRAMS = sorted(
    path.stem for path in (ROOT / "benchmarks").glob("*.py") if '__name__ == "__main__"' in path.read_text()
)


def step_table() -> str:
    """The README's table of training steps, from what is stored."""
    lines = ["| processor | size | times faster | times fewer CPU seconds |", "|---|---|---|---|"]
    for name in ("training_step_avx2", "training_step"):
        found = json.loads((ROOT / "benchmarks" / "stored" / f"{name}.json").read_text())
        by = {(row["size"], row["side"]): row for row in found["rows"]}
        for size in SIZES:
            faster, passive = by[size, BETTER], by[size, PASSIVE]
            cells = [f"{faster['times_faster']:.2f} [{faster['low']:.2f}, {faster['high']:.2f}]"]
            if "cpu_low" in passive:
                low, high = passive["cpu_low"], passive["cpu_high"]
                cells.append(f"{passive['times_less_cpu']:.2f} [{low:.2f}, {high:.2f}]")
            else:  # stored before they were compared round by round
                cells.append(f"{passive['cpu_ms'] / by[size, OURS]['cpu_ms']:.2f}")
            lines.append(f"| {found['provenance']['processor']} | {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_table_of_steps_in_the_readme_is_that_of_the_stored_runs():
    assert step_table() in (ROOT / "benchmarks" / "README.md").read_text()


def diagnosis_table() -> str:
    """The README's table of what a diagnosis costs beside training, from what is stored."""
    rows = json.loads((ROOT / "benchmarks" / "stored" / "diagnosis_cost.json").read_text())["rows"]
    heads = ["data", "tokens", "width", *(f"{steps:,} steps" for steps in AT)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        shares = [
            [value for name, value in row["share"].items() if name.startswith(f"{steps} ")] for steps in AT
        ]
        cells = [" to ".join(f"{value:.2f}" for value in sorted({min(each), max(each)})) for each in shares]
        lines.append(f"| {row['data']} | {row['length']} | {row['width']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_table_of_the_diagnosis_in_the_readme_is_that_of_the_stored_runs():
    assert diagnosis_table() in (ROOT / "benchmarks" / "README.md").read_text()


def test_the_stored_shares_follow_from_the_stored_seconds_and_the_pilot_of_today():
    for row in json.loads((ROOT / "benchmarks" / "stored" / "diagnosis_cost.json").read_text())["rows"]:
        expected = shares(row["fixed"], row["per_step"], row["length"], row["width"])
        assert row["share"] == pytest.approx(expected, abs=0.005)


def test_a_diagnosis_costs_less_than_training_both_arms_and_half_of_it_from_256_tokens():
    for row in json.loads((ROOT / "benchmarks" / "stored" / "diagnosis_cost.json").read_text())["rows"]:
        assert max(row["share"].values()) < (0.5 if row["length"] >= 256 else 1)


def stored_commands() -> dict[str, dict]:
    """The stored costs of the main commands, by command."""
    rows = json.loads((ROOT / "benchmarks" / "stored" / "commands.json").read_text())["rows"]
    return {row["command"]: row for row in rows}


def test_the_table_of_commands_is_what_is_stored_of_both_checkouts():
    text = (ROOT / "benchmarks" / "README.md").read_text()
    stored = json.loads((ROOT / "benchmarks" / "stored" / "commands_avx512.json").read_text())["rows"]
    assert {row["command"] for row in stored} >= {"reproduce", "verify", "diagnose"}
    for row in stored:
        before, now = row["beside"]["cpu_seconds"], row["cpu_seconds"]
        assert row["exit_status"] == row["beside"]["exit_status"] == 0
        load = f"{row['load_average']:.1f}"
        assert (
            f"| `sptlab {row['command']}` | {before:.0f} | {now:.0f} | {now / before:.2f} | {load} |" in text
        )


@pytest.mark.parametrize("slower", [1.0, 3.0])
def test_the_time_left_of_a_stored_reproduction_was_right_within_a_factor_of_one_and_a_half(
    monkeypatch, slower
):
    expected = reproduction.expected_seconds() | {"figures": FIGURES_SECONDS}
    stages = stored_commands()["reproduce"]["stages"]
    assert stages.keys() >= {"claims", reproduction.TRAINING, "figures", *reproduction.TOYS}
    now, clock, wrong = 0.0, Clock(), []
    monkeypatch.setattr(sims.cli.progress.time, "perf_counter", lambda: now)
    total, run = sum(expected.values()), slower * sum(stages.get(name, 0.0) for name in expected)
    clock.begin(slower * total)
    done = 0.0
    for name, seconds in expected.items():
        for part in range(1, 11):  # a stage reports evenly
            now += slower * stages.get(name, 0.0) / 10
            done += seconds / 10
            left, truth = clock.left(done / total), run - now
            if done > total / 10 and truth > 0.05 * run and not 1 / 1.5 < left / truth < 1.5:
                wrong.append((name, part, round(left), round(truth)))
    assert not wrong


def test_the_programs_are_found():
    assert {"training_step", "ensembles", "probe_cost"} <= set(PROGRAMS)


@pytest.mark.heavy
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_benchmark_tells_its_flags(program):
    command = [sys.executable, "-m", f"benchmarks.{program}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


if __name__ == "__main__":  # prints the table to paste after a new run
    print(step_table(), diagnosis_table(), sep="\n\n")
