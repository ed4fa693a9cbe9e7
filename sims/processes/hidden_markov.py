"""Symbols of a hidden Markov chain on a line, stationary from the first. Exact for every L.

A hidden state moves by T and shows a symbol by E. All second moments follow from powers of T.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sims.processes.process import Process, frequencies
from sims.runs.config_validation import at_least, between
from sims.runs.store import UserError
from theory.claims.checks.tolerances import EXACT_FLOAT64

Rows = tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True)
class HiddenMarkov:
    """P(h_{i+1} = b | h_i = a) = T_ab and P(s_i = c | h_i = a) = E_ac."""

    length: int
    """L, symbols per sequence."""
    transitions: Rows
    """T, a row per hidden state."""
    emissions: Rows
    """E, a row per hidden state, a column per symbol."""

    def __post_init__(self) -> None:
        at_least(2, length=self.length)
        states = len(self.transitions)
        for name, rows, width in (
            ("transitions", self.transitions, states),
            ("emissions", self.emissions, len(self.emissions[0])),
        ):
            _require_chances(name, rows, states, width)
        if np.sort(np.abs(np.linalg.eigvals(self.transitions)))[-2:-1].max(initial=0) > 1 - 1e-9:
            raise UserError(
                "transitions must forget where they started: got a chain that is periodic or in separate "
                "parts; try moving 0.01 of every row to all states"
            )

    @functools.cached_property
    def stationary(self) -> Float[np.ndarray, " state"]:
        """pi = pi T."""
        states = len(self.transitions)
        equations = np.vstack([np.asarray(self.transitions).T - np.eye(states), np.ones(states)])
        return np.linalg.lstsq(equations, np.eye(states + 1)[-1], rcond=None)[0]

    @property
    def symbol_law(self) -> Float[np.ndarray, " symbol"]:
        """p = pi E: how often each symbol is shown."""
        return self.stationary @ np.asarray(self.emissions)

    def symbol_covariance(self) -> Float[np.ndarray, "lag symbol symbol"]:
        """P(s_i = a, s_{i+r} = b) - p_a p_b = E^T diag(pi) T^r E - p p^T; at r = 0 diag(p) - p p^T."""
        law, emissions = self.symbol_law, np.asarray(self.emissions)
        apart, covariances = emissions, [np.diag(law)]
        for _ in range(self.length - 1):
            apart = np.asarray(self.transitions) @ apart
            covariances.append(emissions.T @ (self.stationary[:, None] * apart))
        return np.array(covariances) - np.outer(law, law)

    def mirrored(self) -> "HiddenMarkov":
        """The chain read backwards, pi_b T_ba / pi_a: another law, the same autocovariance of any values."""
        backwards = self.stationary[None, :] * np.asarray(self.transitions).T / self.stationary[:, None]
        return dataclasses.replace(self, transitions=tuple(map(tuple, backwards.tolist())))

    def symbols(self, key: PRNGKeyArray, number: int) -> Int[Array, "number length"]:
        """`number` independent sequences of symbols 0, 1, ..."""
        move_key, show_key = jax.random.split(key)
        moves, shows = (jnp.cumsum(jnp.asarray(rows), axis=1) for rows in (self.transitions, self.emissions))
        start = jnp.cumsum(jnp.asarray(self.stationary))
        chances = jax.random.uniform(move_key, (self.length, number))
        first = chosen(jnp.broadcast_to(start, (number, len(start))), chances[0])

        def step(state: Int[Array, " number"], chance: Float[Array, " number"]) -> tuple[Array, Array]:
            return (after := chosen(moves[state], chance)), after

        later = jax.lax.scan(step, first, chances[1:])[1]
        hidden = jnp.concatenate([first[None], later]).T
        return chosen(shows[hidden], jax.random.uniform(show_key, hidden.shape))

    def process(self, values: tuple[float, ...]) -> Process:
        """x_i = value of s_i, centred, variance 1: C(r) = (pi u)^T T^r u / C(0), u = E values.   [C8]

        Raises UserError unless there is a value per symbol and they differ.
        """
        if len(values) != len(self.symbol_law) or len(set(values)) < 2:
            raise UserError(
                f"values must be {len(self.symbol_law)} numbers, not all equal: got {values}; "
                f"try {' '.join(map(str, range(len(self.symbol_law))))}"
            )
        centred = np.asarray(values, float) - self.symbol_law @ np.asarray(values, float)
        scaled = centred / np.sqrt(self.symbol_law @ centred**2)
        autocovariance = np.einsum("a,rab,b->r", scaled, self.symbol_covariance(), scaled)
        lookup = jnp.asarray(scaled)
        return Process(
            "hidden_markov",
            jnp.asarray(autocovariance),
            jnp.asarray(self.density(scaled)),
            lambda key, number: lookup[self.symbols(key, number)],
            ring=False,
        )

    def density(self, scaled: Float[np.ndarray, " symbol"]) -> Float[np.ndarray, " frequency"]:
        """S(w) = 1 + 2 Re (pi u)^T Z (I - Z)^-1 u, Z = e^{-iw} (T - 1 pi^T): the geometric sum over lags."""
        read = np.asarray(self.emissions) @ scaled
        fading = np.asarray(self.transitions) - self.stationary[None, :]
        turned = np.exp(-1j * frequencies(self.length))[:, None, None] * fading
        summed = turned @ np.linalg.inv(np.eye(len(fading)) - turned)
        return 1 + 2 * np.einsum("a,wab,b->w", self.stationary * read, summed, read).real


def drifting(
    length: int, states: int = 3, forward: float = 0.8, backward: float = 0.1, faithful: float = 0.9
) -> HiddenMarkov:
    """States on a ring that move up by one, down by one or stay; each shows its own symbol, or any.

    Raises UserError when there are fewer than 3 states or a chance leaves (0, 1).
    """
    at_least(3, states=states)
    between(0, 1, forward=forward, backward=backward, faithful=faithful)
    between(0, 1, forward_and_backward=forward + backward)
    own = np.eye(states)
    moves = forward * np.roll(own, 1, axis=1) + backward * np.roll(own, -1, axis=1)
    moves += (1 - forward - backward) * own
    shows = faithful * own + (1 - faithful) / states
    return HiddenMarkov(length, *(tuple(map(tuple, rows.tolist())) for rows in (moves, shows)))


def chosen(cumulative: Float[Array, "*batch choice"], chance: Float[Array, "*batch"]) -> Int[Array, "*batch"]:
    """The choice in whose share of (0, 1) the chance falls."""
    passed = (chance[..., None] >= cumulative[..., :-1]).sum(axis=-1)
    return passed.astype(jnp.int32)


def _require_chances(name: str, rows: Rows, height: int, width: int) -> None:
    """Raise `UserError` unless `rows` is (height, width), not negative, each row summing to 1."""
    table = [list(row) for row in rows]
    shaped = len(table) == height and all(len(row) == width for row in table)
    if shaped and min(map(min, table)) >= 0 and all(abs(sum(row) - 1) < EXACT_FLOAT64 for row in table):
        return
    raise UserError(
        f"{name} must be {height} rows of {width} chances, each row summing to 1: got {rows}; "
        f"try rows of {1 / width:.3g}"
    )
