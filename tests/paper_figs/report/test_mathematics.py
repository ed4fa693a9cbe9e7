"""Formulas on the page: mathematics that a browser sets, with their LaTeX beside them."""

import pytest

from paper_figs.report.mathematics import mathml, typeset
from sims.runs.store import UserError


def test_formulas_are_mathematics_with_their_latex_beside_them():
    element = mathml(r"\frac{1}{L} \sum_i A_{ij}")
    assert element.startswith("<math") and "<mfrac>" in element and 'alttext="\\frac' in element


def test_latex_that_cannot_be_read_is_one_line():
    with pytest.raises(UserError, match="expected LaTeX"):
        mathml(r"\frac{1}{")


def test_formulas_in_plain_letters_are_set():
    assert typeset("S_ij = L^2, rho >= 0") == "S<sub>ij</sub> = L<sup>2</sup>, ρ ≥ 0"
    assert typeset("visible_share of sum_k") == "visible_share of sum<sub>k</sub>"
