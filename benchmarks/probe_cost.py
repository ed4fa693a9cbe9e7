"""What the probes of the attention scores cost: one round of them over one training step, same process.

    python -m benchmarks.probe_cost               (about three minutes; run it on an idle machine)

A ratio of c means that probes every n steps take c / n of the time. Steps and probes take turns; the interval
is the 95 % sign-test interval of the median ratio. `interval` is the default number of steps between probes
(`full_scale.probes.held_out.interval`), `share` what they then cost.
"""

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import tyro

from benchmarks.step_sides import Size, start
from benchmarks.training_step import SIZES

STORED = Path(__file__).parent / "stored" / "probe_cost.json"
RANKS = (0, 5)  # of six rounds: the 97 % sign-test interval


@dataclasses.dataclass(frozen=True)
class Config:
    """What is measured."""

    sizes: tuple[str, ...] = tuple(SIZES)
    """L64, L256, L1024."""
    rounds: int = 6
    """Turns of each."""
    stored: Path = STORED
    """File of the result."""


def measured(size: Size, rounds: int) -> dict[str, object]:
    """Seconds of a step and of a round of probes, and their ratio."""
    import equinox as eqx
    import jax

    from full_scale.probes.held_out import interval, score_probes
    from full_scale.training.step import advance, begin

    model, phase, data, key = start(size)
    state, static = begin(model, phase), eqx.filter(model, eqx.is_array, inverse=True)
    steps, probes = [], []
    for _ in range(rounds + 1):  # the first compiles
        began = time.perf_counter()
        state, losses = advance(state, static, phase, data, size.batch, size.steps, key=key)
        jax.block_until_ready(losses)
        steps.append((time.perf_counter() - began) / size.steps)
        began = time.perf_counter()
        jax.block_until_ready(score_probes(eqx.combine(state.model, static), phase, data, key))
        probes.append(time.perf_counter() - began)
    ratios = np.sort(np.array(probes[1:]) / np.array(steps[1:]))
    ratio, every = float(np.median(ratios)), interval(size.batch, 1)
    return {
        "seconds_per_step": float(np.median(steps[1:])),
        "seconds_per_probe": float(np.median(probes[1:])),
        "ratio": ratio,
        "low": float(ratios[RANKS[0]]),
        "high": float(ratios[min(RANKS[1], len(ratios) - 1)]),
        "interval": every,
        "share": ratio / every,
    }


def main(config: Config) -> None:
    """Measure, print and store."""
    import jax

    from full_scale.devices.precision import single_precision
    from sims.runs.store import write_atomic

    with single_precision():
        costs = {name: measured(SIZES[name], config.rounds) for name in config.sizes}
    for name, row in costs.items():
        print(
            f"{name:6} a probe is {row['ratio']:.1f} steps; every {row['interval']} steps {row['share']:.1%}"
        )
    record = {"device": jax.devices()[0].device_kind, "jax": jax.__version__, "sizes": costs}
    write_atomic(config.stored, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main(tyro.cli(Config))
