"""What every example result has: an interval of made-up numbers, and a record."""

from typing import Any

LENGTH = 32


def interval(estimate: float, half: float, n: int = 3) -> dict[str, Any]:
    return {
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "level": 0.95,
        "n": n,
        "method": "Student t",
    }


def record(name: str) -> dict[str, Any]:
    return {
        "command": f"sptlab make-{name.replace('_', '-')} --seed 0",
        "config": {"length": LENGTH, "nested": {"learning_rate": 3e-3}},
        "config_hash": "0123456789abcdef",
        "seed": 0,
        "versions": {"python": "3.11.7", "jax": "0.10.2", "numpy": "2.4.6"},
        "commit": {"revision": "55dc747aa0a1", "dirty": False},
        "device": "cpu",
    }
