"""Series of values of unequal length as padded arrays, standardised per channel on the training part."""

import numpy as np
from jaxtyping import Float

from full_scale.data.dataset import Split
from full_scale.data.labelled import Labelled

Scale = tuple[Float[np.ndarray, " channel"], Float[np.ndarray, " channel"]]


def standardised(parts: dict[str, Labelled]) -> dict[str, Split]:
    """(value - mean) / deviation of the training part's values, padding apart; then 0 for padding."""
    longest = max(len(each) for part in parts.values() for each in part.examples)
    values = np.concatenate([np.atleast_2d(each.T).T for each in parts["train"].examples])
    deviation = values.std(axis=0)
    scale = values.mean(axis=0), np.where(deviation > 0, deviation, 1)
    return {name: _padded_values(part, longest, scale) for name, part in parts.items()}


def _padded_values(part: Labelled, longest: int, scale: Scale) -> Split:
    """Series (n, length) of one channel, (n, length, channel) of more; lengths where they differ."""
    mean, deviation = scale
    tokens = np.zeros((len(part), longest, len(mean)), np.float32)
    lengths = np.array([len(each) for each in part.examples], np.int32)
    for row, each in zip(tokens, part.examples, strict=True):
        row[: len(each)] = (np.atleast_2d(each.T).T - mean) / deviation
    tokens = tokens[..., 0] if len(mean) == 1 else tokens
    return Split(tokens, part.labels, None if (lengths == longest).all() else lengths)


def trimmed(part: Labelled) -> Labelled:
    """Examples without their padding, as a list."""
    lengths = [len(each) for each in part.examples] if part.lengths is None else part.lengths
    examples = [each[:length] for each, length in zip(part.examples, lengths, strict=True)]
    return Labelled(examples, part.labels, part.classes)
