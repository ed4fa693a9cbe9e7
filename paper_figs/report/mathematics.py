"""LaTeX set as MathML, which browsers show without a script or a font of ours."""

import html
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup

from sims.runs.store import UserError

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
GREEK = {
    "rho": "ρ",
    "lambda": "λ",
    "phi": "ϕ",
    "kappa": "κ",
    "eta": "η",
    "sigma": "σ",
    "tau": "τ",
    "omega": "ω",
    "theta": "θ",
    "zeta": "ζ",
    "gamma": "γ",
    "beta": "β",
    "chi": "χ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "mu": "μ",
    "Gamma": "Γ",
    "Omega": "Ω",
    "Sigma": "Σ",
    **{f"{letter}bar": f"{letter}\u0304" for letter in "qrvwx"},
}
SIGNS = ((r"(?<= )- (?=\S)", "− "), (r"&gt;=", "≥"), (r"&lt;=", "≤"), (r"!=", "≠"))
_SUBSCRIPT = re.compile(
    rf"(\b(?:d?[A-Za-z]|sum|mean|{'|'.join(GREEK)})|\))_(\{{[^}}]+\}}|[A-Za-z]{{1,3}}\b|\d+)"
)
POWER = re.compile(r"\^(\{[^}]+\}|\([^()]+\)|-?[A-Za-z0-9*]+)")


def mathml(latex: str, *, block: bool = True) -> Markup:
    """A `<math>` element. Raises UserError, naming the formula, when the LaTeX cannot be read."""
    try:
        element = ElementTree.fromstring(convert(latex, display="block" if block else "inline"))
    except Exception as error:
        raise UserError(f"expected LaTeX that MathML can express, got {latex!r}; mend the formula") from error
    element.set("alttext", latex)
    ElementTree.register_namespace("", _NAMESPACE)
    return Markup(ElementTree.tostring(element, encoding="unicode"))


def typeset(text: str) -> Markup:
    """A claim's words with their formulas in plain letters set decently: s_j, L^2, >=, rho."""
    escaped = html.escape(text, quote=False)
    for pattern, sign in SIGNS:
        escaped = re.sub(pattern, sign, escaped)
    escaped = _SUBSCRIPT.sub(lambda match: f"{match[1]}<sub>{match[2].strip('{}')}</sub>", escaped)
    escaped = POWER.sub(lambda match: f"<sup>{match[1].strip('{}')}</sup>", escaped)
    return Markup(re.sub(rf"\b({'|'.join(GREEK)})\b", lambda match: GREEK[match[1]], escaped))
