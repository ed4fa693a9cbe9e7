"""A sweep's file says which trials there are; a mistake in it is one line before anything runs."""

import dataclasses

import pytest

import sims
from sims.runs.store import UserError
from sims.runs.validity import difference
from sims.sweeps.grid import configurations
from sims.sweeps.table import row, text
from sims.sweeps.trial import Failure, Trial, program_of
from tests.sims.sweeps import toy_trials
from tests.sims.sweeps.toy_trials import Config


@pytest.fixture
def trials(tmp_path):
    """The trials of a file with this content."""

    def trials(content: str, base=None, seed: int = 0):
        path = tmp_path / "sweep.toml"
        path.write_text(content)
        return configurations(path, base or Config(), seed)

    return trials


def complaint(trials, content: str) -> str:
    with pytest.raises(UserError) as error:
        trials(content)
    message = str(error.value)
    assert "\n" not in message
    assert "sweep.toml" in message
    return message


def test_a_grid_is_every_combination_in_the_files_order_the_seed_fastest(trials):
    found = trials("seeds = 2\n[grid]\nscale = [0.5, 2]\nsize = [4, 8]\n")
    assert [(config.scale, config.size, seed) for config, seed in found] == [
        (scale, size, seed) for scale in (0.5, 2.0) for size in (4, 8) for seed in (0, 1)
    ]


def test_what_the_file_leaves_open_comes_from_the_command_line(trials):
    found = trials("[grid]\nsize = [4]\n", base=Config(scale=3.0), seed=7)
    assert found == [(Config(size=4, scale=3.0), 7)]
    assert [seed for _, seed in trials("seeds = 2", seed=7)] == [7, 8]
    assert [seed for _, seed in trials("seeds = [5, 3]")] == [5, 3]


def test_explicit_trials_follow_the_grid_and_none_is_there_twice(trials):
    content = "seeds = 2\n[grid]\nsize = [4]\n[[trials]]\nsize = 9\nseed = 3\n[[trials]]\nsize = 4\n"
    found = trials(content)
    assert [(config.size, seed) for config, seed in found] == [(4, 0), (4, 1), (9, 3)]
    assert trials("[[trials]]\nsize = 9\n") == [(Config(size=9), 0)]


def test_a_whole_number_where_a_number_is_wanted_is_the_same_trial(trials):
    assert trials("[grid]\nscale = [2]\n") == trials("[grid]\nscale = [2.0]\n")
    ((config, _),) = trials("[grid]\nscale = [2]\nlags = [[3, 4]]\n")
    assert isinstance(config.scale, float) and config.lags == (3, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("size = [4]", "unknown part size; size is a setting: write it below [grid]"),
        ("[gird]\nsize = [4]", "unknown part gird; did you mean grid?"),
        ("[grid]\nsise = [4]", "unknown setting sise; did you mean size? (expected one of size, scale,"),
        ("[[trials]]\nsise = 4", "unknown setting sise; did you mean size?"),
        ("[grid]\nsize = 4", "grid.size must be a list of values: got 4; try size = [8]"),
        ("[grid]\nsize = []", "grid.size must be a list of values: got []; try size = [8]"),
        ("[grid]\nsize = [4, 4.5]", "grid.size must be a whole number: got 4.5; try 8"),
        ("[grid]\nsize = [true]", "grid.size must be a whole number: got true; try 8"),
        ("[grid]\nscale = [nan]", "grid.scale must be a number: got nan; try 1.0"),
        ("[grid]\nscale = ['a']", 'grid.scale must be a number: got "a"; try 1.0'),
        ("[grid]\nlags = [1, 2]", "a list whose entries are each a whole number: got 1; try [1, 2]"),
        ("[grid]\nfate = ['dies']", 'one of "finishes", "kills its worker once", "kills its worker", "is wr'),
        ("grid = 3", "grid must be a table: got 3; write [grid]"),
        ("trials = 3", "trials must be tables: got 3; write [[trials]]"),
        ("seeds = 0", "seeds must be a count of at least 1 or a list of whole numbers: got 0; try 3"),
        ("seeds = []", "a list of whole numbers: got []; try 3"),
        ("[[trials]]\nseed = 1.5", "trials.seed must be a whole number: got 1.5; try 0"),
        ("[grid]\nsize = [4, 1]", "size must be at least 2: got 1; try 2 (in the trial size = 1)"),
        ("[grid]\nsize = [4", "expected TOML in"),
        (
            f"seeds = 2\n[grid]\nsize = {list(range(400))}\nscale = {list(range(400))}",
            "at most 100,000 trials",
        ),
        ("seeds = 200000", "at most 100,000 trials, got 200,000"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_the_right_way(trials, content, message):
    assert message in complaint(trials, content)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    for path, content in ((tmp_path / "none.toml", None), (tmp_path / "latin.toml", b"a = '\xe9'")):
        if content:
            path.write_bytes(content)
        with pytest.raises(UserError, match=r"expected .* in .*; see sims/sweeps/README\.md"):
            configurations(path, Config(), 0)


def test_no_setting_of_an_experiment_has_the_name_of_an_option_of_sweeps():
    for experiment in sims.EXPERIMENTS.values():
        names = {field.name for field in dataclasses.fields(experiment.Config)}
        assert not names & {"sweep", "engine", "scheduler", "workers", "seed", "out", "quiet"}


def test_every_setting_of_every_experiment_can_be_swept(tmp_path):
    from sims.sweeps.setting import example

    for name, experiment in sims.EXPERIMENTS.items():
        base = experiment.Config()
        settings = {field.name: getattr(base, field.name) for field in dataclasses.fields(base) if field.init}
        written = {each: value for each, value in settings.items() if value is not None}
        lines = "".join(f"{each} = [{example(value)}]\n" for each, value in written.items())
        (tmp_path / "sweep.toml").write_text(f"[grid]\n{lines}")
        assert configurations(tmp_path / "sweep.toml", base, 0) == [(base, 0)], name


def test_a_worker_that_differs_is_told_in_what():
    ours = program_of(toy_trials.__name__)
    other = {**ours, "versions": {**ours["versions"], "jax": "0.1"}}
    assert difference(ours, other) == f"jax 0.1 where the driver has {ours['versions']['jax']}"
    assert difference(ours, {**ours, "sources": ""}) == "other code"
    assert difference(ours, ours) == "no difference"


def test_a_result_with_the_name_of_a_setting_keeps_both_columns():
    from sims.runs.store import Result

    trial = Trial("toy", toy_trials.run, Config(), 0)
    record = {"commit": {"revision": "abc", "dirty": True}, "device": "cpu"}
    values = {"size": 5, "b": {"x": 1.5, "list": [1]}, "a": None}
    found = row(trial, Result(trial.key, values, {}, record))
    assert list(found)[:8] == ["size", "scale", "lags", "fate", "seconds", "seed", "a", "b.x"]
    assert (found["size"], found["result.size"], found["commit"]) == (8, 5, "abc+changes")
    lines = text([row(trial, Failure("no, never")), found]).splitlines()
    assert lines[0].endswith(",seed,a,b.x,result.size,key,commit,device,error")
    assert lines[1].endswith(f',0,,,,{trial.key},,,"no, never"')
    assert ',"[1, 2]",' in lines[2]
