"""C19: a head of size 0 silences every score, and at equal class means 0 is what the head is fitted to."""

from sympy import Derivative, Eq, Function, IndexedBase, Integer, Sum, Symbol, exp, log

from theory.symbolic.derivation import Derivation, Step
from theory.symbolic.index_sums import S, a, b, difference

d = Symbol("d", integer=True, positive=True)
m = Symbol("m", integer=True, nonnegative=True)
label, intercept, p, loss = (Symbol(name, real=True) for name in ("y", "b_0", "p", "l"))
score = S[a, b]
w = IndexedBase("w", real=True)
z = Function("z")

f = Function("logit")(score)
logit = Sum(w[m] * z(m, score), (m, 0, d - 1)) + intercept
response = Sum(w[m] * z(m, score).diff(score), (m, 0, d - 1))

entropy = log(1 + exp(f)) - label * f
chained = (exp(f) / (1 + exp(f)) - label) * f.diff(score)
predicted = (p - label) * f.diff(score)
closed = (p - label) * response


def cross_entropy_is_differentiated():
    """Sympy's derivative, for a logit that depends on the score in any way."""
    yield difference(entropy.diff(score), chained)


def the_ratio_is_the_prediction():
    """p = e^logit / (1 + e^logit)."""
    yield difference(predicted.subs(p, exp(f) / (1 + exp(f))), chained)


def the_logit_is_linear_in_the_head():
    """logit = b_0 + sum_m w_m z_m, any number d of features."""
    yield difference(predicted.subs(f, logit).doit(), closed)


def the_head_is_silent():
    """Every w_m is 0."""
    yield closed.replace(lambda e: getattr(e, "base", None) == w, lambda e: Integer(0)).doit()


DERIVATION = Derivation(
    label="C19",
    given=(
        (
            Eq(f, logit, evaluate=False),
            "The logit of a linear head w on d pooled features z_m, which depend on a score S of any layer "
            "through any architecture.",
        ),
        (Eq(p, exp(f) / (1 + exp(f)), evaluate=False), "The predicted probability of class 1."),
        (
            Eq(Symbol("pi") * (1 - Symbol("pi")) * (Symbol("mu_0") - Symbol("mu_1")), 0, evaluate=False),
            "The slope of the mean loss in w at w = 0 and the best intercept, p = pi; mu_y is the mean of "
            "z in class y and pi the share of class 1. It vanishes, so that the ridge-fitted head is 0, "
            "exactly when mu_0 = mu_1.",
        ),
    ),
    target=Derivative(loss, score),
    steps=(
        Step(Derivative(entropy, score), "Cross-entropy of one sample with label y."),
        Step(
            chained,
            "The chain rule: the score enters through the logit alone.",
            scope="any logit",
            differences=cross_entropy_is_differentiated,
        ),
        Step(
            predicted,
            "The ratio is the predicted probability.",
            scope="any logit",
            differences=the_ratio_is_the_prediction,
        ),
        Step(
            closed,
            "The head is linear and does not depend on the score.",
            scope="any number d of features",
            differences=the_logit_is_linear_in_the_head,
        ),
        Step(
            Integer(0),
            "At the adiabatic point classes share their mean features, so the fitted head is w = 0.",
            scope="any number d of features, at w = 0",
            differences=the_head_is_silent,
        ),
    ),
    conclusion=(
        "Every sample's label gradient is exactly 0 in every score of every layer. Reconstruction's fitted "
        "readout is not 0 there, and its gradient along lag r is minus v*/L^2 times the residual's "
        "covariance with lag r."
    ),
    shows=(
        "Freeze attention at uniform",
        "The label gradient in every score",
    ),
    elsewhere=(
        ("The zero head is the optimum", ("certificate: zero head for equal class means",)),
        ("That holds if z is a sum", ("certificate: order leaves class means equal, L = 2..5",)),
        (
            "If the features carry I nats",
            (
                "convexity and best value of cross-entropy, for the bag's bound",
                "partial information: gradient over its bound",
            ),
        ),
        ("Reconstruction is not blind", ("fitted readout and residual, L = 3..8",)),
    ),
)
