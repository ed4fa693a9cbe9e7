"""Readers of the files that data sets come in: a path in, plain arrays and strings out.

They know formats and nothing of tasks. No file is trusted: nothing in it is executed, no length it
states is believed before it is compared with the bytes that are there, and whatever is wrong with it
is one UserError line that names the file, what was expected, what came and the remedy.
"""

__all__ = [
    "aan",
    "archives",
    "cifar",
    "facts",
    "files",
    "idx",
    "images",
    "imdb",
    "labelled",
    "listops_tsv",
    "mnist_csv",
    "npz",
    "own",
    "pathfinder_release",
    "pickled",
    "tables",
    "ucr",
]
