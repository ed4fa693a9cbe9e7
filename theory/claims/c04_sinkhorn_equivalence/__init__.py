"""C4, Sinkhorn equivalence."""
