"""A check as two programs: its random draws, which other checks share, and the rest of it.

A check runs once, so that nearly all of its cost is compiling, and most of a program that draws is drawing.
Draws of one shape are one program for all checks; what is left is small.
"""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array, Float, Key, PRNGKeyArray

WANTED = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,  # halves the time of these compilations
    "xla_cpu_parallel_codegen_split_count": 1,  # small programs gain nothing from threads
    "xla_cpu_enable_concurrency_optimized_scheduler": False,
}
_PICKS = {"slice", "squeeze"}
_ON_KEYS = {"random_bits", "random_fold_in", "random_split", "random_unwrap", "random_wrap", *_PICKS}
_CALLS = {"jit", "pjit"}  # as JAX names the call of a function that is jitted: normal, uniform, ...


@functools.cache
def quick_compilation() -> dict[str, bool | int]:
    """The compiler options among `WANTED` that this version of XLA knows."""
    known = {}
    for name, value in WANTED.items():
        with contextlib.suppress(Exception):  # what an unknown option raises differs between versions
            jax.jit(lambda: jnp.zeros(()), compiler_options={name: value}).lower().compile()
            known[name] = value
    return known


def program(
    function: Callable[[PRNGKeyArray], Float[Array, ""]], key: PRNGKeyArray
) -> Callable[[PRNGKeyArray], Array]:
    """`function` of keys such as this one: its draws first, then all else in one program."""
    traced = jax.make_jaxpr(function)(key)
    jaxpr = traced.jaxpr
    draws, rest = _apart(jaxpr)
    used = {*_variables(jaxpr.outvars), *(v for equation in rest for v in _variables(equation.invars))}
    drawn = [variable for equation in draws for variable in equation.outvars]
    given = [v for v in (*jaxpr.constvars, *jaxpr.invars, *drawn) if v in used]
    remaining = jax.jit(_function(jaxpr, rest, given), compiler_options=quick_compilation())

    def run(key: PRNGKeyArray) -> Array:
        known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*traced.consts, key), strict=True))
        for equation in draws:
            known |= zip(equation.outvars, _evaluated(equation, known), strict=True)
        return remaining(*(known[variable] for variable in given))[0]

    return run


def _apart(jaxpr: core.Jaxpr) -> tuple[list[core.JaxprEqn], list[core.JaxprEqn]]:
    """(the equations that make keys, and numbers of nothing but keys; all others), each in order."""
    known, draws, rest = {*jaxpr.constvars, *jaxpr.invars}, [], []
    for equation in jaxpr.eqns:
        inputs, name = _variables(equation.invars), equation.primitive.name
        if known.issuperset(inputs) and any(map(_is_key, inputs)) and name in _ON_KEYS | _CALLS:
            known.update(equation.outvars)
            draws.append(equation)
        else:
            rest.append(equation)
    return draws, rest


def _variables(atoms: list[Any]) -> list[core.Var]:
    """Those that are no literals."""
    return [atom for atom in atoms if not isinstance(atom, core.Literal)]


def _is_key(variable: core.Var) -> bool:
    """Whether it holds random keys."""
    return jax.dtypes.issubdtype(getattr(variable.aval, "dtype", bool), jax.dtypes.prng_key)


def _evaluated(equation: core.JaxprEqn, known: dict[core.Var, Any]) -> list[Any]:
    """What one equation makes of what is known."""
    values = [atom.val if isinstance(atom, core.Literal) else known[atom] for atom in equation.invars]
    if equation.primitive.name in _CALLS:
        return _shared(equation.params["jaxpr"])(*values)
    if equation.primitive.name in _PICKS:
        return [_picked(equation, values[0])]
    made = equation.primitive.bind(*values, **equation.params)
    return list(made) if equation.primitive.multiple_results else [made]


def _picked(equation: core.JaxprEqn, keys: Key[Array, "..."]) -> Key[Array, "..."]:
    """Some of the keys, without a program for each position that keys are picked from."""
    numbers, options = np.asarray(jax.random.key_data(keys)), equation.params
    if equation.primitive.name == "squeeze":
        picked = numbers.squeeze(options["dimensions"])
    else:
        steps = options["strides"] or (1,) * keys.ndim
        bounds = zip(options["start_indices"], options["limit_indices"], steps, strict=True)
        picked = numbers[tuple(slice(*each) for each in bounds)]
    return jax.random.wrap_key_data(picked, impl=jax.random.key_impl(keys))


@functools.cache
def _shared(traced: core.ClosedJaxpr) -> Callable[..., list[Array]]:
    """The program of one jitted function at one shape: JAX traces it once, whoever calls it."""
    return jax.jit(core.jaxpr_as_fun(traced), compiler_options=quick_compilation())


def _function(
    jaxpr: core.Jaxpr, equations: list[core.JaxprEqn], given: list[core.Var]
) -> Callable[..., list[Array]]:
    """What the equations make of the variables given: the outputs of the whole."""
    names = jaxpr.debug_info._replace(arg_names=None, result_paths=None)
    part = jaxpr.replace(constvars=[], invars=given, eqns=equations, debug_info=names)
    return core.jaxpr_as_fun(core.ClosedJaxpr(part, []))
