"""One rule says whether a stored result is still good: it follows the code that computes, wherever it is."""

import contextlib
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import pytest

import theory.claims
from full_scale.diagnosis.evidence import measurements
from full_scale.objectives.masking import draw_mask
from full_scale.training import trial
from sims.experiments import blindness
from sims.processes import ar1
from sims.runs import closure, verification
from sims.runs.closure import file_of, sources, sources_hash
from sims.runs.provenance import REPOSITORY, file_identity
from theory.claims.checks import check
from theory.label_blindness.labels import label_score_gradient

ROOMS = {function.__module__.split(".")[0] for function in (label_score_gradient, blindness.run, trial.run)}
DECIDES = [
    (trial.run, draw_mask),
    (measurements, draw_mask),
    (blindness.run, label_score_gradient),
    (blindness.run, ar1),
    (verification.verified, label_score_gradient),
    (verification.verified, check.Check),
]
"""Functions that compute, each with something defined elsewhere that decides its numbers."""
each_computation = pytest.mark.parametrize(
    ("compute", "deciding"), DECIDES, ids=[f"{one.__module__}-{other.__name__}" for one, other in DECIDES]
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The rooms' code in another folder."""
    root = tmp_path_factory.mktemp("copy")
    for room in sorted(ROOMS):
        shutil.copytree(REPOSITORY / room, root / room, ignore=only_code)
    return root


def only_code(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.endswith(".py") and not Path(folder, name).is_dir()}


@contextlib.contextmanager
def edited(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """The file with other content, as long as this lasts."""
    before = path.read_text()
    assert change(before) != before
    path.write_text(change(before))
    yield
    path.write_text(before)


def add_constant(text: str) -> str:
    return f"{text}\nADDED = 1\n"


def add_words(text: str) -> str:
    return text.replace('"""', '"""Words. ', 1) + "\n\n# a reason\n"


@each_computation
def test_an_edit_of_a_deciding_module_makes_a_result_stale(copy, compute, deciding):
    before = sources_hash(compute, root=copy)
    with edited(file_of(deciding.__module__, copy), add_constant):
        assert sources_hash(compute, root=copy) != before
    assert sources_hash(compute, root=copy) == before == sources_hash(compute)


@each_computation
def test_words_and_modules_that_decide_nothing_leave_a_result_good(copy, compute, deciding):
    before, files = sources_hash(compute, root=copy), sources(compute, root=copy)
    with edited(file_of(deciding.__module__, copy), add_words):
        assert sources_hash(compute, root=copy) == before
    others = [path for room in sorted(ROOMS) for path in (copy / room).rglob("*.py")]
    unrelated = sorted(set(others) - set(files.values()))
    assert unrelated
    for path in unrelated[::20]:
        with edited(path, add_constant):
            assert sources_hash(compute, root=copy) == before, path


@each_computation
def test_a_deciding_module_that_moves_and_gets_another_name_still_decides(tmp_path, copy, compute, deciding):
    root = shutil.copytree(copy, tmp_path / "moved")
    old, room = deciding.__module__, deciding.__module__.split(".")[0]
    new = f"{room}.another_folder.another_name"
    path = root.joinpath(*new.split(".")).with_suffix(".py")
    path.parent.mkdir()
    shutil.move(file_of(old, root), path)
    folder, name = old.rsplit(".", 1)
    for file in root.rglob("*.py"):
        text = re.sub(rf"\b{re.escape(old)}\b(?!\.)", new, file.read_text())
        alone = rf"(?m)^from {re.escape(folder)} import {name}$"
        file.write_text(re.sub(alone, f"from {room}.another_folder import another_name as {name}", text))
    found = sources(compute, root=root)
    assert new in found and old not in found
    before = sources_hash(compute, root=root)
    with edited(path, add_constant):
        assert sources_hash(compute, root=root) != before


def test_every_claim_decides_the_verification_though_claims_are_imported_by_computed_names():
    found = set(sources(verification.verified).values())
    assert set(Path(theory.claims.__file__).parent.rglob("*.py")) <= found


def test_what_runs_while_a_result_is_computed_decides_it():
    files, ran = {str(path) for path in sources(blindness.run).values()}, set[str]()
    note = lambda frame, event, _: ran.add(frame.f_code.co_filename) if event == "call" else None
    sys.setprofile(note)
    try:
        blindness.run(blindness.Config.smoke(), key=jax.random.key(0))
    finally:
        sys.setprofile(None)
    inside = {name for name in ran if Path(name).is_relative_to(REPOSITORY) and name != __file__}
    ours = {name for name in inside if "site-packages" not in name}  # an environment may lie inside
    assert len(ours) > 2 and ours <= files


PROJECT = {
    "top.py": "",
    "run.py": "import lib\nimport jax\ndef run():\n    from lib import late\n    return lib.one(jax)\n",
    "lib/__init__.py": "from .first import one\nfrom lib.other import two\n",
    "lib/first.py": "from lib.constants import SIZE\nfrom . import beside\ndef one(x): return SIZE\n",
    "lib/other.py": "two = 2\n",
    "lib/late.py": "from lib.through import SIZE\n",
    "lib/through.py": "from lib.constants import SIZE\n",
    "lib/constants.py": "SIZE = 3\n",
    "lib/beside.py": "",
    "found/__init__.py": "from importlib import import_module\nALL = [import_module('found.a')]\n",
    "found/a.py": "",
    "found/deeper/b.py": "import lib\nprint(lib)\n",
    "bound.py": "from lib.constants import SIZE\nSIZE = SIZE + 1\n",
    "uses_bound.py": "from bound import SIZE\nfrom lib import *\n",
}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("top", "top"),
        ("run", "run lib.first lib.beside lib.constants lib.late"),
        ("found", "found found.a found.deeper.b lib lib.first lib.other lib.constants lib.beside"),
        ("uses_bound", "uses_bound bound lib lib.first lib.other lib.constants lib.beside"),
    ],
)
def test_a_name_counts_the_module_that_defines_it(tmp_path, module, expected):
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    assert set(sources(module, root=tmp_path)) == set(expected.split())


def test_code_from_elsewhere_is_refused():
    with pytest.raises(ValueError, match="got jax; import the code from there"):
        sources("jax")


def test_packages_installed_beside_the_project_are_not_its_code(tmp_path, monkeypatch):
    for name, top in (
        ("ours", __package__ or "tests"),
        ("ours", closure.__name__.split(".")[0]),
        ("theirs", "jax"),
    ):
        record = tmp_path / f"{name}-1.0.dist-info" / "RECORD"
        record.parent.mkdir(exist_ok=True)
        (record.parent / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        with open(record, "a", encoding="utf-8") as sink:
            sink.write(f"{top}/__init__.py,,\n")
        (tmp_path / top).mkdir()
        (
            tmp_path / top / "__init__.py"
        ).touch()  # importlib_metadata, once imported, lists only files that exist
    monkeypatch.setattr(closure, "REPOSITORY", tmp_path)
    assert closure.installed_beside.__wrapped__() == {"jax"}


def test_the_project_is_where_its_modules_lie_however_deep(tmp_path):
    deeper = tmp_path / "sims" / "runs" / "provenance.py"
    deeper.parent.mkdir(parents=True)
    shutil.copy(file_of(file_identity.__module__), deeper)
    assert runpy.run_path(str(deeper), run_name="sims.runs.provenance")["REPOSITORY"] == tmp_path


def test_a_training_trial_and_a_simulation_read_no_files_of_data_and_know_no_other_experiment():
    readers = set((REPOSITORY / "full_scale" / "data" / "readers").rglob("*.py"))
    assert len(readers) > 5
    for compute in (trial.run, measurements, blindness.run):
        assert not readers & set(sources(compute).values())
        assert len(sources(compute)) < 60
