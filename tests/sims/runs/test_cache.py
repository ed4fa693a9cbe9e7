"""A stage is computed once, and again where what decides its numbers has changed."""

import jax
import pytest

from sims.runs import cache, validity
from sims.runs.keys import stage_key


@pytest.fixture
def keep(tmp_path):
    """Keep a stage of a config; gives its values, and the folder for what a killed run finds again."""
    session = cache.Session(tmp_path, "sptlab test", 0)

    def keep(config: dict, **values) -> tuple[dict, list]:
        computed = []

        def compute(folder):
            computed.append(folder)
            return {"n": len(list(tmp_path.rglob("s.json"))), **values}, {}

        return cache.cached(session, "s", config, compute, code=(cache.cached,)).values, computed

    return keep


def test_a_stage_is_computed_once(keep, tmp_path):
    values, computed = keep({"size": 1})
    assert len(computed) == 1 and computed[0].is_relative_to(tmp_path / "checkpoints")
    assert keep({"size": 1}) == (values, [])
    assert list(cache.json.loads((tmp_path / "timings.json").read_text())) == ["s"]


def test_a_stage_is_computed_again_for_another_config_or_other_code(keep, monkeypatch):
    keep({"size": 1})
    assert len(keep({"size": 2})[1]) == 1
    for part in ("sources", "versions", "device"):
        expected = validity.made_by(cache.cached) | {part: "another"}
        monkeypatch.setattr(validity, "made_by", lambda *_, expected=expected: expected)
        assert len(keep({"size": 2})[1]) == 1
        assert keep({"size": 2})[1] == []
        monkeypatch.undo()


def test_a_stage_that_says_it_is_incomplete_goes_on_in_the_same_place(keep):
    assert keep({}, complete=False)[1] == keep({}, complete=True)[1] != []
    assert keep({}, complete=True)[1] == []


def test_stage_keys_differ_by_stage_and_seed_and_repeat():
    data = [jax.random.key_data(stage_key(*pair)).tolist() for pair in (("a", 0), ("b", 0), ("a", 1))]
    assert len({str(row) for row in data}) == 3
    assert data[0] == jax.random.key_data(stage_key("a", 0)).tolist()
