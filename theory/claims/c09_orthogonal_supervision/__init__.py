"""C9, orthogonal supervision."""
