"""Pathfinder32 images per second and core, at the three contour lengths, beside the reference generator.

    python -m benchmarks.pathfinder            (seconds)

One process, one thread. The reference's times (14, 27 and 123 ms per image) are quoted from notes of a
measurement on a machine of this kind; they are not measured here.
"""

import dataclasses
import json
import os
import platform
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tyro

from full_scale.data.generators.pathfinder import PRESETS, generate

STORED = Path(__file__).parent / "stored" / "pathfinder.json"
QUOTED_MILLISECONDS = {6: 14, 9: 27, 14: 123}
"""The reference's, at the numbers of distractors below."""
DISTRACTORS = {6: 10, 9: 6, 14: 5}


@dataclasses.dataclass(frozen=True)
class Pathfinder:
    """Images per second of one core at each contour length; printed and stored."""

    images: int = 2000
    """Made in each round, in chunks of a shard."""
    rounds: int = 5
    """Interleaved; medians are shown."""
    out: Path = STORED
    """Where the table goes."""


def measure(length: int, images: int, start: int) -> dict[str, float]:
    """Seconds of the clock and of the processor for `images` samples."""
    settings = dataclasses.replace(PRESETS[32], contour_length=length, distractors=DISTRACTORS[length])
    clock, processor = time.perf_counter(), time.process_time()
    for first in range(start, start + images, 1000):
        generate(settings, seed=0, start=first, count=min(1000, start + images - first))
    return {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}


def table(config: Pathfinder) -> list[dict[str, float]]:
    """One row per contour length."""
    rounds: dict[int, list[dict[str, float]]] = {length: [] for length in DISTRACTORS}
    for length in DISTRACTORS:
        measure(length, 8, 0)  # draws the stamps
    for turn in range(config.rounds):
        for length, timings in rounds.items():
            timings.append(measure(length, config.images, turn * config.images))
    rows = []
    for length, timings in rounds.items():
        seconds = {name: statistics.median(each[name] for each in timings) for name in timings[0]}
        milliseconds = 1e3 * seconds["processor"] / config.images
        quoted = QUOTED_MILLISECONDS[length]
        rows.append({
            "contour_length": length, "distractors": DISTRACTORS[length], "milliseconds": milliseconds,
            "images_per_second_and_core": 1e3 / milliseconds,
            "images_per_second_of_the_clock": config.images / seconds["clock"],
            "reference_milliseconds_quoted": quoted, "times_faster": quoted / milliseconds,
        })  # fmt: skip
    return rows


def main(config: Pathfinder) -> None:
    """Measure, print, store."""
    rows = table(config)
    for row in rows:
        line = (
            "length {contour_length:2}  {milliseconds:6.3f} ms an image  {images_per_second_and_core:6.0f} a "
        )
        line += (
            "second and core  {times_faster:5.0f}x the reference's quoted {reference_milliseconds_quoted} ms"
        )
        print(line.format(**row))
    record = {"numpy": np.__version__, "python": platform.python_version(), "cores": os.cpu_count()}
    record |= {"images": config.images, "rounds": config.rounds, "reference": "quoted from measurement notes"}
    config.out.parent.mkdir(parents=True, exist_ok=True)
    config.out.write_text(json.dumps({"provenance": record, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Pathfinder))
