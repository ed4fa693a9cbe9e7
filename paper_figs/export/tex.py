"""Plain text as LaTeX: signs of LaTeX escaped, the signs of mathematics that captions use in math mode."""

import re

RAISED = dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True))
SIGNS = {
    "−": "$-$", "×": r"$\times$", "±": r"$\pm$", "∞": r"$\infty$", "→": r"$\to$", "≤": r"$\le$",
    "≥": r"$\ge$", "–": "--", "—": "---", "’": "'", "√": r"$\surd$", "·": r"$\cdot$", "\1": "-{}-",
}  # fmt: skip
_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: rf"\{sign}" for sign in "%&#_{}$"
}
GREEK = dict(zip("κρλσμαβγδεθφΣΔ", (
    "kappa", "rho", "lambda", "sigma", "mu", "alpha", "beta", "gamma", "delta", "varepsilon", "theta", "phi",
    "Sigma", "Delta",
), strict=True))  # fmt: skip


def latex(text: str) -> str:
    """The text for LaTeX; formulas between dollar signs stay as they are."""
    parts = re.split(r"(\$[^$]+\$)", text)
    return "".join(part if part.startswith("$") and len(part) > 1 else plain(part) for part in parts)


def plain(text: str) -> str:
    """The same of text without formulas."""
    options = re.sub("--(?=[a-z])", "\1", text)  # of commands: two hyphens would become a dash
    powers = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda match: f"\0{match[0]}\0", options)
    return "".join(
        f"$^{{{''.join(RAISED[sign] for sign in part)}}}$" if index % 2 else "".join(map(_sign_of, part))
        for index, part in enumerate(powers.split("\0"))
    )


def _sign_of(letter: str) -> str:
    """One character as LaTeX."""
    if letter in GREEK:
        return rf"$\{GREEK[letter]}$"
    return _ESCAPED.get(letter) or SIGNS.get(letter, letter)
