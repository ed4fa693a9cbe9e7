"""Data as a Transformer takes them: data sets and parts, readers of files, generators, prepared copies."""

__all__ = [
    "dataset",
    "equal_rows",
    "findings",
    "generators",
    "labelled",
    "packages",
    "pixels",
    "prepared",
    "readers",
    "series",
    "splits",
    "vocabulary",
]
