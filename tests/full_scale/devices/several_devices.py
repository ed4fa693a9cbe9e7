"""What the tests of several devices run in processes of their own: python -m ... JOB FOLDER [HOSTS]."""

import json
import os
import signal
import sys
from pathlib import Path

import equinox as eqx
import jax
import numpy as np

from full_scale.devices import hosts, mesh
from full_scale.devices.precision import single_precision
from full_scale.objectives.batch_loss import Data
from full_scale.tasks.task import load
from full_scale.training import checkpoint, trial
from full_scale.training.models import initial_model
from full_scale.training.step import advance, begin
from sims.runs.store import UserError, plain
from tests.full_scale.training.small_runs import DATA, small_trial

CONFIG = small_trial(steps=5)
STEPS = 20
KEY_BIAS = 6  # its place among the model's leaves
Losses = np.ndarray


def trained(layout: mesh.Layout) -> tuple[Losses, list[np.ndarray], float]:
    """Losses of every step, final parameters, and the share of the state's bytes that one device holds."""
    phase, model = small_trial().phases[0], initial_model(CONFIG, load(DATA))
    static = eqx.filter(model, eqx.is_array, inverse=True)
    data = layout.data(Data.of(load(DATA).train))
    state = layout.state(begin(model, phase))
    state, losses = advance(state, static, phase, data, 8, STEPS, key=jax.random.key(0), layout=layout)
    leaves = jax.tree.leaves(state)
    held = sum(leaf.addressable_shards[0].data.nbytes for leaf in leaves)
    share = held / sum(leaf.nbytes for leaf in leaves)
    return np.asarray(losses), jax.tree.leaves(checkpoint.as_numpy(layout.whole(state.model))), share


def kept(folder: Path, name: str, layout: mesh.Layout) -> None:
    """Train and store."""
    losses, model, share = trained(layout)
    if hosts.is_main_process():
        np.savez(folder / f"{name}.npz", *model, losses=losses, share=share)


def run(folder: Path, layout: mesh.Layout, name: str, report: object = None) -> None:
    """A whole trial that saves after every call; its arrays are stored."""
    checkpoint.SECONDS_BETWEEN, checkpoint.MAX_SAVING_SHARE = 0.0, float("inf")
    places = trial.RunPaths(folder / "state" / name.split("-")[0])
    values, arrays = trial.run(CONFIG, load(DATA), paths=places, layout=layout, report=report)
    if hosts.is_main_process():
        np.savez(folder / f"{name}.npz", **arrays)
        (folder / f"{name}.json").write_text(json.dumps(plain(values)))


def killed(folder: Path) -> None:
    """A run on eight devices that ends by SIGKILL after a call."""
    seen = []

    def report(*_: object) -> None:
        seen.append(1)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    run(folder, mesh.over("all"), "trial-killed", report)


def eight(folder: Path) -> None:
    """Steps on eight devices, parameters whole, sharded, and with a fault; the killed run to its end."""
    kept(folder, "whole", mesh.over("all", fsdp=False))
    mesh.SMALLEST = 1
    kept(folder, "sharded", mesh.over("all", fsdp=True))
    resumed: list[int] = []
    run(folder, mesh.over("all"), "trial-resumed", lambda steps, _: resumed.append(steps))
    (folder / "resumed.json").write_text(json.dumps(resumed))
    run(folder, mesh.over("all"), "uninterrupted-run")
    fault(folder)


def fault(folder: Path) -> None:
    """Steps in which only the first device's gradient counts."""

    class Local(mesh.Layout):
        def mean(self, loss):
            whole = mesh.Layout.mapped(
                self, lambda *parts: loss(*parts)[None], (mesh.REPLICATED, mesh.REPLICATED, mesh.SHARDED)
            )
            return lambda *parts: whole(*parts)[0]

    kept(folder, "fault", Local(mesh.over("all").mesh, False))


def together(folder: Path, place: str) -> None:
    """One of several processes, one device each: steps, and a trial with checkpoints, then gone on with."""
    port, processes, number = map(int, place.split(","))
    with hosts.joined(hosts.Hosts(f"127.0.0.1:{port}", processes, number, seconds=60)):
        mesh.SMALLEST = 1
        kept(folder, f"processes-{processes}", mesh.over("all", fsdp=True))
        if processes == 2:
            run(folder, mesh.over("all"), "trial-together")
            run(folder, mesh.over("all"), "trial-again")


def lost(place: str) -> None:
    """One of several processes, of which the last is killed while the others wait for it."""
    port, processes, number = map(int, place.split(","))
    try:
        with hosts.joined(hosts.Hosts(f"127.0.0.1:{port}", processes, number, seconds=60)):
            hosts.broadcast(np.zeros(1))
            if number == processes - 1:
                os.kill(os.getpid(), signal.SIGKILL)
            for _ in range(100):
                hosts.broadcast(np.zeros(1))
    except UserError as error:
        print(f"sptlab: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    jobs = {
        "killed": killed,
        "eight": eight,
        "together": together,
        "lost": lambda _, place: lost(place),
    }
    with single_precision():
        jobs[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
