"""Principal angles between the score spaces that two losses see. Exact up to rounding.

The cosines are the singular values of Q_1^T Q_2 for orthonormal bases Q_1, Q_2 of the two spans of
per-sample gradients (Bjorck and Golub 1973), from Gram matrices alone.   [C9]
"""

from collections.abc import Sequence

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float

from theory.probes.gram import MEMORY, Report, gram
from theory.probes.sources import Joined, Objective, Source, differentiated
from theory.probes.spectrum import span


def principal_angles(
    first: Objective,
    second: Objective,
    *,
    bias: ArrayLike | Sequence,
    memory: int = MEMORY,
    report: Report | None = None,
) -> list[Float[np.ndarray, " angle"]]:
    """theta_k = arccos sigma_k(Q_1^T Q_2), Q_1 and Q_2 bases of two losses' gradients; ascending.   [C9]

    Parameters
    ----------
    first, second
        Each a loss with its own parameters and batch; the numbers of samples may differ.
    bias
        Where to differentiate, (..., L, L), the same for both.

    Returns
    -------
    One array per layer and head, in the order of the bias's leading axes; as many angles as the smaller
    span has directions, pi/2 where nothing is shared. Spans of samples: with n samples each, two random
    n-dimensional spaces of R^{L^2} are not orthogonal; compare with angles of independent halves.

    Raises
    ------
    ValueError
        As `theory.probe`.
    """
    sources = differentiated(first, bias), differentiated(second, bias)
    return source_angles(*sources, memory=memory, report=report)


def source_angles(
    first: Source, second: Source, *, memory: int = MEMORY, report: Report | None = None
) -> list[Float[np.ndarray, " angle"]]:
    """`principal_angles` of gradients from anywhere."""
    products = gram(Joined(first, second), memory=memory, report=report)
    matrices = products.reshape(-1, *products.shape[-2:])
    return [angles(matrix, first.samples) for matrix in matrices]


def angles(gram: Float[np.ndarray, "sample sample"], border: int) -> Float[np.ndarray, " angle"]:
    """Angles between the spans of the samples before and from `border` on; below 1e-7 they are rounding."""
    (left, _), (right, _) = span(gram[:border, :border]), span(gram[border:, border:])
    overlap = left.T @ gram[:border, border:] @ right
    if overlap.shape[0] < overlap.shape[1]:
        overlap = overlap.T
    cosines = np.clip(np.linalg.svd(overlap, compute_uv=False), 0.0, 1.0)
    return np.arccos(cosines)
