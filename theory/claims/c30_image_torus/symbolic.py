"""C30 in symbols: the pull on an image for symbolic rows and columns, and again with every covariance spelled out."""

from collections.abc import Iterator

import sympy
from sympy import IndexedBase, KroneckerDelta, Sum, Symbol, expand

from theory.symbolic.index_sums import of_indexed, resolve, v

SIZES = ((1, 3), (2, 2), (2, 3), (3, 2), (3, 3), (3, 4))

rows, columns = (Symbol(name, integer=True, positive=True) for name in ("L_y", "L_x"))
down, right = (Symbol(name, integer=True, nonnegative=True) for name in ("r_y", "r_x"))
k_y, k_x = (Symbol(name, integer=True, nonnegative=True) for name in ("k_y", "k_x"))
R, Gamma, C, D = (IndexedBase(name, real=True) for name in ("R", "Gamma", "C_yx", "D"))
T = Symbol("T", real=True)
pixels = rows * columns


def over(term: sympy.Expr) -> sympy.Expr:
    """Summed over all displacements (k_y, k_x)."""
    return Sum(Sum(term, (k_y, 0, rows - 1)), (k_x, 0, columns - 1))


def other(y, x) -> sympy.Expr:
    """1 at every displacement but 0."""
    return 1 - KroneckerDelta(y, 0) * KroneckerDelta(x, 0)


def response(y, x) -> sympy.Expr:
    """L times the slope of C8's loss in the weight of pixel (0, 0) for pixel (y, x), at uniform attention."""
    carried = over(other(k_y, k_x) / pixels * Gamma[k_y, k_x, y, x])
    return other(y, x) * (v**2 * carried - v * Gamma[0, 0, y, x])


def stationary(y, x) -> sympy.Expr:
    """The same, with rows of Gamma that sum to T."""
    return other(y, x) * (v**2 * (T - C[y, x]) / pixels - v * C[y, x])


def law(y, x, covariance=C, everything=T, count=pixels) -> sympy.Expr:
    """The claimed negative gradient at a displacement."""
    along = v * (1 + v / count) * (other(y, x) * covariance[y, x] - (everything - covariance[0, 0]) / count)
    return (along - v**2 * everything / count * (other(y, x) - (count - 1) / count)) / count**2


pull_back = (over(R[k_y, k_x]) / pixels - R[down, right]) / pixels**2
in_moments = (over(stationary(k_y, k_x)) / pixels - stationary(down, right)) / pixels**2


def at_zero_and_off_it(gap: sympy.Expr) -> Iterator[sympy.Expr]:
    """Deltas against displacement 0 are 1 at it; off it one of the two is 0."""
    yield expand(resolve(gap).subs({down: 0, right: 0}))
    yield expand(resolve(gap).subs(KroneckerDelta(down, 0), 0))
    yield expand(resolve(gap).subs(KroneckerDelta(right, 0), 0))


def response_is_stationary() -> Iterator[sympy.Expr]:
    """The slope with sum_k Gamma_k,r = T and Gamma_0,r = C(r); and put into the softmax's pull-back."""
    known = {over(Gamma[k_y, k_x, down, right]): T, Gamma[0, 0, down, right]: C[down, right]}
    spelled = expand(resolve(response(down, right))).subs(known)
    yield from at_zero_and_off_it(spelled - stationary(down, right))
    yield expand(resolve(of_indexed(pull_back, R, stationary)) - resolve(in_moments))


def law_for_symbolic_sizes() -> Iterator[sympy.Expr]:
    """Any rows and columns: the pull-back is the law, with sum_r C(r) = T."""
    yield from response_is_stationary()
    yield from at_zero_and_off_it(resolve(in_moments).subs(over(C[k_y, k_x]), T) - law(down, right))


def differences_without_brightness() -> Iterator[sympy.Expr]:
    """Off displacement 0 the law differs by v (1 + v/L)(C(r) - C(s))/L^2: what all C share cancels."""
    off = lambda y, x: law(y, x).subs(KroneckerDelta(y, 0), 0)
    gap = off(down, right) - off(k_y, k_x)
    yield expand(gap - v * (1 + v / pixels) * (C[down, right] - C[k_y, k_x]) / pixels**2)


def pull_sums_to_zero() -> Iterator[sympy.Expr]:
    """Certificate: the law summed over displacements, which is what each key receives of all queries, is 0."""
    yield expand(resolve(over(law(k_y, k_x))).subs(over(C[k_y, k_x]), T))


def symbols_of(height: int, width: int) -> dict[tuple[int, int], sympy.Symbol]:
    """A symbol for each displacement, the same for r and -r."""
    paired = lambda y, x: min((y, x), (-y % height, -x % width))
    return {(y, x): Symbol("c{}_{}".format(*paired(y, x))) for y in range(height) for x in range(width)}


def torus_matrix(entries: dict[tuple[int, int], sympy.Expr], height: int, width: int) -> sympy.Matrix:
    """Entries by displacement, positions in raster order."""
    between = lambda p, q: ((q // width - p // width) % height, (q % width - p % width) % width)
    return sympy.Matrix(height * width, height * width, lambda p, q: entries[between(p, q)])


def law_for_each_size() -> Iterator[sympy.Expr]:
    """1 x 3 to 3 x 4 pixels: the law from C8's gradient, every covariance a symbol."""
    for height, width in SIZES:
        count, entries = height * width, symbols_of(height, width)
        matrix = torus_matrix(entries, height, width)
        others = (sympy.ones(count) - sympy.eye(count)) / count
        of_query = [0, *(v**2 * others * matrix - v * matrix)[0, 1:]]
        for key, slope in enumerate(of_query):
            negative = (sum(of_query) / count - slope) / count**2
            pixel = divmod(key, width)
            yield expand(negative - law(*pixel, entries, sum(entries.values()), sympy.Integer(count)))


def mean_at_raster_lags() -> Iterator[sympy.Expr]:
    """1 x 3 to 3 x 4 pixels, every lag: the mean over queries, entry by entry, and its two displacements."""
    for height, width in SIZES:
        entries = {(y, x): Symbol(f"g{y}_{x}") for y in range(height) for x in range(width)}
        matrix, count = torus_matrix(entries, height, width), height * width
        for lag in range(count):
            y, x = divmod(lag, width)
            mean = sum(matrix[query, (query + lag) % count] for query in range(count)) / count
            wrapped = sympy.Rational(x, width)
            yield expand(mean - (1 - wrapped) * entries[y, x] - wrapped * entries[(y + 1) % height, x])
