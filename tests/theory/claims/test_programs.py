"""A check's draws and the rest of it, compiled apart, give what the whole gives."""

import jax
import jax.numpy as jnp
import pytest

from theory.claims.checks import programs
from theory.claims.checks.programs import program

KEY, OTHER = jax.random.key(0), jax.random.key(1)


def drawing(key):
    """Draws of several kinds, also one per key of many, some read twice."""
    first, second, third = jax.random.split(key, 3)
    each = jax.vmap(lambda one: jax.random.uniform(one, (2,)) ** 2)(jax.random.split(second, 4))
    rolled = jnp.roll(jax.random.normal(first, (3, 4)), 1, axis=0)
    walk = jax.lax.scan(lambda at, one: (at + jax.random.normal(one), None), 0.0, jax.random.split(third, 3))
    return rolled.sum() * each.sum() + jax.random.randint(first, (), 0, 9).astype(float) + walk[0]


@pytest.mark.parametrize(
    "function", [drawing, lambda key: jnp.ones(3).sum(), lambda key: jax.random.normal(key)]
)
def test_draws_apart_and_the_rest_give_what_the_whole_gives_at_every_key(function) -> None:
    run = program(function, KEY)
    for key in (KEY, OTHER):
        assert float(run(key)) == pytest.approx(float(function(key)), rel=1e-12)


def test_draws_of_one_shape_are_compiled_once_for_all_checks() -> None:
    compiled = lambda: programs._shared.cache_info().currsize
    program(lambda key: jax.random.normal(key, (5, 7)).sum(), KEY)(KEY)
    before = compiled()
    program(lambda key: jnp.exp(jax.random.normal(jax.random.split(key)[1], (5, 7))).max(), OTHER)(OTHER)
    assert compiled() == before


def test_what_is_left_draws_nothing_that_follows_from_the_key_alone() -> None:
    traced = jax.make_jaxpr(drawing)(KEY)
    draws, rest = programs._apart(traced.jaxpr)
    assert {"random_split", "slice", "squeeze"} <= {each.primitive.name for each in draws}
    assert not {each.primitive.name for each in rest} & {"random_split", "random_bits"}
