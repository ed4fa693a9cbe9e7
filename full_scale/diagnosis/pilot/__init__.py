"""Both arms trained small and short, as a user would, until they are apart or the budget is spent."""

__all__ = ["fewer_labels", "gain", "neighbours", "runs", "sequential", "text", "verdict"]
