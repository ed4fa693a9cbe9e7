"""What a run reports while it trains: a line of JSON per evaluation, and TensorBoard where it is installed.

Lines are appended; a run that goes on first drops those behind its checkpoint, so that no step is told twice.
"""

import importlib.util
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sims.runs.store import StoreError, write_atomic

TENSORBOARD = "tensorboardX"  # the extra `tensorboard`
Value = float | int | str | list[list[float]]


class Metrics:
    """The metrics of one run.

    Parameters
    ----------
    path
        The file of lines; TensorBoard's events lie in a folder of its stem beside it. None keeps nothing.
    done
        Steps that the run has behind it; lines of later steps are dropped.
    """

    def __init__(self, path: Path | None, done: int = 0) -> None:
        self.path, self.events, self.started, self.begun = path, None, time.monotonic(), done
        if path is None:
            return
        write_atomic(path, "".join(lines_up_to(path, done)).encode())
        if importlib.util.find_spec(TENSORBOARD):
            from tensorboardX import SummaryWriter

            self.events = SummaryWriter(str(path.with_suffix("")), purge_step=done + 1)

    def write(self, step: int, values: Mapping[str, Value]) -> None:
        """Append one evaluation, with the steps per second since this process began.

        A list is [layer][head]; TensorBoard gets a curve for each.
        """
        if self.path is None:
            return
        speed = (step - self.begun) / max(time.monotonic() - self.started, 1e-9)
        line = {"step": step, **values, "steps_per_second": round(speed, 2)}
        try:
            with open(self.path, "a", encoding="utf-8") as sink:
                sink.write(json.dumps({name: plain(value) for name, value in line.items()}) + "\n")
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}; free the space or choose another --out"
            ) from error
        if self.events is not None:
            for name, value in scalars(values):
                self.events.add_scalar(name, value, step)

    def close(self) -> None:
        """Close the file that TensorBoard reads."""
        if self.events is not None:
            self.events.close()


def plain(value: Value | list[float]) -> object:
    """JSON has no NaN: null stands for what was not measured."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and value != value else value


def scalars(values: Mapping[str, Value]) -> Iterator[tuple[str, float]]:
    """Every number with its name: snr_label/layer_0/head_1 for one of a list."""
    for name, value in values.items():
        if isinstance(value, list):
            for layer, heads in enumerate(value):
                yield from ((f"{name}/layer_{layer}/head_{head}", each) for head, each in enumerate(heads))
        elif not isinstance(value, str):
            yield name, value


def lines_up_to(path: Path, done: int) -> list[str]:
    """The whole lines of steps up to `done`; a killed run may have left half a line."""
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        try:
            step = json.loads(line)["step"]
        except (ValueError, KeyError, TypeError):
            continue
        if line.endswith("\n") and step <= done:
            lines.append(line)
    return lines
