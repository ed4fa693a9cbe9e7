"""One tolerance per cause of disagreement. Relative to the size of what is compared.

Tests and the claim registry read these and no others.
"""

import math

EXACT_SYMBOLIC = 0.0
"""Exact arithmetic: the difference is the number 0."""

EXACT_FLOAT64 = 1e-12
"""The same formula evaluated in two orders in float64."""

FLOAT32 = 1e-5
"""The same formula evaluated in float32, or on an accelerator."""

FINITE_DIFFERENCE = 1e-7
"""Central differences at step eps^(1/3): truncation and rounding both near 1e-10 relative, the
rest is room for the curvature of the loss."""

STANDARD_ERRORS = 5.5
"""Monte Carlo: a Gaussian misses by more in 4 of 100 million comparisons. Twenty seeds of about 1,000
comparisons all pass with a probability above 0.999 if the claims are true."""

ASYMPTOTIC_EXPONENT = 0.1
"""A fitted exponent over a finite range of L against the exponent at infinity."""


def monte_carlo(standard_error: float, z: float = STANDARD_ERRORS) -> float:
    """z standard errors: the largest deviation that chance explains."""
    if not (math.isfinite(standard_error) and standard_error > 0):
        raise ValueError(
            f"a Monte-Carlo tolerance needs a positive finite standard error: got {standard_error}; "
            f"draw more than one sample, of a quantity that varies"
        )
    return z * standard_error
