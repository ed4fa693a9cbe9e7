"""What `sptlab data` does: list the tasks, prepare their files, check them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from full_scale.data import prepared
from full_scale.data.dataset import PARTS, Dataset, read_in_words
from full_scale.data.generators import shards
from full_scale.data.readers.files import source_identity
from full_scale.tasks import TASKS
from full_scale.tasks.file_task import FileTask
from full_scale.tasks.generated_task import GeneratedTask, is_generated
from full_scale.tasks.own import Own
from full_scale.tasks.task import Task
from sims.runs import store
from sims.runs.store import UserError

Report = Callable[..., None]
COLUMNS = ("task", "files", "length, classes, train + validation + test", "source and licence")


@dataclasses.dataclass(frozen=True)
class DataPaths:
    """Where a task's data lie and where they come from."""

    folder: Path
    source: Path | None = None


def listing(folder: Path) -> list[str]:
    """One line per task: name, whether its files are there, sizes, source."""
    rows = [COLUMNS]
    for name, kind in TASKS.items():
        rows.append((name, standing(kind(), folder), kind.shape, kind.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return [*lines, "", "What a missing one expects: sptlab data prepare TASK"]


def standing(task: Task, folder: Path) -> str:
    """Whether a task could be loaded now."""
    if not isinstance(task, FileTask):
        return "built in"
    if prepared.is_prepared(task.file(folder)):
        return "prepared"
    if isinstance(task, GeneratedTask) and is_generated(task.generated(folder)):
        done, of = _shard_count(task, folder)
        return "generated" if done == of else f"{100 * done // of}% generated"
    return "installed" if task.installed() else "missing"


def _shard_count(task: GeneratedTask, folder: Path) -> tuple[int, int]:
    """Shards that stand, and all."""
    manifest = shards.read_manifest(task.generated(folder), task.name)
    return len(manifest["sha256"]), -(-int(manifest["count"]) // int(manifest["shard"]))


def _required(task: Task) -> FileTask:
    """The task, which must be one of files."""
    if not isinstance(task, FileTask):
        raise UserError(f"task {task.name} needs no files: nothing to prepare or check; train on it as it is")
    return task


def prepare(
    task: Task, paths: DataPaths, *, number: int | None, seed: int, processes: int | None, report: Report
) -> list[str]:
    """Generate a task's data, or convert the user's files to the prepared form; says what was made."""
    task = _required(task)
    source = paths.source
    if source is None and isinstance(task, GeneratedTask):
        return generate(task, paths.folder, number, seed, processes, report)
    if number is not None:
        raise UserError("expected --number only where data are generated; leave it out")
    source = source or task.installed()
    if source is None:
        raise UserError(f"task {task.name}: expected --source PATH; {task.remedy()}")
    if not source.exists():
        raise UserError(f"expected data at {source}, found nothing; check the path")
    with store.lock(paths.folder):
        return convert(task, paths.folder, source, report)


def generate(
    task: GeneratedTask, folder: Path, number: int | None, seed: int, processes: int | None, report: Report
) -> list[str]:
    """Make what is missing of a generated set."""

    def shard_made(line: str) -> None:
        done, total = (int(word) for word in line.split() if word.isdigit())
        report(done, total, task.name)

    target = task.generated(folder)
    manifest = task.generate(target, number or task.number, seed, processes, shard_made)
    return [f"{target}: {manifest['count']:,} sequences in {len(manifest['sha256'])} files, seed {seed}"]


def convert(task: FileTask, folder: Path, source: Path, report: Report) -> list[str]:
    """Read files, see that the task can be built of them, and store them in the prepared form."""
    report(0, 3, "reading")
    parts = task.read(source)
    identity = source_identity(source)
    words = f"{task.licence}; {identity['name']}, sha256 {str(identity['sha256'])[:16]}"
    report(1, 3, "building")
    dataset = task.build(parts, words)
    report(2, 3, "storing")
    file = task.file(folder)
    prepared.write(folder, file.stem, parts, words)
    report(3, 3, "stored")
    differs = [f"not as known: {fact}" for fact, holds in known(task, parts) if not holds]
    findings = [finding.line for finding in dataset.findings]
    readings = [read_in_words(dataset)] if isinstance(task, Own) else []
    return [*readings, f"{file}: {described(dataset)}", *differs, *findings]


def described(dataset: Dataset) -> str:
    """Sizes, length, classes and constant floor of a data set."""
    sizes = " + ".join(f"{len(getattr(dataset, part)):,}" for part in PARTS)
    alphabet = f", {dataset.symbols} symbols" if dataset.symbols else ""
    shape = f"length {dataset.length}{alphabet}, {dataset.classes} classes"
    return f"{sizes} sequences, {shape}, a constant {dataset.chance:.3f}"


def check(task: Task, paths: DataPaths) -> tuple[list[str], bool]:
    """A line per fact (hashes, sizes, class counts, means, first labels), and whether all hold."""
    task = _required(task)
    facts = checked(task, paths)
    lines = [f"{'ok  ' if holds else 'FAIL'}  {line}" for line, holds in facts]
    right = all(holds for _, holds in facts)
    if isinstance(task, Own) and right:
        more, fit = _looked_at(task, paths)
        return [*lines, *more], fit
    return lines, right


def _looked_at(task: Own, paths: DataPaths) -> tuple[list[str], bool]:
    """What was read of the user's own data, and what is wrong with them, as `diagnose` says it."""
    from full_scale.diagnosis.data import checked as require_diagnosable
    from full_scale.diagnosis.quality import quality_of

    dataset = dataclasses.replace(task, data=paths.source or task.file(paths.folder)).load()
    require_diagnosable(dataset)
    quality = quality_of(dataset)
    return [read_in_words(dataset), *quality.lines()], quality.status != "fail"


def checked(task: FileTask, paths: DataPaths) -> list[tuple[str, bool]]:
    """(fact, does it hold) of the files at hand."""
    file, folder, source = task.file(paths.folder), paths.folder, paths.source
    if source is None and prepared.is_prepared(file):
        hashes = prepared.verify(file)
        return hashes + known(task, prepared.read(file)[0]) if all(ok for _, ok in hashes) else hashes
    if source is None and isinstance(task, GeneratedTask) and is_generated(task.generated(folder)):
        return _shards_checked(task, folder)
    source = source or task.installed()
    if source is None or not source.exists():
        raise UserError(f"task {task.name}: expected {source or file}, found nothing; {task.remedy()}")
    return known(task, task.read(source))


def known(task: FileTask, parts: prepared.Parts) -> list[tuple[str, bool]]:
    """Known facts of the real files; sizes where nothing is known."""
    facts = task.facts(parts)
    if not facts:
        return [(f"{part}: {len(labelled):,} sequences", True) for part, labelled in parts.items()]
    return [
        (f"{fact.fact}: {fact.observed}" + ("" if fact.holds else f", expected {fact.expected}"), fact.holds)
        for fact in facts
    ]


def _shards_checked(task: GeneratedTask, folder: Path) -> list[tuple[str, bool]]:
    """A generated set: every shard against its hash, and the classes' shares."""
    done, of = _shard_count(task, folder)
    if done < of:
        return [(f"{done} of {of} files made; `sptlab data prepare {task.name}` goes on", False)]
    try:
        parts = task.read(task.generated(folder))
    except UserError as error:
        return [(str(error), False)]
    dataset = task.build(parts, "generated")
    return [(f"{of} files: hashes as in the manifest", True), (described(dataset), True)]
