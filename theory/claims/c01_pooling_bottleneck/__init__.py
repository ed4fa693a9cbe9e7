"""C1, pooling bottleneck."""
