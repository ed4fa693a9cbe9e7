"""Made tasks, sample by sample from a seed: any part of a set can be made anywhere, with the same bytes."""

__all__ = ["listops", "listops_trees", "pathfinder", "processes", "shards", "splitmix"]
