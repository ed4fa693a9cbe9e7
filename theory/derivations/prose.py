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
GREEK = "alpha|beta|gamma|delta|epsilon|eta|kappa|lambda|mu|nu|pi|phi|psi|rho|sigma|tau|theta|omega|Sigma"
SCRIPTED = re.compile(
    rf"((?:(?<![\w\\])(?:{GREEK}|mean|[A-Za-z]{{1,3}}\d?|\d+)|[)\]|])'*)"
    r"((?:_(?:\{[^{}]*\}|\w+?(?![A-Za-z0-9])|\w+)|\^(?:\{[^{}]*\}|\([^()]*\)|-?\w+|\*))+)"
)
GREEK_ALONE = re.compile(rf"(?<![\w\\])({GREEK})(?!\w)")


def prose(told: str) -> str:
    """A sentence whose formulas are written in plain letters, in LaTeX: s_j, L^2, >=, rho."""
    kept: list[str] = []

    def hold(latex_text: str) -> str:
        kept.append(latex_text)
        return f"\x00{len(kept) - 1}\x00"

    shown = SCRIPTED.sub(lambda found: hold(rf"\({scripted(found[1], found[2])}\)"), told)
    shown = GREEK_ALONE.sub(lambda found: hold(rf"\(\{found[1]}\)"), shown)
    for sign, symbol in SIGNS.items():
        shown = shown.replace(sign, hold(symbol))
    shown = shown.translate(SPECIAL).replace("_", r"\_").replace("^", r"\^{}").replace(" - ", r" \(-\) ")
    return re.sub(r"\x00(\d+)\x00", lambda found: kept[int(found[1])], shown)


def scripted(base: str, scripts: str) -> str:
    """A letter with its subscripts and powers, braced."""
    parts = re.findall(r"([_^])(\{[^{}]*\}|\([^()]*\)|-?[^_^]+)", scripts)
    named = re.sub(rf"^({GREEK}|sum)$", r"\\\1", base).replace("mean", r"\mathrm{mean}")
    greek = lambda body: GREEK_ALONE.sub(r"\\\1 ", body.strip("{}"))
    return named + "".join(f"{sign}{{{greek(body)}}}" for sign, body in parts)
