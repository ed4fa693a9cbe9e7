"""C22 in symbols: the label gradient averaged over rotations, and what weight decay leaves."""

import sympy

from theory.symbolic.index_sums import ring_matrix

LARGEST_EXACT = 6


def orbit_gradient_vanishes():
    """L = 2..6: kernel weights a (summing to 1) and s_j free; u is the same for all rotations."""
    for length in range(2, LARGEST_EXACT + 1):
        free, per_key = sympy.symbols(f"a1:{length}"), sympy.symbols(f"s0:{length}")
        weights = ring_matrix((1 - sum(free), *free))
        for key in range(length):
            rotated = [[per_key[(j + shift) % length] for j in range(length)] for shift in range(length)]
            collected = [sum(w * s for w, s in zip(weights.row(0), each, strict=True)) for each in rotated]
            slopes = (each[key] - mean for each, mean in zip(rotated, collected, strict=True))
            yield sympy.expand(weights[0, key] * sum(slopes))


def only_decay_is_left():
    """Decoupled decay without a gradient: one to three steps of a score and of a product, and the limit."""
    rate, decay, time = sympy.symbols("eta lambda t", positive=True)
    kernel, query, key = sympy.symbols("g q k")
    step = lambda parameter: parameter - rate * (0 + decay * parameter)
    for steps in range(1, 4):
        kernel_after, query_after, key_after = kernel, query, key
        for _ in range(steps):
            kernel_after, query_after, key_after = map(step, (kernel_after, query_after, key_after))
        yield sympy.expand(kernel_after - (1 - rate * decay) ** steps * kernel)
        yield sympy.expand(query_after * key_after - (1 - rate * decay) ** (2 * steps) * query * key)
    yield sympy.limit((1 - rate * decay) ** (time / rate), rate, 0) - sympy.exp(-decay * time)
