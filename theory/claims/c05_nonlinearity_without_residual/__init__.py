"""C5, nonlinearity alone does not help."""
