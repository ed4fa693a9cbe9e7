"""C25, many classes."""
