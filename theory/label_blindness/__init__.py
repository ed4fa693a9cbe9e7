"""What a mean-pooled label loss sees of attention scores, and what it cannot see."""

__all__ = [
    "boundaries", "causal_labels", "centring", "depth", "features", "labels", "pool_visibility",
    "query_independence", "sinkhorn", "subspaces",
]  # fmt: skip
