"""Directions in score space that a diagnosis looks along: offsets, reconstruction's own, and random ones.

All are doubly centred: the same for no query and for no key, so that the minimal model's labels are
blind to them.   [C1, C10, C13]
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from full_scale.data.dataset import Inputs
from full_scale.diagnosis.initialisation import Dominant
from full_scale.model import Transformer
from full_scale.model.positions import sinusoidal
from full_scale.probes.factored_gradients import FactoredGradients
from theory.label_blindness.centring import doubly_centred, key_bias, row_centred
from theory.probes.lags import lag_profile

LAGS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_BAND = 4
CONDITIONED = 1e-3  # singular values of the positions below this share of the largest do not count
TRAINED = ("sinusoidal", "learned", "random-normal")  # positions added to the tokens
Matrices = Float[np.ndarray, "layer head query key"]


def unit(matrices: Float[np.ndarray, "*stack query key"]) -> Float[np.ndarray, "*stack query key"]:
    """Every matrix with norm 1; 0 stays 0."""
    norm = np.linalg.norm(matrices, axis=(-2, -1), keepdims=True)
    return (matrices / np.where(norm > 0, norm, 1)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Offsets:
    """Directions towards keys at given distances; each is a sum over signed offsets of the key."""

    names: tuple[str, ...]
    signed: Int[np.ndarray, " offset"]
    """key position - query position."""
    rows: Bool[np.ndarray, "offset position"]
    """The queries whose key at that offset exists."""
    members: Float[np.ndarray, "direction offset"]
    """1 where an offset belongs to a direction."""
    causal: bool = False
    """Queries reach no later key."""

    def along(self, gradients: FactoredGradients) -> Float[np.ndarray, "n direction layer head"]:
        """<G, D> with the unit doubly centred direction of every name: <G, T> less that of T's key bias."""
        onto, whole = map(np.array, zip(*map(self.sums, self.members), strict=True))
        bias = key_bias(onto, self.causal)
        square = whole - (bias * onto).sum(axis=1)
        raw = np.asarray(
            gradients.along_offsets(jnp.asarray(self.signed, jnp.int32), jnp.asarray(self.rows)), np.float64
        )
        inner = np.einsum("ko,nolh->nklh", self.members, raw)
        inner -= np.einsum("nlhj,kj->nklh", np.asarray(gradients.columns(), np.float64), bias)
        return inner / np.sqrt(square)[None, :, None, None]

    def sums(self, member: Float[np.ndarray, " offset"]) -> tuple[Float[np.ndarray, " key"], float]:
        """Column sums and squared norm of T, row-centred: 1 where a key lies at a direction's offsets."""
        queries = np.arange(self.rows.shape[1])
        towards = np.zeros((len(queries), len(queries)))
        for offset in np.flatnonzero(member):
            rows = queries[self.rows[offset]]
            towards[rows, rows + self.signed[offset]] = 1
        inside = row_centred(towards, self.causal)
        return inside.sum(axis=0), float((inside**2).sum())


def offsets(inputs: Inputs, positions: int, causal: bool = False) -> Offsets:
    """Lags |i - j| up to half the length, the band 1..4; of images, also neighbours and rows apart.

    Causal: the same towards earlier keys only.   [C18]
    """
    length, first = inputs.length, positions - inputs.length
    columns = inputs.grid[1] if inputs.grid else 0
    lags = [lag for lag in LAGS if lag < length // 2] or [1]
    named = {f"lag {lag}": [(0, lag), (0, -lag)] for lag in lags}
    named[f"lags 1-{_BAND}"] = [
        (0, sign * lag) for lag in range(1, min(_BAND, length - 1) + 1) for sign in (1, -1)
    ]
    if inputs.grid:
        named |= {f"{down} down": [(down, 0), (-down, 0)] for down in (1, 2) if down < inputs.grid[0]}
        named["four neighbours"] = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    if causal:
        named = {name: [each for each in several if each < (0, 0)] for name, several in named.items()}
    wanted = sorted({each for several in named.values() for each in several})
    index = np.arange(length)
    signed = np.array([down * columns + right for down, right in wanted])
    rows = np.zeros((len(wanted), positions), bool)
    for at, ((down, right), r) in enumerate(zip(wanted, signed, strict=True)):
        inside = (index + r >= 0) & (index + r < length)
        if inputs.grid and (down or abs(right) == 1) and "four neighbours" in named:
            inside &= (index % columns + right >= 0) & (index % columns + right < columns)
        rows[at, first:] = inside
    members = np.array([[float(each in several) for each in wanted] for several in named.values()])
    return Offsets(tuple(named), signed, rows, members, causal)


def nearest(inputs: Inputs) -> str:
    """The name of the proximity direction: lag 1, or an image's four neighbours."""
    return "four neighbours" if inputs.grid else "lag 1"


def position_projection(matrices: Matrices, model: Transformer) -> tuple[Matrices, str]:
    """What positions can express of score matrices, and how: P P^+ D P P^+, or the mean along diagonals.

    A pattern outside cannot be learned from positions alone, by any loss.   [C13]
    """
    kind = model.config.positions
    if kind == "rope":
        return toeplitz_part(matrices), "rotations: patterns that depend on j - i"
    if kind not in TRAINED:
        return matrices, f"positions={kind}: no part of a score is learned from positions; nothing projected"
    positions = matrices.shape[-1]
    table = sinusoidal(positions, model.config.width) if model.positions is None else model.positions
    basis, sizes, _ = np.linalg.svd(centred_rows(np.asarray(table, np.float64)), full_matrices=False)
    basis = basis[:, sizes > CONDITIONED * sizes[0]]
    inner = np.einsum("ia,lhij,jb->lhab", basis, matrices, basis, optimize=True)
    projection = np.einsum("ia,lhab,jb->lhij", basis, inner, basis, optimize=True)
    return projection.astype(np.float32), f"{kind} positions: {basis.shape[1]} of {positions} dimensions"


def centred_rows(table: np.ndarray) -> np.ndarray:
    """Positions less their mean: what is left of them in doubly centred scores."""
    return table - table.mean(axis=0)


def toeplitz_part(matrices: Matrices) -> Matrices:
    """Each diagonal's entries replaced by their mean."""
    length = matrices.shape[-1]
    averaged = np.empty_like(matrices)
    for r in range(1 - length, length):
        rows = np.arange(max(0, -r), min(length, length - r))
        averaged[..., rows, rows + r] = matrices[..., rows, rows + r].mean(axis=-1, keepdims=True)
    return averaged


def random_like(matrices: Matrices, model: Transformer, seed: int) -> Matrices:
    """Unit random directions of the same kind: doubly centred, expressible."""
    draw = np.random.default_rng((seed, 7)).standard_normal(matrices.shape)
    causal = model.config.causal
    return unit(doubly_centred(position_projection(doubly_centred(draw, causal), model)[0], causal))


def dominant_offset(direction: Float[np.ndarray, "query key"], inputs: Inputs) -> Dominant:
    """The lag, or an image's (rows, columns), with the largest mean entry; and the profile by lag."""
    length = inputs.length
    matrix = np.asarray(direction, np.float64)[-length:, -length:]
    lags, profile = np.arange(1, length), lag_profile(matrix)[1:]
    trusted = max(1, length // 2)  # far offsets are means over few entries
    lag = int(lags[:trusted][profile[:trusted].argmax()])
    step = _dominant_step(matrix, inputs.grid) if inputs.grid else None
    return Dominant(lag, tuple(profile[: min(trusted, 256)].tolist()), step)


def _dominant_step(matrix: np.ndarray, grid: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of the largest mean entry over an image's steps, up to sign."""
    height, width = grid
    blocks, best, step = matrix.reshape(height, width, height, width), -np.inf, (0, 0)
    for down in range(height // 2 + 1):
        for right in range(-(width // 2), width // 2 + 1):
            if (down, right) <= (0, 0):
                continue
            top, left = np.arange(height - down), np.arange(max(0, -right), min(width, width - right))
            rows, columns = np.meshgrid(top, left, indexing="ij")
            there = blocks[rows, columns, rows + down, columns + right]
            back = blocks[rows + down, columns + right, rows, columns]
            mean = (there.mean() + back.mean()) / 2
            if mean > best:
                best, step = mean, (down, right)
    return step
