"""The derivations: every step holds, a wrong one is found, and each reads well in every format."""

import dataclasses
import html
import importlib
import itertools
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sympy

from theory import claims
from theory.claims import CLAIMS
from theory.claims.derivations import DERIVATIONS, Derivation, Step, check
from theory.symbolic import document, record, rendering
from theory.symbolic.derivation import Chain
from theory.symbolic.index_sums import A, L, i, j, s, total
from theory.symbolic.notation import MEANINGS, symbols
from theory.symbolic.printers import EXPECTATION, formula, line
from theory.symbolic.prose import prose, sentences

pooled = total(total(A[i, j] * s[j], j), i) / L
THREE = (Step(pooled, "Definition."), Step(2 * pooled - pooled, "Same."), Step(pooled, "Same."))


def test_every_claim_has_a_derivation_in_order():
    assert list(DERIVATIONS) == list(CLAIMS)


@pytest.mark.parametrize("label", DERIVATIONS)
def test_every_step_equals_the_one_before(label):
    outcomes = check(label)
    assert len(outcomes) == DERIVATIONS[label].checked_steps >= 2
    assert all(outcomes), outcomes


@pytest.mark.parametrize("label", DERIVATIONS)
def test_it_starts_from_something_and_does_not_say_one_thing_twice(label):
    derivation = DERIVATIONS[label]
    assert derivation.given
    for chain in derivation.chains:
        expressions = [step.expression for step in chain.steps]
        assert all(before != after for before, after in itertools.pairwise(expressions))


@pytest.mark.parametrize("label", DERIVATIONS)
def test_every_sentence_of_a_claim_is_derived_or_said_to_be_checked_elsewhere(label):
    derivation, names = DERIVATIONS[label], {each.name for each in CLAIMS[label].checks}
    beginnings = [each for chain in derivation.chains for each in chain.shows]
    beginnings += [beginning for beginning, _ in derivation.elsewhere]
    claimed = sentences(CLAIMS[label].full)
    begun = {beginning: [s for s in claimed if s.startswith(beginning)] for beginning in beginnings}
    assert all(len(found) == 1 for found in begun.values()), begun
    assert {found for (found,) in begun.values()} == set(claimed)
    assert not [name for _, checks in derivation.elsewhere for name in checks if name not in names]


@pytest.mark.parametrize("label", DERIVATIONS)
def test_every_symbol_stands_under_given(label):
    assert not set(symbols(DERIVATIONS[label])) - set(MEANINGS)
    shown = rendering.text(DERIVATIONS[label], (True,) * DERIVATIONS[label].checked_steps)
    given = shown.partition("Derivation")[0]
    assert all(f"{name} " in given for name in symbols(DERIVATIONS[label]))


VECTORS_AND_SCALARS = {
    "w": "a head on several features or for several classes, or one number",
    "y": "one number for each class, or one for two",
    "b_0": "one number for each class, or one for two",
    "pi": "one number for each class, or one for two",
}


def test_one_symbol_is_one_thing_across_all_derivations():
    kinds: dict[str, set[str]] = {}
    for derivation in DERIVATIONS.values():
        for name, found in symbols(derivation).items():
            kinds.setdefault(name, set()).update(found)
    assert {name for name, found in kinds.items() if len(found) > 1} == set(VECTORS_AND_SCALARS)
    assert set(kinds) == set(MEANINGS)  # nothing is explained that no derivation uses
    meant = list(MEANINGS.values())
    assert len(set(meant) - {"a position"}) == len([each for each in meant if each != "a position"])


def planted(label: str, monkeypatch: pytest.MonkeyPatch):
    """Each step that can be given a wrong sign: (whether its check reads the step itself, what it says)."""
    pairs = [pair for chain in DERIVATIONS[label].chains for pair in itertools.pairwise(chain.steps)]
    (folder,) = Path(claims.__file__).parent.glob(f"c{int(label[1:]):02d}_*")
    module = importlib.import_module(f"{claims.__name__}.{folder.name}.derivation")
    for before, step in pairs:
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
    outcomes = (True,) * derivation.checked_steps
    shown = rendering.text(derivation, outcomes, CLAIMS[label])
    assert max(map(len, shown.splitlines())) <= rendering.WIDTH
    assert shown.count("[checked: ") == len(outcomes)
    assert not {"Sum(", "KroneckerDelta", "Piecewise", "**"} & set(shown.replace("(", "( ").split())
    markup = rendering.html(derivation, outcomes)
    steps = [step for chain in derivation.chains for step in chain.steps]
    assert len(ElementTree.fromstring(markup).findall(".//{*}math")) >= len(steps)
    assert rendering.latex(derivation, outcomes).count(r"\item") == len(derivation.given) + 1 + len(steps)
    assert len(record.as_json(derivation, outcomes)["further"]) == len(derivation.further)


@pytest.mark.parametrize("form", ["text", "html"])
def test_a_derivation_begins_with_the_whole_claim_that_it_quotes(form):
    claim, derivation = CLAIMS["C24"], DERIVATIONS["C24"]
    shown = document.rendered([(claim, derivation, (True,) * derivation.checked_steps)], form, whole=False)
    text = html.unescape(re.sub("<[^>]+>", " ", shown)) if form == "html" else shown  # m < 0 is no tag
    words = " ".join(text.split())
    for part in (claim.statement, claim.details, claim.regime):
        assert part in words


def test_a_step_that_fails_is_said_to_in_every_format():
    rest = Chain(target=sympy.Symbol("z"), steps=(THREE[0], Step(-pooled, "Wrong.")), conclusion="So.")
    wrong = Derivation(
        label="C0", given=(), target=sympy.Symbol("z"), steps=THREE, conclusion="So.", further=(rest,)
    )
    outcomes = wrong.check()
    assert outcomes == (True, True, False)
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
        ({"steps": THREE[:2]}, "needs at least 3 steps: got 2 for L"),
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
    assert line(total(s[j], j) ** 2) == "(sum_j s_j)^2"
    assert formula(A[i, sympy.Symbol("c_k")]) == "A_{i, c_{k}}"
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
        (CLAIMS[label], derivation, (True,) * derivation.checked_steps)
        for label, derivation in DERIVATIONS.items()
    ]


@pytest.mark.heavy
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
@pytest.mark.parametrize("full", [False, True], ids=["key steps", "every step"])
def test_the_article_compiles_and_nothing_runs_off_its_pages(full, everything, tmp_path):
    (tmp_path / "all.tex").write_text(document.rendered(everything, "latex", whole=True, full=full))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    log = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace").stdout
    assert (tmp_path / "all.pdf").exists(), log[-2000:]
    assert "Overfull \\hbox" not in log, log[log.index("Overfull") :][:500]
    assert (int(re.search(r"\((\d+) pages", log)[1]) <= 22) != full


def test_one_derivation_as_latex_is_a_fragment_that_any_paper_can_read(everything):
    fragment = document.rendered(everything[:1], "latex", whole=False)
    assert r"\begin{document}" not in fragment
    assert fragment.startswith(r"\providecommand{\fitted}")


def test_the_page_is_whole(everything):
    page = document.rendered(everything, "html", whole=True)
    assert page.startswith("<!doctype html>")
    assert page.count('<section class="derivation"') == len(everything)


@pytest.mark.heavy
def test_the_article_has_each_claim_once_in_the_order_of_its_reader(everything):
    article = document.article(everything)
    read = re.findall(r"\\subsection\{(C\d+):", article)
    assert sorted(read) == sorted(CLAIMS)
    placed = [label for _, _, labels in document.CHAPTERS for label in labels]
    assert read[: len(placed)] == placed  # a new claim comes last until it has a chapter
    assert [read.index(label) for label in ("C1", "C3", "C8", "C20")] == sorted(
        read.index(label) for label in ("C1", "C3", "C8", "C20")
    )


def test_the_article_prints_results_and_tells_the_steps_before_in_words(everything):
    short, full = (document.rendered(everything, "latex", whole=True, full=full) for full in (False, True))
    chains = [chain for _, derivation, _ in everything for chain in derivation.chains]
    assert short.count(r"\begin{aligned}") == len(chains) and r"\begin{enumerate}" not in short
    assert full.count(r"\begin{aligned}") == sum(len(chain.steps) for chain in chains)
    assert all(prose(chain.conclusion) in short for chain in chains)
    assert all(prose(step.reason) in short for chain in chains for step in chain.steps)
    assert len(short) < 0.75 * len(full)


def test_a_step_that_does_not_hold_is_said_to_in_the_short_article(everything):
    claim, derivation, outcomes = everything[0]
    wrong = (False, *outcomes[1:])
    assert rendering.NOT_EQUAL in document.rendered([(claim, derivation, wrong)], "latex", whole=True)


def test_figures_stand_behind_the_claim_that_they_show(everything):
    drawn = {"C10": [("figures/pull.pdf", r"A pull of \(2\).")]}
    article = document.rendered(everything, "latex", whole=True, figures=drawn)
    after = article[article.index(r"\subsection{C10:") : article.index(r"\subsection{C28:")]
    assert r"{\detokenize{figures/pull.pdf}}" in after and r"A pull of \(2\)." in after
    assert article.count(r"\includegraphics") == 1
