"""Sentences whose formulas are written in plain letters, in LaTeX: s_j, L^2, >=, rho."""

import re

SIGNS = {
    ">=": r"\(\geq\)",
    "<=": r"\(\leq\)",
    "!=": r"\(\neq\)",
    "->": r"\(\to\)",
    "<": r"\(<\)",
    ">": r"\(>\)",
}
SPECIAL = str.maketrans({each: rf"\{each}" for each in "#$%&{}"} | {"~": r"\(\sim\)", "|": r"\(|\)"})
GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|kappa|lambda|mu|nu|xi|pi|phi|chi|psi|rho|sigma|tau|theta|omega"
    "|Gamma|Sigma|Omega"
)
SCRIPTED = re.compile(
    rf"((?:(?<![\w\\])(?:{GREEK}|mean|[A-Za-z]{{1,3}}\d?|\d+)|[)\]|])'*)"
    r"((?:_(?:\{[^{}]*\}|\w+?(?![A-Za-z0-9])|\w+)|\^(?:\{[^{}]*\}|\([^()]*\)|-?\w+|\*))+)"
)
GREEK_ALONE = re.compile(rf"(?<![\w\\])({GREEK})(?!\w)")


def prose(sentence: str) -> str:
    """A sentence whose formulas are written in plain letters, in LaTeX: s_j, L^2, >=, rho."""
    formulas: list[str] = []

    def hold(latex_text: str) -> str:
        formulas.append(latex_text)
        return f"\x00{len(formulas) - 1}\x00"

    text = SCRIPTED.sub(lambda match: hold(rf"\({scripted(match[1], match[2])}\)"), sentence)
    text = GREEK_ALONE.sub(lambda match: hold(rf"\(\{match[1]}\)"), text)
    for sign, symbol in SIGNS.items():
        text = text.replace(sign, hold(symbol))
    text = text.translate(SPECIAL).replace("_", r"\_").replace("^", r"\^{}").replace(" - ", r" \(-\) ")
    return re.sub(r"\x00(\d+)\x00", lambda match: formulas[int(match[1])], text)


def scripted(base: str, scripts: str) -> str:
    """A letter with its subscripts and powers, braced."""
    parts = re.findall(r"([_^])(\{[^{}]*\}|\([^()]*\)|-?[^_^]+)", scripts)
    named = re.sub(rf"^({GREEK}|sum)$", r"\\\1", base).replace("mean", r"\mathrm{mean}")
    greek = lambda body: GREEK_ALONE.sub(r"\\\1 ", body.strip("{}"))
    return named + "".join(f"{sign}{{{greek(body)}}}" for sign, body in parts)


def sentences(statement: str) -> list[str]:
    """The sentences of a statement: each ends with a full stop, and the next begins with a capital."""
    return re.split(r"(?<=\.) (?=[A-Z(])", statement)
