"""A caption ends with the settings of its results, from their records and from nowhere else."""

from paper_figs.style.settings_captions import sentence
from sims.runs.store import Result

TOY = Result(
    "toy", {}, {}, {"config": {"length": 32, "correlation": 0.8, "seeds": 64, "quiet": True}, "seed": 3}
)
ARMS = {arm: {"settings": {"learning_rate": rate}} for arm, rate in (("label_only", 0.01), ("spt", 0.003))}


def test_settings_are_said_with_the_seed_of_the_command():
    assert sentence({"toy": TOY}, ["toy"]) == "Settings: L = 32, correlation 0.8, 64 seeds, --seed 3."
    assert sentence({"toy": TOY}, ["absent"]) == ""


def test_equal_learning_rates_are_said_once():
    config, same = {"length": 64}, {arm: {"settings": {"learning_rate": 0.01}} for arm in ARMS}
    said = lambda **depths: sentence({"x": Result("x", {"depths": depths}, {}, {"config": config})}, ["x"])
    assert said(**{"1": {"arms": same}, "2": {"arms": same}}) == "Settings: L = 64, learning rate 0.01."
    assert said(**{"1": {"arms": same}, "2": {"arms": ARMS}}) == (
        "Settings: L = 64, learning rate at 1 layer 0.01, learning rate at 2 layers 0.01 with labels only and "
        "0.003 with SPT."
    )


def test_a_result_of_several_calls_has_no_settings_of_its_last_one():
    assert sentence({"paper": Result("paper", {}, {}, TOY.record)}, ["paper"]) == ""


def test_what_two_results_share_is_said_once_and_else_behind_their_names():
    assert sentence({"toy": TOY, "too": TOY}, ["toy", "too"]).count("L = 32") == 1
    other = Result(
        "docs_order", {"length": 64, "arms": ARMS}, {}, {"config": {"layers": 1, "steps": 1200}, "seed": 0}
    )
    assert sentence({"toy": TOY, "docs_order": other}, ["toy", "docs_order"]) == (
        "Settings of toy: L = 32, correlation 0.8, 64 seeds, --seed 3; of docs-order: L = 64, 1 layer, 1,200 steps, "
        "--seed 0, learning rate 0.01 with labels only and 0.003 with SPT."
    )
