"""`sptlab data`: what is there, how it is made, and whether it is what it should be."""

import json
from pathlib import Path

import pytest

import sptlab
from full_scale.tasks import TASKS
from tests.full_scale.tasks.task_files import image_file, own_file, reviews_csv


@pytest.fixture
def data(capsys, monkeypatch, tmp_path):
    """Run `sptlab data` in a folder of its own: exit code, lines, lines of errors."""
    monkeypatch.setattr(sptlab, "prepare_jax", lambda: None)
    monkeypatch.chdir(tmp_path)

    def run(*arguments) -> tuple[int, list[str], list[str]]:
        code = sptlab.main(["data", *map(str, arguments), "--quiet"])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return run


def status(lines: list[str], task: str) -> str:
    return next(line for line in lines if line.startswith(f"{task} ")).removeprefix(task).strip()


def test_the_list_names_every_task_and_what_is_missing(data) -> None:
    code, lines, errors = data("list")
    assert code == 0 and not errors
    assert [line.split()[0] for line in lines[1 : 1 + len(TASKS)]] == list(TASKS)
    assert status(lines, "image").startswith("missing") and status(lines, "docs-order").startswith("built in")


def test_own_files_are_converted_listed_checked_and_loaded_from_the_default_folder(data, tmp_path) -> None:
    code, lines, _ = data("prepare", "own", "--source", own_file(tmp_path))
    assert code == 0
    assert lines[0].startswith(
        "read 40 sequences of 3 to 9 tokens of 7 symbols, 3 classes (0 14, 1 13, 2 13)"
    )
    assert lines[1:] == [
        "data/own.npz: 32 + 4 + 4 sequences, length 9, 7 symbols, 3 classes, a constant "
        f"{TASKS['own']().load().chance:.3f}"
    ]
    assert status(data("list")[1], "own").startswith("prepared")
    code, lines, _ = data("check", "own")
    at = next(row for row, line in enumerate(lines) if line.startswith("read 40 sequences of 3 to 9 tokens"))
    assert code == 0 and all(line.startswith("ok") for line in lines[:at])
    assert lines[at + 1].startswith("data: warn")
    manifest = json.loads(Path("data/own.json").read_text())
    assert manifest["values"]["source"].startswith("your own; own.npz, sha256 ")
    assert str(tmp_path) not in json.dumps(manifest)


def test_a_check_fails_where_a_fact_or_a_hash_does_not_hold(data, tmp_path) -> None:
    code, lines, _ = data("prepare", "text", "--source", reviews_csv(tmp_path), "--data", "kept")
    assert code == 0 and any(
        line.startswith("not as known: train examples per class: 34 30") for line in lines
    )
    code, lines, _ = data("check", "text", "--data", "kept")
    assert code == 1 and sum(line.startswith("FAIL") for line in lines) == 2
    Path("kept/text.npz").write_bytes(b"other")
    code, lines, _ = data("check", "text", "--data", "kept")
    assert code == 1 and "damaged" in lines[0]


def test_a_generated_set_goes_on_where_it_was_interrupted(data, monkeypatch) -> None:
    from full_scale.data.generators import shards

    monkeypatch.setattr(shards, "SHARD", 20)
    arguments = ("listops", "--variant", "small", "--number", 60, "--processes", 1)
    written = shards._write_manifest

    def interrupted(folder, plan, hashes):
        written(folder, plan, hashes)
        if len(hashes) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shards, "_write_manifest", interrupted)
        assert data("prepare", *arguments)[0] == 130
    assert data("check", "listops", "--variant", "small")[0] == 1
    code, lines, _ = data("prepare", *arguments)
    assert code == 0 and lines == ["data/listops-small: 60 sequences in 3 files, seed 0"]
    code, lines, _ = data("check", "listops", "--variant", "small")
    assert code == 0 and lines[0] == "ok    3 files: hashes as in the manifest"
    assert TASKS["listops"](variant="small").load().train.tokens.shape[0] == 48


def test_an_interrupted_conversion_leaves_nothing(data, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert data("prepare", "image", "--source", image_file(tmp_path))[0] == 130
    assert not [path for path in Path("data").iterdir() if path.name != ".lock"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["prepare"], "name a task, for example `sptlab data prepare text`"),
        (["prepare", "txt"], "unknown task txt; did you mean text?"),
        (["prepare", "digits"], "task digits needs no files"),
        (["prepare", "image"], "task image: expected --source PATH; get CIFAR-10 as cifar-10-batches-py"),
        (
            ["prepare", "image", "--source", "nowhere"],
            "expected data at nowhere, found nothing; check the path",
        ),
        (["prepare", "image", "--source", "."], "expected CIFAR-10's data_batch_1"),
        (["prepare", "image", "--source", ".", "--number", "5"], "expected --number only where data are"),
        (["check", "pathfinder"], "expected data/pathfinder32.npz, found nothing; make it with `sptlab data"),
        (["chek"], "expected one of list, prepare, check: got chek; did you mean check?"),
    ],
)
def test_a_mistake_is_answered_in_one_line(data, arguments: list[str], complaint: str) -> None:
    code, lines, errors = data(*arguments)
    assert code == 2 and not lines
    assert len(errors) == 1 and complaint in errors[0], errors
