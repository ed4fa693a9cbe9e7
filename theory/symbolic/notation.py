"""What the symbols of the derivations mean: one symbol is one thing in all of them. Pure."""

from collections.abc import Iterator

import sympy
from sympy.core.function import AppliedUndef

from theory.symbolic.derivation import Derivation
from theory.symbolic.printers import EXPECTATION

MEANINGS: dict[str, str] = {
    "L": "number of positions (tokens) of a sequence",
    "i": "a position; where there are two, that of the query",
    "j": "a position",
    "k": "a position",
    "a": "a position, of a query",
    "b": "a position, of a key",
    "r": "a lag, from a query to a key",
    "f": "a column, or a pair of columns that is one frequency",
    "g": "a column",
    "d": "number of columns of X, of V, of P, or of features z",
    "d_k": "number of columns of W_Q and W_K, k in the claims",
    "c_k": "one of them",
    "x": "scalar token at a position",
    "X": "tokens as rows",
    "xbar": "mean token of a sequence",
    "x_L": "token that a causal model predicts",
    "x_{L-1}": "token at which a causal model predicts it",
    "y": "label, 0 or 1; of several classes, 1 for the own one and 0 for the others",
    "S": "attention scores: row = query, column = key; one index where there is one query",
    "A": "attention weights, the softmax of each row of S; one index where there is one query",
    "A'": "their first derivative along a path",
    "A''": "their second derivative along a path",
    "A^+": "attention weights of the layer above",
    "alpha": "the one row of weights that all queries share: by key, or by lag on a ring",
    "xi": "e^g at a lag, the weights of a circulant before they are normalised",
    "Z": "their sum",
    "B": "weights without those at lag 0: the masked token carries nothing",
    "c": "mean attention that a key receives",
    "beta": "a key bias",
    "F": "potential of a key bias",
    "D": "a direction of the scores",
    "G": "gradient of the loss in the scores",
    "R": "L times the gradient of the loss in the weights",
    "l": "loss",
    "l_i": "masked loss at a position",
    "u": "gradient of the loss in z",
    "z": "pooled features",
    "z_u": "pooled vector, read along u",
    "phi": "token-wise map after attention",
    "phi_1": "slope of phi at uniform attention",
    "phi_2": "bend of phi at uniform attention",
    "psi_1": "slope of u phi at uniform attention",
    "psi_2": "bend of u phi at uniform attention",
    "q": "gradient of the loss in what attention writes at a query, times L behind a mean pool",
    "H": "what attention writes at a position",
    "Vx": "what a key offers, V x, in one coordinate",
    "s": "what a key offers, read along u: u^T V x",
    "s^0": "a token, read along u",
    "s^2": "what the upper layer writes of a token, read along u",
    "s^21": "what the upper layer writes of what the lower one wrote, read along u",
    "Vm": "what the mask token offers, V m, in one coordinate",
    "o": "1 at a position that is seen, 0 where it is masked",
    "V": "value-output map of tokens that are vectors",
    "v": "value-output weight of scalar tokens",
    "v_q": "weight of a query's own token",
    "t": "how far along a path; under a flow, the time",
    "C": "second moments of scalar tokens; one index, the lag, where they are stationary on a ring",
    "C0": "variance of a token, C at lag 0",
    "C^0": "second moments in class 0",
    "C^1": "second moments in class 1",
    "Y": "products of two tokens of one sequence",
    "Gamma": "second moments of scalar tokens, where C stands for their lags",
    "C_yx": "second moments of an image's pixels by displacement, rows first",
    "L_y": "rows of an image, H in the claims",
    "L_x": "columns of an image, W in the claims",
    "r_y": "rows from a query to a key",
    "r_x": "columns from a query to a key",
    "k_y": "rows of another displacement",
    "k_x": "columns of it",
    "D_n": "mean over queries of D at lag n of raster order",
    "T": "sum of the second moments over all lags",
    "rho": "correlation of neighbours of AR(1)",
    "T_j": "sum of a column of the second moments on a line",
    "U": "covariance of the residual with a token",
    "p_m": "chance that a position other than the predicted one is masked, p in the claims",
    "p": "predicted probability of class 1",
    "pi": "share of a class, of class 1 where there are two",
    "mu_0": "mean of z in class 0",
    "mu_1": "mean of z in class 1",
    "w": "head on z; one index where there are several features",
    "b_0": "intercept of the head, class by class where there are several",
    "logit": "logit of the prediction",
    "tau": "imbalance of the prediction, 2p - 1",
    "theta": "one sequence's x^T D x, q in the claims",
    "chi": "sign of the class, 1 or -1",
    "m_0": "mean of x^T D x in class 0",
    "m_1": "mean of x^T D x in class 1",
    "m": "mean of m_0 and m_1",
    "kappa": "class contrast (m_1 - m_0)/(2m)",
    "Omega": "mean variance of x^T D x within a class, W in the claims",
    "omega": "the same over m^2",
    "zeta": "standard errors at which a sign counts as known, z in the claims",
    "n^*": "sequences that it takes",
    "n^*_label": "the same for labels",
    "n^*_rec": "the same for reconstruction",
    "P": "positional encodings as rows",
    "W": "matrix of a bilinear score",
    "W_Q": "map of the queries",
    "W_K": "map of the keys",
    "W_Q^t": "an entry of W_Q after a time t",
    "G_Q": "gradient of the loss in W_Q",
    "G_K": "gradient of the loss in W_K",
    "K": "overlap of encodings, P P^T",
    "K_1": "sum of a row of it",
    "w'": "what labels ask of a key",
    "S'": "scores that small maps of centred encodings make",
    "z_L": "a root of unity, e^(2 pi i/L)",
    "G_fg": "gradient in the scores, read by two frequencies",
    "lambda": "the data's power at a frequency",
    "m_f": "what reconstruction says to a frequency",
    "W_ac": "entry of the tied map",
    "W_bc": "another entry of the same column",
    "Sigma": "second moments of a column of the tied map",
    "sigma_W^2": "variance of its entries, sigma^2 in the claims",
    "nu": "angular frequency of a pair of columns",
    "h": "half-width of a band, w in the claims",
    "M": "class contrast of one feature's response to the scores",
    "z'_0": "mean response of a feature in class 0",
    "z'_1": "mean response of a feature in class 1",
    "z'": "mean response of a feature in a class",
    "N_c": "number of classes",
    "c'": "a class",
    "c''": "another class",
    "sigma": "size of M",
    "K_z": "curvature of the head of one centred feature, k in the claims",
    "gamma": "escape rate",
    "mu": "ridge on the scores",
    "S_M": "score along M; through queries and keys the amplitude of either",
    "epsilon": "its start, e in the claims",
    "a_end": "the size to be reached, A in the claims",
    "eta": "learning rate",
    "N": "number of steps of descent",
    "T^0": "sum of the second moments over all lags in class 0",
    "T^1": "sum of the second moments over all lags in class 1",
    "C^2": "sum of squared second moments over lags",
    "Delta^2": "sum over lags of the classes' squared difference in second moments",
    "det_gamma": "determinant of the Hessian plus gamma",
    "det_0": "determinant of the Hessian with a ridge on the scores",
    "tau_g": "standard deviation of a gradient, tau in the claims",
    "m_g": "mean of a gradient",
    "sign_g": "sign of a gradient",
    "n": "number of queries that see a key",
    "delta": "number of neighbours that a key lacks",
    "share": "visible share of the squared norm",
}
"""By the symbol's name: what it stands for, in whatever derivation it stands."""


def expressions(derivation: Derivation) -> Iterator[sympy.Basic]:
    """Everything a derivation shows: what is given, each chain's target and steps."""
    yield from (expression for expression, _ in derivation.given)
    for chain in derivation.chains:
        yield chain.target
        yield from (step.expression for step in chain.steps)


def symbols(derivation: Derivation) -> dict[str, set[str]]:
    """Each name that a derivation uses, with its kinds: indexed, whole number, quantity. Sums' indices excepted."""
    kinds: dict[str, set[str]] = {}
    for expression in expressions(derivation):
        for name, kind in named(expression):
            kinds.setdefault(name, set()).add(kind)
    return kinds


def named(expression: sympy.Basic) -> Iterator[tuple[str, str]]:
    """(name, kind) of every symbol that is not the index of a sum."""
    along = {variable for each in expression.atoms(sympy.Derivative) for variable in each.variables}
    free = expression.free_symbols | along
    labels = {symbol.base.label for symbol in free if isinstance(symbol, sympy.Indexed)}
    for symbol in free - labels:
        if isinstance(symbol, sympy.Symbol):
            yield symbol.name, "whole number" if symbol.is_integer else "quantity"
    for base in expression.atoms(sympy.IndexedBase):
        yield str(base.label), "indexed"
    for function in expression.atoms(AppliedUndef):
        if function.func.__name__ != EXPECTATION.__name__:
            yield function.func.__name__, "quantity"


def meanings(derivation: Derivation) -> list[tuple[str, str]]:
    """(name, what it stands for) of every symbol that a derivation uses, in the order of the table."""
    used = symbols(derivation)
    return [(name, meaning) for name, meaning in MEANINGS.items() if name in used]
