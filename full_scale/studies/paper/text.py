"""The study as lines to read: what was predicted, what every arm came to, when runs left their plateau."""

from full_scale.studies import grids
from full_scale.studies.paper.predicted import Prediction
from full_scale.studies.paper.table import SizeTable


def prediction_lines(name: str, made: Prediction) -> list[str]:
    """One size's prediction."""
    numbers = made.numbers
    where = f"lag {made.lag}" + (f", (rows, columns) {made.offset}" if made.offset else "")
    return [
        f"{name}: predicted {made.verdict}; gain {numbers['gain'].text()}",
        f"  labels {'are blind' if made.blind else 'see something'} at uniform attention: accuracy "
        f"{numbers['accuracy_uniform_held_out'].text()}, a constant {made.floors['constant']:.3f}",
        f"  attention to turn to {where}; SNR towards {made.nearest}: reconstruction "
        f"{numbers['snr_reconstruction_nearest'].text()}, labels {numbers['snr_label_nearest'].text()}",
        f"  labels know {made.label_share:.0%} of that step; plateau over reconstruction's time "
        f"{numbers['plateau_ratio'].text()}",
    ]


def size_lines(table: SizeTable) -> list[str]:
    """One size's arms, and what was seen of the plateau and of attention."""
    lines = [
        grids.result_text(table.grid),
        "",
        f"{'arm':24} {'never left':>10} {'beats floors':>12} first steps",
    ]
    for arm in table.grid.order:
        left = table.left[arm]
        count = len(left.steps)
        never, beats = (
            round(count * (share.estimate or 0)) for share in (left.never_share, left.beats_floors_share)
        )
        first = ", ".join("never" if step is None else f"{step:,}" for step in left.steps)
        lines.append(f"{arm:24} {f'{never} of {count}':>10} {f'{beats} of {count}':>12} {first}")
    if table.best is not None and table.best_gain is not None:
        reached = ", ".join(f"{arm} {best.text()}" for arm, best in table.best.items())
        lines += [
            f"validation accuracy at each run's best evaluation: {reached}",
            f"gain of SPT there: {table.best_gain.text()}",
        ]
    for arm, each in table.attention.items():
        where = each.offsets or each.lags
        lines.append(
            f"attention of {arm} at the nearest positions, over uniform: {each.near.text()}; largest at {where}"
        )
    return lines
