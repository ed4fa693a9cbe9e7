"""A grid's result as lines to read: accuracies with floors and intervals, costs, shares."""

from collections.abc import Mapping
from typing import Any


def interval(found: Mapping[str, Any], digits: int = 3) -> str:
    """estimate [low, high]; the reason where there is none."""
    if found["estimate"] is None:
        return f"undefined: {found.get('reason', found['method'])}"
    if found["low"] is None:
        return f"{found['estimate']:.{digits}f}"
    high = "unbounded" if found["high"] is None else f"{found['high']:.{digits}f}"
    return f"{found['estimate']:.{digits}f} [{found['low']:.{digits}f}, {high}]"


def shown(values: Mapping[str, Any]) -> str:
    """The whole table."""
    floors = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values["floor"].items())
    data = values["data"]
    lines = [
        f"{data['task']}: {data['source']}",
        f"{len(values['seeds'])} seeds, 95% intervals; test accuracy of what needs no attention: {floors}",
        "",
        f"{'arm':24} {'test accuracy':24} {'train accuracy':24} {'steps':>7} {'FLOPs':>8} {'parameters':>10}",
    ]
    for name in values["order"]:
        arm = values["arms"][name]
        lines.append(
            f"{name:24} {interval(arm['test_accuracy']):24} {interval(arm['train_accuracy']):24} "
            f"{arm['steps']:7} {arm['flops']:8.1e} {arm['parameters']:10}"
        )
    return "\n".join([*lines, "", *share_lines(values["shares"])])


def share_lines(shares: Mapping[str, Any]) -> list[str]:
    """Every share, one per line."""
    lines = []
    for name, found in shares.items():
        if "estimate" in found:
            lines.append(f"{name:24} {interval(found)}")
        else:
            lines += [f"{f'{name} {arm}':24} {interval(each)}" for arm, each in found.items()]
    return lines
