"""The derivations: every step holds, a wrong one is found, and each reads well in every format."""

import dataclasses
import importlib
import itertools
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
import sympy

from theory.claims import CLAIMS
from theory.claims.index_sums import A, L, i, j, s, total
from theory.derivations import DERIVATIONS, Derivation, Step, check, document, rendering
from theory.derivations.printers import EXPECTATION, formula, line
from theory.derivations.prose import prose

pooled = total(total(A[i, j] * s[j], j), i) / L
THREE = (Step(pooled, "Definition."), Step(2 * pooled - pooled, "Same."), Step(pooled, "Same."))


def test_every_claim_has_a_derivation_in_order():
    assert list(DERIVATIONS) == list(CLAIMS)


@pytest.mark.parametrize("label", DERIVATIONS)
def test_every_step_equals_the_one_before(label):
    outcomes = check(label)
    assert len(outcomes) == len(DERIVATIONS[label].steps) - 1 >= 2
    assert all(outcomes), outcomes


@pytest.mark.parametrize("label", DERIVATIONS)
def test_it_starts_from_something_and_does_not_say_one_thing_twice(label):
    derivation = DERIVATIONS[label]
    expressions = [step.expression for step in derivation.steps]
    assert derivation.given
    assert all(before != after for before, after in itertools.pairwise(expressions))


def planted(label: str, monkeypatch: pytest.MonkeyPatch):
    """Each step that can be given a wrong sign: (whether its check reads the step itself, what it says)."""
    steps = DERIVATIONS[label].steps
    module = importlib.import_module(f"theory.derivations.c{int(label[1:]):02d}")
    for before, step in itertools.pairwise(steps):
        names = [name for name, value in vars(module).items() if value is step.expression]
        if step.expression == 0 or not (names or step.differences is None):
            continue
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(module, name, -step.expression)
            wrong = dataclasses.replace(step, expression=-step.expression)
            yield step.differences is None, wrong.follows(before)


@pytest.mark.parametrize("label", DERIVATIONS)
def test_a_planted_sign_error_is_found(label, monkeypatch):
    answers = list(planted(label, monkeypatch))
    assert answers, "give the steps names in their module, so that an error can be planted"
    assert not any(holds for reads_the_step, holds in answers if reads_the_step)
    assert not all(holds for _, holds in answers)


@pytest.mark.parametrize("label", DERIVATIONS)
def test_it_reads_in_every_format(label):
    derivation = DERIVATIONS[label]
    outcomes = (True,) * (len(derivation.steps) - 1)
    shown = rendering.text(derivation, outcomes, CLAIMS[label].title)
    assert max(map(len, shown.splitlines())) <= rendering.WIDTH
    assert shown.count("[checked: ") == len(outcomes)
    assert not {"Sum(", "KroneckerDelta", "Piecewise", "**"} & set(shown.replace("(", "( ").split())
    markup = rendering.html(derivation, outcomes)
    assert len(ElementTree.fromstring(markup).findall(".//{*}math")) >= len(derivation.steps)
    assert rendering.latex(derivation, outcomes).count(r"\item") == len(derivation.given) + len(
        derivation.steps
    )


def test_a_step_that_fails_is_said_to_in_every_format():
    wrong = Derivation("C0", (), sympy.Symbol("z"), (*THREE[:2], Step(-pooled, "Wrong.")), "Nothing.")
    outcomes = wrong.check()
    assert outcomes == (True, False)
    for form in (rendering.text, rendering.latex, rendering.html):
        assert form(wrong, outcomes).count(rendering.NOT_EQUAL) == 1


@pytest.mark.parametrize(
    ("differences", "holds"),
    [
        (lambda: [sympy.S(0)], True),
        (lambda: [], False),
        (lambda: [0, L], False),
        (lambda: iter([L - L]), True),
    ],
)
def test_a_step_with_differences_of_its_own_holds_when_all_vanish_and_there_are_some(differences, holds):
    assert Step(L, "So.", "L = 2", differences).follows(THREE[0]) is holds


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"steps": THREE[:2]}, "needs at least 3 steps: got 2 for C0"),
        ({"conclusion": "No full stop"}, "must end with a full stop"),
        ({"steps": (*THREE, Step(sympy.Eq(L, 2), "Equal."))}, "must be an expression"),
        ({"steps": (Step(L, "So.", differences=lambda: [0]), *THREE)}, "has nothing before it"),
    ],
)
def test_a_derivation_that_is_none_is_refused(change, complaint):
    parts = {"label": "C0", "given": (), "target": L, "steps": THREE, "conclusion": "So."}
    with pytest.raises(ValueError, match=complaint):
        Derivation(**{**parts, **change})


def test_an_unknown_label_names_the_known_ones():
    with pytest.raises(ValueError, match=r"derivations must be among C1, C2.*got C99"):
        check("C99")


def test_formulas_are_printed_as_the_docstrings_write_them():
    assert line(pooled) == "(1/L) sum_i sum_j A_ij s_j"
    assert line(s[j] - pooled) == "s_j - (1/L) sum_i sum_j A_ij s_j"
    assert line(EXPECTATION(s[j] ** 2) / 2) == "E[s_j^2]/2"
    assert line(sympy.Derivative(L, s[j])) == "dL/ds_j"
    assert formula(pooled) == r"\frac{1}{L} \, \sum_{i} \sum_{j} A_{ij} \, s_{j}"


def test_plain_formulas_in_sentences_become_latex():
    assert prose("s_j <= 2 L^2 & rho") == r"\(s_{j}\) \(\leq\) 2 \(L^{2}\) \& \(\rho\)"
    assert prose("sum_kl B_ik") == r"\(\sum_{kl}\) \(B_{ik}\)"
    assert prose("(1 - eta)^{2t}") == r"(1 \(-\) \(\eta\)\()^{2t}\)"
    assert prose("e^{-lambda t}") == r"\(e^{-\lambda  t}\)"


def test_a_long_formula_is_cut_before_terms_and_never_inside_a_sum_sign():
    long = sympy.Add(*(s[place] * total(A[i, j] * s[j], j) for place in range(12))) / L
    lines = rendering.broken(long)
    assert len(lines) > 1
    assert max(map(rendering.width, lines)) <= rendering.ROOM
    assert "".join(lines).count(r"\Bigl(") == "".join(lines).count(r"\Bigr)") == 1
    assert all(each.startswith(("+", "-")) for each in lines[1:])


@pytest.fixture(scope="module")
def everything():
    """Each claim with its derivation, as if every step had been checked here."""
    return [
        (CLAIMS[label], derivation, (True,) * (len(derivation.steps) - 1))
        for label, derivation in DERIVATIONS.items()
    ]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_the_article_compiles_and_nothing_runs_off_its_pages(everything, tmp_path):
    (tmp_path / "all.tex").write_text(document.rendered(everything, "latex", whole=True))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    log = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace").stdout
    assert (tmp_path / "all.pdf").exists(), log[-2000:]
    assert "Overfull \\hbox" not in log, log[log.index("Overfull") :][:500]


def test_one_derivation_as_latex_is_a_fragment_that_any_paper_can_read(everything):
    fragment = document.rendered(everything[:1], "latex", whole=False)
    assert r"\begin{document}" not in fragment
    assert fragment.startswith(r"\providecommand{\fitted}")


def test_the_page_is_whole(everything):
    page = document.rendered(everything, "html", whole=True)
    assert page.startswith("<!doctype html>")
    assert page.count('<section class="derivation"') == len(everything)
