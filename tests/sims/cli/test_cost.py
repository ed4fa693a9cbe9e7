"""What a run will take is said before it begins, measured on this machine; what is stored costs nothing."""

import pytest

from sims.cli import cost
from sims.cli.progress import Clock, progress


@pytest.fixture
def half_as_fast(monkeypatch):
    """A machine of two cores on which everything takes twice as long."""
    monkeypatch.setattr(cost, "timed_work", lambda: 2 * cost.REFERENCE_SECONDS)
    monkeypatch.setattr(cost, "cores", lambda: 2)


def test_cost_follows_the_speed_of_the_machine_and_its_cores(half_as_fast, monkeypatch):
    assert cost.here(100.0) == 200.0
    monkeypatch.setattr(cost, "cores", lambda: 8)
    assert cost.here(100.0) == 200.0  # two parts at most
    assert cost.here(100.0, side_by_side=8) == 50.0
    monkeypatch.setattr(cost, "cores", lambda: 1)
    assert cost.here(100.0) == 400.0


def test_the_timed_work_takes_no_more_than_a_blink():
    assert 0 < cost.timed_work() < 10


def test_a_long_run_says_first_what_it_will_take(half_as_fast, capsys):
    with progress("study", quiet=False, seconds=lambda: 600.0) as report:
        report(0, 1)
        report(1, 2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "study: about 20 min on this machine, by a test of its speed just now"
    assert sum("on this machine" in line for line in lines) == 1
    assert "study    0%, about 20 min left" in lines[1]


@pytest.mark.parametrize(
    ("quiet", "seconds", "reports"), [(True, 600.0, 1), (False, 10.0, 1), (False, 600.0, 0)]
)
def test_nothing_is_said_of_short_runs_stored_ones_and_when_quiet(
    half_as_fast, capsys, quiet, seconds, reports
):
    with progress("study", quiet=quiet, seconds=lambda: seconds) as report:
        for _ in range(reports):
            report(0, 1)
    assert "on this machine" not in capsys.readouterr().err


def test_the_time_left_is_the_estimate_at_first_and_the_runs_own_speed_from_a_tenth_on(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("sims.cli.progress.time.perf_counter", lambda: now[0])
    clock = Clock()
    clock.begin(100.0)
    assert clock.left(0.0) == 100.0
    now[0] = 30.0
    assert clock.left(0.1) == pytest.approx(270.0)  # three times as slow as was thought
    assert 70.0 < clock.left(0.05) < 570.0


def test_what_is_stored_is_not_counted(half_as_fast, capsys):
    with progress("reproduce", quiet=False, seconds=lambda: 600.0) as report:
        report(3, 4)
    assert "reproduce: about 5 min on this machine" in capsys.readouterr().err
    with progress("reproduce", quiet=False, seconds=lambda: 600.0) as report:
        report(4, 4)
    assert "on this machine" not in capsys.readouterr().err


def test_durations_have_two_figures():
    assert [cost.duration(s) for s in (0.2, 7.4, 42.0, 130.0, 4000.0, 9000.0)] == [
        "1 s", "7 s", "40 s", "2 min", "67 min", "2.5 h",
    ]  # fmt: skip
