"""The toy tasks' figure has a row per task and says what leaks."""

import dataclasses

import pytest

from paper_figs.figures import toy_tasks as figure
from paper_figs.style import FULL_WIDTH
from sims.runs.store import UserError
from tests.paper_figs.example_toy_tasks import NAMES, toy_tasks


def test_every_task_has_its_row_in_the_order_of_the_result():
    drawn = figure.draw({"toy_tasks": toy_tasks()})
    shown = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert shown == list(NAMES)
    assert drawn.get_figwidth() == FULL_WIDTH
    assert all(axes.get_xlabel() for axes in drawn.axes)


def test_the_caption_follows_the_numbers():
    result = toy_tasks()
    changed = {**result.values, "patch_association": {"leak": 0.61, "best": 0.7}}
    assert "accuracy 0.696" in figure.caption({"toy_tasks": result})
    assert "accuracy 0.610" in figure.caption({"toy_tasks": dataclasses.replace(result, values=changed)})


def test_without_the_result_the_message_names_it():
    with pytest.raises(UserError, match="figure toy_tasks needs the stored result toy_tasks"):
        figure.draw({})
