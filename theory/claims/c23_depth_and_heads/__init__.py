"""C23, depth and heads."""
