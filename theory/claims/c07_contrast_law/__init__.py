"""C7, contrast law."""
